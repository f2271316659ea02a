// SPDX-License-Identifier: MIT
/* Small tokenizers on which one rule of the library turns, with the ids that it gives. */
#include "base/buf.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(scores_are_read_with_the_librarys_rounding),
        T(added_tokens_count_on_from_a_list_that_says_a_piece_twice),
        T(an_added_token_of_white_space_that_another_took_is_not_there),
        T(an_empty_suffix_stands_around_every_character),
        T(refuses_what_it_would_do_otherwise),
    };
    return RUN_TESTS(tests);
}
