// SPDX-License-Identifier: MIT
/* Small tokenizers on which one rule of the library turns, with the ids that it gives. */
#include "base/buf.h"
#include "base/json.h"
#include "t.h"
#include "tok/tok.h"

static sc_tok *open_text(const char *text)
{
    sc_tok *t = NULL;
    sc_err err = {0};
    CHECK_OK(sc_tok_parse(text, strlen(text), &t, &err), &err);
    return t;
}

static void check_ids(const char *tokenizer, const char *text, const int32_t *want, size_t n)
{
    SC_AUTO(sc_tok) *t = open_text(tokenizer);
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    CHECK_OK(sc_tok_encode(t, sc_str_c(text), SC_TOK_SPECIAL, &ids, &err), &err);
    for (size_t i = 0; i < ids.n; i++)
        if (i >= n || ids.p[i] != want[i])
            fail_msg("\"%s\": id %zu is %d", text, i, ids.p[i]);
    assert_int_equal(ids.n, n);
}

#define IDS(...) (const int32_t[]){__VA_ARGS__}, SC_LEN(((const int32_t[]){__VA_ARGS__}))

TEST(scores_are_read_with_the_librarys_rounding)
{
    UNUSED;
    // With scores to the nearest double the two ways to cut "***" come out equal.
    check_ids("{\"added_tokens\":[],\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":["
              "[\"<unk>\",0.0],[\"!!! \",-5.3610625452875516],[\"*\",-5.325687441335523],"
              "[\"**\",-7.192736859511666]]}}",
              "!!! ***", IDS(1, 3, 2));
}

TEST(added_tokens_count_on_from_a_list_that_says_a_piece_twice)
{
    UNUSED;
    check_ids("{\"added_tokens\":[{\"id\":3,\"content\":\"zz\",\"normalized\":false}],\"model\":{"
              "\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0.0],[\"a\",-1.0],"
              "[\"a\",-2.0]]}}",
              "azz", IDS(2, 3));
}

TEST(an_added_token_of_white_space_that_another_took_is_not_there)
{
    UNUSED;
    static const char json[] =
        "{\"added_tokens\":[{\"id\":0,\"content\":\"  \",\"lstrip\":true,\"normalized\":false},"
        "{\"id\":1,\"content\":\"def\",\"rstrip\":true,\"normalized\":false}],\"model\":{\"type\":"
        "\"WordLevel\",\"unk_token\":\"<u>\",\"vocab\":{\"  \":0,\"def\":1,\"<u>\":2}}}";
    check_ids(json, "def  def", IDS(1, 1));
    check_ids(json, "a  def", IDS(2, 0, 1));
}

TEST(an_empty_suffix_stands_around_every_character)
{
    UNUSED;
    SC_AUTO(sc_tok) *t = open_text("{\"added_tokens\":[],\"decoder\":{\"type\":\"BPEDecoder\","
                                   "\"suffix\":\"\"},\"model\":{\"type\":\"WordLevel\","
                                   "\"unk_token\":\"ab\",\"vocab\":{\"ab\":0,\"c\":1}}}");
    SC_AUTO(sc_buf) text = sc_buf_init(100);
    sc_err err = {0};
    CHECK_OK(sc_tok_decode(t, (const int32_t[]){0, 1}, 2, false, &text, &err), &err);
    assert_string_equal(sc_buf_text(&text), " a b c");
}

TEST(refuses_what_it_would_do_otherwise)
{
    UNUSED;
    static const char *const cases[][2] = {
        {"{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\X\"},\"behavior\":"
         "\"Isolated\",\"invert\":false},\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\","
         "\"vocab\":{\"a\":0}}}",
         "\\X is not supported"},
        {"{\"added_tokens\":[{\"id\":0,\"content\":\"  \",\"normalized\":true}],\"normalizer\":{"
         "\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true},\"model\":{\"type\":"
         "\"WordLevel\",\"unk_token\":\"a\",\"vocab\":{\"a\":0}}}",
         "the normalizer leaves nothing of it"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        sc_tok *t = NULL;
        sc_err err = {0};
        CHECK_CODE(SC_E_UNSUPPORTED, sc_tok_parse(cases[i][0], strlen(cases[i][0]), &t, &err),
                   &err);
        if (!strstr(err.msg, cases[i][1]))
            fail_msg("%s", err.msg);
    }
}

TEST(neighbours_of_a_dropped_character_meet)
{
    UNUSED;
    // Without an unknown token '?' leaves nothing, so that a and b stand side by side.
    check_ids("{\"model\":{\"type\":\"BPE\",\"unk_token\":null,\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,"
              "\"\\u2581\":3},\"merges\":[\"a b\"]}}",
              "a?b a\xE2\x96\x81?b", IDS(2, 0, 3, 1));
}

/* A post-processor, and the ids that the library gives for one text and for two. */
typedef struct post_case {
    const char *processors;
    const int32_t *one; // NULL: the library fails
    size_t n_one;
    const int32_t *two;
    size_t n_two;
} post_case;

static void check_post(const sc_tok *t, const char *what, bool pair, const int32_t *want, size_t n)
{
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    const sc_code code = pair ? sc_tok_encode_pair(t, SC_STR("a"), SC_STR("b"), &ids, &err)
                              : sc_tok_encode(t, SC_STR("a"), SC_TOK_SPECIAL, &ids, &err);
    if (!want) {
        CHECK_CODE(SC_E_UNSUPPORTED, code, &err);
        return;
    }
    CHECK_OK(code, &err);
    if (ids.n != n || (n && memcmp(ids.p, want, n * sizeof *want) != 0))
        fail_msg("%s: %s: other ids", what, pair ? "two texts" : "one text");
}

#define SPECIAL(t)  "{\"SpecialToken\":{\"id\":\"" t "\"}}"
#define SEQUENCE(t) "{\"Sequence\":{\"id\":\"" t "\"}}"
#define TEMPLATE(single, pair)                                                                     \
    "{\"type\":\"TemplateProcessing\",\"single\":[" single "],\"pair\":[" pair                     \
    "],\"special_tokens\":{\"C\":{\"ids\":[2]},\"T\":{\"ids\":[4,4]}}}"
#define T1                                                                                         \
    TEMPLATE(SPECIAL("C") "," SEQUENCE("A"), SPECIAL("C") "," SEQUENCE("A") "," SEQUENCE("B"))
#define T0      TEMPLATE(SEQUENCE("A"), SEQUENCE("B") "," SPECIAL("T") "," SEQUENCE("A"))
#define TE      TEMPLATE("", SEQUENCE("A") "," SEQUENCE("B"))
#define BERT    "{\"type\":\"BertProcessing\",\"sep\":[\"S\",3],\"cls\":[\"C\",2]}"
#define ROBERTA "{\"type\":\"RobertaProcessing\",\"sep\":[\"S\",3],\"cls\":[\"T\",4]}"

TEST(post_processors_one_behind_the_other_work_on_what_was_made_before)
{
    UNUSED;
    const post_case cases[] = {
        {T1, IDS(2, 0), IDS(2, 0, 1)},
        {TE, (const int32_t[]){0}, 0, IDS(0, 1)},
        {T1 "," T1, IDS(2, 2, 0), NULL, 0},
        {T1 "," T0, IDS(0, 4, 4, 2), NULL, 0},
        {T1 "," BERT, IDS(2, 2, 3, 0, 3), IDS(2, 2, 3, 0, 3, 1, 3)},
        {T1 "," ROBERTA, IDS(4, 2, 3, 3, 0, 3), IDS(4, 2, 3, 3, 0, 3, 3, 1, 3)},
        {T0 "," BERT, IDS(2, 0, 3), IDS(2, 1, 3, 4, 4, 3, 0, 3)},
        {BERT "," T1, IDS(2, 2, 0, 3), IDS(2, 2, 0, 3, 1, 3)},
        {BERT "," T0, IDS(2, 0, 3), IDS(1, 3, 4, 4, 2, 0, 3)},
        {ROBERTA "," BERT, IDS(2, 4, 0, 3, 3), IDS(2, 4, 0, 3, 3, 3, 1, 3, 3)},
        {TE "," T1, NULL, 0, IDS(2, 0, 1)},
        {TE "," T1 "," BERT, NULL, 0, IDS(2, 2, 3, 0, 3, 1, 3)},
        {BERT "," T1 "," ROBERTA, IDS(4, 2, 3, 3, 2, 0, 3, 3),
         IDS(4, 2, 3, 3, 2, 0, 3, 3, 3, 1, 3, 3)},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        SC_AUTO(sc_buf) json = sc_buf_init(1 << 16);
        sc_buf_addf(&json,
                    "{\"post_processor\":{\"type\":\"Sequence\",\"processors\":[%s]},\"model\":{"
                    "\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":{\"a\":0,\"b\":1}}}",
                    cases[i].processors);
        SC_AUTO(sc_tok) *t = open_text(sc_buf_text(&json));
        check_post(t, cases[i].processors, false, cases[i].one, cases[i].n_one);
        check_post(t, cases[i].processors, true, cases[i].two, cases[i].n_two);
    }
}

TEST(named_classes_of_patterns_hold_the_librarys_characters)
{
    UNUSED;
    static const struct {
        const char *pattern;
        const char *in;  // every character of it matches
        const char *out; // no character of it does
    } cases[] = {
        {"[[:alpha:]]", "a\u00e9\u0363\u036f\u24b6", "1_ \u0300"},
        {"[[:^alpha:]]", "1 \u0300", "a\u0363"},
        {"[^[:alpha:]]", "1 \u0300", "a\u0363"},
        {"[[:alpha:]&&[^a-y]]", "z\u0363", "ab1"},
        {"[[:punct:]]", "$+.!", "a1 "},
        {"\\\\p{Punct}", ".!", "$+a"},
        {"\\\\w", "a_1\u00b2\u00bd", ". "},
        {"[\\\\w]", "a_1", "\u00b2\u00bd. "},
        {"[^\\\\w]", "\u00b2\u00bd. ", "a_1"},
        {"[[:word:]]", "a_1", "\u00b2\u00bd"},
        {"\\\\p{Mn}", "\u0300\u0897", "a"},
        {"\\\\p{Cn}", "\u0378", "\u0897a"},
        {"[^\\\\p{Cn}]", "\u0897a", "\u0378"},
        {"\\\\P{Co}", "a", "\ue000"},
        {"[\\\\P{Co}]", "a", "\ue000"},
        {"\\\\p{Hiragana}", "\u3042\U0001b132", "\u30a2a"},
        {"(?i)\\\\p{Lu}", "A", "a"},
        {"(?i)[[:upper:]]", "Aa", "1"},
        {"(?i:x)\\\\p{Lu}|.(?<=\\\\p{Lu})", "A", "a"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        for (unsigned in = 0; in < 2; in++) {
            // What matches becomes "m", what does not stays; each character is a word.
            SC_AUTO(sc_buf) json = sc_buf_init(1 << 16);
            SC_AUTO(sc_ids) ids = {0};
            SC_AUTO_JSON *text = NULL;
            sc_err err = {0};
            sc_buf_addf(&json, "\"%s\"", in ? cases[i].in : cases[i].out);
            CHECK_OK(sc_json_parse(sc_buf_str(&json), &text, &err), &err);
            sc_buf_clear(&json);
            sc_buf_addf(
                &json,
                "{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"%s\"},"
                "\"content\":\"m\"},\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{"
                "\"Regex\":\"(?m).\"},\"behavior\":\"Isolated\",\"invert\":false},\"model\":"
                "{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"m\":1}}}",
                cases[i].pattern);
            SC_AUTO(sc_tok) *t = open_text(sc_buf_text(&json));
            CHECK_OK(sc_tok_encode(t, sc_json_str(text), 0, &ids, &err), &err);
            CHECK(ids.n > 0);
            for (size_t k = 0; k < ids.n; k++)
                if (ids.p[k] != (int32_t)in)
                    fail_msg("%s: character %zu of \"%s\"", cases[i].pattern, k,
                             in ? cases[i].in : cases[i].out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(scores_are_read_with_the_librarys_rounding),
        T(added_tokens_count_on_from_a_list_that_says_a_piece_twice),
        T(an_added_token_of_white_space_that_another_took_is_not_there),
        T(an_empty_suffix_stands_around_every_character),
        T(refuses_what_it_would_do_otherwise),
        T(neighbours_of_a_dropped_character_meet),
        T(post_processors_one_behind_the_other_work_on_what_was_made_before),
        T(named_classes_of_patterns_hold_the_librarys_characters),
    };
    sc_json_setup();
    return RUN_TESTS(tests);
}
