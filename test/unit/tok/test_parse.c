// SPDX-License-Identifier: MIT
/* tokenizer.json as a hostile file: truncated, wrong types, cycles of memory running out. */
#include "base/buf.h"
#include "t.h"
#include "tok/tok.h"

/* Holds one of nearly everything. */
static const char tiny[] =
    "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"special\":true,"
    "\"normalized\":false},{\"id\":9,\"content\":\"zz\",\"lstrip\":true,\"normalized\":false}],"
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":"
    "\"Replace\",\"pattern\":{\"Regex\":\"q+\"},\"content\":\"a\"},{\"type\":\"Prepend\","
    "\"prepend\":\"\\u2581\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":"
    "\"\\u2581\"}]},"
    "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\d|[^\\\\d]+\"},"
    "\"behavior\":\"Isolated\",\"invert\":false},"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
    "\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"Sequence\":"
    "{\"id\":\"B\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],"
    "\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[0],\"tokens\":[\"<s>\"]}}},"
    "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":"
    "{\"String\":\"\\u2581\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
    "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]},"
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true,"
    "\"vocab\":{\"<s>\":0,\"<unk>\":1,\"a\":2,\"b\":3,\"\\u2581\":4,\"ab\":5,\"\\u2581ab\":6,"
    "\"1\":7,\"<0x41>\":8},\"merges\":[\"a b\",[\"\\u2581\",\"ab\"]]}}";

enum { SIZE = sizeof tiny - 1 };

static sc_code parse(const char *text, size_t n, sc_tok **out, sc_err *err)
{
    // An exact copy, so that a sanitizer sees a read past the end.
    char *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    memcpy(copy, text, n);
    const sc_code code = sc_tok_parse(copy, n, out, err);
    free(copy);
    return code;
}

/* `tiny` with its first `from` replaced by `to`. */
static void edit(const char *from, const char *to, sc_buf *out)
{
    const char *hit = strstr(tiny, from);
    CHECK(hit != NULL);
    sc_buf_clear(out);
    sc_buf_add(out, tiny, (size_t)(hit - tiny));
    sc_buf_add_c(out, to);
    sc_buf_add_c(out, hit + strlen(from));
    CHECK(sc_buf_ok(out));
}

TEST(reads_a_good_file)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(1000);
    CHECK_OK(parse(tiny, SIZE, &t, &err), &err);
    CHECK_OK(sc_tok_encode(t, SC_STR("ab qqA1zz"), SC_TOK_SPECIAL, &ids, &err), &err);
    static const int32_t want[] = {0, 6, 4, 2, 8, 7, 9};
    assert_int_equal(ids.n, SC_LEN(want));
    assert_memory_equal(ids.p, want, sizeof want);
    CHECK_OK(sc_tok_decode(t, ids.p, ids.n, true, &text, &err), &err);
    assert_string_equal(sc_buf_text(&text), "ab aA1zz");
    assert_int_equal(sc_tok_size(t), 10);
    assert_int_equal(sc_tok_find(t, SC_STR("zz")), 9);
    assert_int_equal(sc_tok_bos(t), 0);
    CHECK(sc_tok_is_special(t, 0) && !sc_tok_is_special(t, 9) && !sc_tok_is_special(t, -1));
    CHECK(sc_str_is(sc_tok_text(t, 5), "ab") && sc_tok_text(t, 77).n == 0);
}

TEST(refuses_every_truncation)
{
    UNUSED;
    for (size_t size = 0; size < SIZE; size++) {
        sc_err err = {0};
        SC_AUTO(sc_tok) *t = NULL;
        CHECK_CODE(SC_E_FORMAT, parse(tiny, size, &t, &err), &err);
        CHECK(!t);
        CHECK(err.at == SC_NOWHERE || err.at <= size);
    }
}

TEST(refuses_ids_and_counts_that_are_too_large)
{
    UNUSED;
    static const char *const edits[][2] = {
        {"\"ab\":5", "\"ab\":16777216"},
        {"\"ab\":5", "\"ab\":4294967297"},
        {"\"ab\":5", "\"ab\":99999999999999999999999"},
        {"\"ab\":5", "\"ab\":-1"},
        {"\"ab\":5", "\"ab\":5.5"},
        {"\"ids\":[0]", "\"ids\":[2147483648]"},
        {"\"start\":1", "\"start\":99999999999"},
        {"\"a b\"", "\"a  b\""},
        {"\"a b\"", "\"ab\""},
        {"\"a b\"", "\"a x\""},
        {"\"a b\"", "[\"a\"]"},
        {"{\"<s>\":0,", "{\"<s>\":0,\"<s>\":1,"},
        {"\"content\":\" \",\"start\"", "\"content\":\"  \",\"start\""},
        {"\"A\",\"type_id\"", "\"C\",\"type_id\""},
        {"\"tokens\":[\"<s>\"]}", "\"tokens\":[\"<s>\"]},\"x\":1e999"},
        {"\"<s>\":{\"id\"", "\"<t>\":{\"id\""},
        {"\"prepend\":\"\\u2581\"", "\"prepend\":7"},
        {"\"\\u2581\":4", "\"\\ud800\":4"},
        {"\"fuse_unk\":true", "\"fuse_unk\":1"},
    };
    for (size_t i = 0; i < SC_LEN(edits); i++) {
        SC_AUTO(sc_buf) text = sc_buf_init(10000);
        SC_AUTO(sc_tok) *t = NULL;
        sc_err err = {0};
        edit(edits[i][0], edits[i][1], &text);
        const sc_code code = parse(sc_buf_text(&text), text.n, &t, &err);
        if (strstr(edits[i][1], "1e999")) // a number that nothing reads
            CHECK_OK(code, &err);
        else
            CHECK_CODE(SC_E_FORMAT, code, &err);
    }
}

TEST(names_what_it_does_not_know)
{
    UNUSED;
    static const char *const edits[][3] = {
        {"\"NFC\"", "\"NFX\"", "NFX"},
        {"\"Split\"", "\"Splat\"", "Splat"},
        {"\"Isolated\"", "\"Melted\"", "Melted"},
        {"\"BPE\"", "\"CPE\"", "CPE"},
        {"\"Fuse\"", "\"Fuze\"", "Fuze"},
        {"\"TemplateProcessing\"", "\"Templates\"", "Templates"},
        {"\"fuse_unk\":true", "\"dropout\":0.1", "dropout"},
        {"q+", "(?~q)", "absent"},
        {"q+", "q{2}+", "repeat"},
    };
    for (size_t i = 0; i < SC_LEN(edits); i++) {
        SC_AUTO(sc_buf) text = sc_buf_init(10000);
        SC_AUTO(sc_tok) *t = NULL;
        sc_err err = {0};
        edit(edits[i][0], edits[i][1], &text);
        CHECK_CODE(SC_E_UNSUPPORTED, parse(sc_buf_text(&text), text.n, &t, &err), &err);
        if (!strstr(err.msg, edits[i][2]))
            fail_msg("%s", err.msg);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    // A pattern runs without its compiled form when memory for that is out, so success does not
    // end the walk: the number of allocations does.
    uint64_t n = sc_alloc_count();
    sc_err err = {0};
    SC_AUTO(sc_tok) *good = NULL;
    CHECK_OK(sc_tok_parse(tiny, SIZE, &good, &err), &err);
    n = sc_alloc_count() - n;
    CHECK(n > 20);
    unsigned failed = 0;
    for (uint64_t nth = 1; nth <= n; nth++) {
        SC_AUTO(sc_tok) *t = NULL;
        sc_alloc_fail_at((long)nth);
        const sc_code code = sc_tok_parse(tiny, SIZE, &t, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? t != NULL : !t);
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %u: %s", (unsigned)nth, err.msg);
        failed += code != SC_OK;
    }
    CHECK(failed > 20);
}

/* Encodes behind an id and decodes again; *kept says that a failure left the ids alone. */
static sc_code go_round(const sc_tok *t, sc_str text, bool *kept, sc_err *err)
{
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) back = sc_buf_init(10000);
    if (!sc_ids_add(&ids, 3))
        return sc_fail_nomem(err);
    const sc_code code = sc_tok_encode(t, text, SC_TOK_SPECIAL, &ids, err);
    *kept = code == SC_OK || (ids.n == 1 && ids.p[0] == 3);
    return code == SC_OK ? sc_tok_decode(t, ids.p, ids.n, false, &back, err) : code;
}

TEST(encoding_survives_every_failed_allocation)
{
    UNUSED;
    sc_err err = {0};
    bool kept = true;
    SC_AUTO(sc_tok) *t = NULL;
    CHECK_OK(sc_tok_parse(tiny, SIZE, &t, &err), &err);
    SC_AUTO(sc_buf) text = sc_buf_init(10000);
    for (unsigned i = 0; i < 100; i++)
        sc_buf_add_c(&text, "ab qqA1zz\xC3\xA9");
    uint64_t n = sc_alloc_count();
    CHECK_OK(go_round(t, sc_buf_str(&text), &kept, &err), &err);
    n = sc_alloc_count() - n;
    CHECK(n > 10);
    unsigned failed = 0;
    for (uint64_t nth = 1; nth <= n; nth++) {
        sc_alloc_fail_at((long)nth);
        const sc_code code = go_round(t, sc_buf_str(&text), &kept, &err);
        sc_alloc_fail_at(0);
        CHECK(kept);
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %u: %s", (unsigned)nth, err.msg);
        failed += code != SC_OK;
    }
    CHECK(failed > 10);
}

TEST(says_where_it_failed)
{
    UNUSED;
    SC_AUTO(sc_buf) text = sc_buf_init(10000);
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    edit("\"a b\"", "\"a x\"", &text);
    CHECK_CODE(SC_E_FORMAT, parse(sc_buf_text(&text), text.n, &t, &err), &err);
    assert_string_equal(err.msg, "model BPE: merge 0: \"x\" is not in the vocabulary");
    edit("\"version\":\"1.0\"", "\"version\":\"1.0", &text);
    CHECK_CODE(SC_E_FORMAT, parse(sc_buf_text(&text), text.n, &t, &err), &err);
    edit("\"NFC\"", "7", &text);
    CHECK_CODE(SC_E_UNSUPPORTED, parse(sc_buf_text(&text), text.n, &t, &err), &err);
    CHECK(strstr(err.msg, "normalizer: Sequence: unknown type") != NULL);
    CHECK(err.at < text.n && text.p[err.at] == '{');
    edit("{\"version\"", "{ !\"version\"", &text);
    CHECK_CODE(SC_E_FORMAT, parse(sc_buf_text(&text), text.n, &t, &err), &err);
    assert_int_equal(err.at, 2);
}

TEST(two_bytes_of_one_id_merge_alike_and_merges_come_in_any_order)
{
    UNUSED;
    static const char json[] =
        "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
        "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":"
        "{\"abc\":5,\"a\":0,\"d\":0,\"b\":1,\"c\":2,\"bc\":3,\"db\":4},"
        "\"merges\":[\"d b\",\"b c\",\"a bc\"]}}";
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    CHECK_OK(parse(json, sizeof json - 1, &t, &err), &err);
    CHECK_OK(sc_tok_encode(t, SC_STR("abdbbcdbc"), 0, &ids, &err), &err);
    // "a b" is "d b": they have one id.
    assert_int_equal(ids.n, 5);
    assert_memory_equal(ids.p, ((const int32_t[]){4, 4, 3, 4, 2}), 5 * sizeof(int32_t));
}

TEST(refuses_deep_nesting)
{
    UNUSED;
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 22);
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    for (unsigned i = 0; i < 1000000; i++)
        sc_buf_add_char(&text, '[');
    CHECK_CODE(SC_E_FORMAT, parse(sc_buf_text(&text), text.n, &t, &err), &err);
    CHECK(strstr(err.msg, "nested") != NULL);
}

TEST(refuses_text_that_is_not_utf8)
{
    UNUSED;
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    CHECK_OK(parse(tiny, SIZE, &t, &err), &err);
    CHECK_CODE(SC_E_FORMAT, sc_tok_encode(t, SC_STR("ab\xC3"), 0, &ids, &err), &err);
    assert_int_equal(err.at, 2);
    assert_int_equal(ids.n, 0);
}

TEST(a_long_text_without_white_space_takes_no_quadratic_time)
{
    UNUSED;
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 22);
    sc_err err = {0};
    CHECK_OK(parse(tiny, SIZE, &t, &err), &err);
    for (unsigned i = 0; i < 500000; i++)
        sc_buf_add_c(&text, "ab");
    // A million characters in one piece: quadratic work would take an hour.
    CHECK_OK(sc_tok_encode(t, sc_buf_str(&text), 0, &ids, &err), &err);
    assert_int_equal(ids.n, 500000);
}

TEST(a_hostile_pattern_ends_in_an_error)
{
    UNUSED;
    SC_AUTO(sc_buf) json = sc_buf_init(10000);
    SC_AUTO(sc_buf) text = sc_buf_init(10000);
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    edit("q+", "^(a+)+[bc]$", &json);
    CHECK_OK(parse(sc_buf_text(&json), json.n, &t, &err), &err);
    for (unsigned i = 0; i < 60; i++)
        sc_buf_add_char(&text, 'a');
    CHECK_CODE(SC_E_LIMIT, sc_tok_encode(t, sc_buf_str(&text), 0, &ids, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reads_a_good_file),
        T(refuses_every_truncation),
        T(refuses_ids_and_counts_that_are_too_large),
        T(names_what_it_does_not_know),
        T(survives_every_failed_allocation),
        T(encoding_survives_every_failed_allocation),
        T(says_where_it_failed),
        T(two_bytes_of_one_id_merge_alike_and_merges_come_in_any_order),
        T(refuses_deep_nesting),
        T(refuses_text_that_is_not_utf8),
        T(a_long_text_without_white_space_takes_no_quadratic_time),
        T(a_hostile_pattern_ends_in_an_error),
    };
    return RUN_TESTS(tests);
}
