// SPDX-License-Identifier: MIT
/* Tokenizers that are not a tokenizer.json: SentencePiece models, older folders, what stands
 * beside. */
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "t.h"
#include "tok/tok_impl.h"

#include <unistd.h>

/* A field with bytes in it. */
static void put(sc_buf *out, unsigned number, const void *p, size_t n)
{
    CHECK(n < 128);
    sc_buf_add_char(out, (char)(number << 3 | 2));
    sc_buf_add_char(out, (char)n);
    sc_buf_add(out, p, n);
}

static void put_piece(sc_buf *out, const char *text, float score, unsigned type)
{
    SC_AUTO(sc_buf) one = sc_buf_init(200);
    put(&one, 1, text, strlen(text));
    sc_buf_add_char(&one, 2 << 3 | 5);
    sc_buf_add(&one, &score, sizeof score);
    sc_buf_add_char(&one, 3 << 3);
    sc_buf_add_char(&one, (char)type);
    put(out, 1, one.p, one.n);
}

/* A SentencePiece model of `kind` (1 unigram, 2 BPE). */
static void make_spm(sc_buf *out, char kind)
{
    put_piece(out, "<unk>", 0, 2);
    put_piece(out, "<s>", 0, 3);
    put_piece(out, "</s>", 0, 3);
    put_piece(out, "<0x0A>", 0, 6);
    put_piece(out, "\xE2\x96\x81", -1, 1);
    put_piece(out, "a", -2, 1);
    put_piece(out, "b", -3, 1);
    put_piece(out, "ab", -1.5f, 1);
    put_piece(out,
              "\xE2\x96\x81"
              "a",
              -1.2f, 1);
    put_piece(out, "zz", 0, 4);
    put(out, 2, (const char[]){3 << 3, kind}, 2);
    put(out, 3, (const char[]){3 << 3, 1, 4 << 3, 0}, 4);
    CHECK(sc_buf_ok(out));
}

static void check_ids(const sc_tok *t, const char *text, const int32_t *want, size_t n)
{
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    CHECK_OK(sc_tok_encode(t, sc_str_c(text), SC_TOK_SPECIAL, &ids, &err), &err);
    for (size_t i = 0; i < ids.n; i++)
        if (i >= n || ids.p[i] != want[i])
            fail_msg("\"%s\": id %zu is %d", text, i, ids.p[i]);
    assert_int_equal(ids.n, n);
}

TEST(reads_a_sentencepiece_bpe_model)
{
    UNUSED;
    SC_AUTO(sc_buf) file = sc_buf_init(10000);
    SC_AUTO(sc_buf) text = sc_buf_init(100);
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    make_spm(&file, 2);
    CHECK_OK(sc_tok_parse_spm(file.p, file.n, &t, &err), &err);
    // The pair of the higher score goes first: "▁a" before "ab".
    check_ids(t, "ab", (const int32_t[]){1, 8, 6}, 3);
    check_ids(t, " ab\n", (const int32_t[]){1, 4, 8, 6, 3}, 5);
    check_ids(t, "azz", (const int32_t[]){1, 8, 9}, 3);
    check_ids(t, "\xC3\xA9\xC3\xA9", (const int32_t[]){1, 4, 0}, 3);
    CHECK_OK(sc_tok_decode(t, (const int32_t[]){1, 8, 6, 3}, 4, true, &text, &err), &err);
    assert_string_equal(sc_buf_text(&text), "ab\n");
    assert_int_equal(sc_tok_eos(t), 2);
}

TEST(reads_a_sentencepiece_unigram_model)
{
    UNUSED;
    SC_AUTO(sc_buf) file = sc_buf_init(10000);
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    make_spm(&file, 1);
    CHECK_OK(sc_tok_parse_spm(file.p, file.n, &t, &err), &err);
    // ▁ + ab costs 2.5, ▁a + b costs 4.2.
    check_ids(t, "ab", (const int32_t[]){4, 7, 2}, 3);
}

TEST(refuses_every_truncation_of_a_sentencepiece_model)
{
    UNUSED;
    SC_AUTO(sc_buf) file = sc_buf_init(10000);
    make_spm(&file, 2);
    unsigned refused = 0;
    for (size_t n = 0; n < file.n; n++) {
        char *copy = malloc(n ? n : 1);
        CHECK(copy != NULL);
        memcpy(copy, file.p, n);
        SC_AUTO(sc_tok) *t = NULL;
        sc_err err = {0};
        // A file that ends between two messages is a shorter model.
        const sc_code code = sc_tok_parse_spm(copy, n, &t, &err);
        CHECK(code == SC_OK ? t != NULL : !t);
        CHECK(code == SC_OK || code == SC_E_FORMAT || code == SC_E_LIMIT);
        refused += code != SC_OK;
        free(copy);
    }
    CHECK(refused + 14 > file.n);
}

TEST(refuses_lengths_that_wrap_in_a_sentencepiece_model)
{
    UNUSED;
    static const char wrap[] = "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01xx";
    static const char endless[] = "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    CHECK_CODE(SC_E_FORMAT, sc_tok_parse_spm(wrap, sizeof wrap - 1, &t, &err), &err);
    CHECK_CODE(SC_E_FORMAT, sc_tok_parse_spm(endless, sizeof endless - 1, &t, &err), &err);
    CHECK(err.at <= sizeof endless);
}

TEST(a_sentencepiece_model_survives_every_failed_allocation)
{
    UNUSED;
    SC_AUTO(sc_buf) file = sc_buf_init(10000);
    make_spm(&file, 1);
    uint64_t n = sc_alloc_count();
    sc_err err = {0};
    SC_AUTO(sc_tok) *good = NULL;
    CHECK_OK(sc_tok_parse_spm(file.p, file.n, &good, &err), &err);
    n = sc_alloc_count() - n;
    CHECK(n > 10);
    for (uint64_t nth = 1; nth <= n; nth++) {
        SC_AUTO(sc_tok) *t = NULL;
        sc_alloc_fail_at((long)nth);
        const sc_code code = sc_tok_parse_spm(file.p, file.n, &t, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? t != NULL : !t);
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %u: %s", (unsigned)nth, err.msg);
    }
}

static char folder[SCRATCH];

static void write_in(const char *name, const char *text)
{
    sc_err err = {0};
    char *path = sc_path_join(folder, name);
    CHECK(path != NULL);
    CHECK_OK(sc_file_write(path, sc_str_c(text), &err), &err);
    sc_free(path);
}

static void remove_in(const char *name)
{
    char *path = sc_path_join(folder, name);
    CHECK(path != NULL && unlink(path) == 0);
    sc_free(path);
}

TEST(reads_a_folder_with_vocabulary_and_merges)
{
    UNUSED;
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    write_in("vocab.json", "{\"a\":0,\"b\":1,\"ab\":2,\"<|endoftext|>\":3,\"\\u0120\":4}");
    write_in("merges.txt", "#version: 0.2\na b\n");
    write_in("added_tokens.json", "{\"  \": 6, \"   \": 5}");
    write_in("tokenizer_config.json",
             "{\"eos_token\":{\"content\":\"<|endoftext|>\"},\"chat_template\":\"{{x}}\","
             "\"clean_up_tokenization_spaces\":true}");
    CHECK_OK(sc_tok_open(folder, &t, &err), &err);
    check_ids(t, "ab   a  b a<|endoftext|>", (const int32_t[]){2, 5, 0, 6, 1, 4, 0, 3}, 8);
    assert_int_equal(sc_tok_eos(t), 3);
    assert_string_equal(sc_tok_chat_template(t), "{{x}}");
    CHECK(sc_tok_wants_clean_up(t));
    size_t n = 0;
    CHECK(sc_tok_stops(t, &n)[0] == 3 && n == 1);
    remove_in("vocab.json");
    remove_in("merges.txt");
    remove_in("added_tokens.json");
    remove_in("tokenizer_config.json");
}

/* Opening the folder, with each allocation failing once. */
static void check_failed_allocations(void)
{
    sc_err err = {0};
    SC_AUTO(sc_tok) *good = NULL;
    uint64_t n = sc_alloc_count();
    CHECK_OK(sc_tok_open(folder, &good, &err), &err);
    n = sc_alloc_count() - n;
    CHECK(n > 50);
    for (uint64_t nth = 1; nth <= n; nth++) {
        SC_AUTO(sc_tok) *t = NULL;
        sc_alloc_fail_at((long)nth);
        const sc_code code = sc_tok_open(folder, &t, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? t && sc_tok_size(t) == sc_tok_size(good) : !t);
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %u: %s", (unsigned)nth, err.msg);
    }
}

TEST(tokens_beside_an_older_vocabulary_keep_their_flags)
{
    UNUSED;
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    write_in("vocab.json", "{\"a\":0,\"b\":1,\"e\\u0301\":2,\"\u00c3\u00a9\":3,\"\u00c3\":4,"
                           "\"\u00a9\":5,\"1\":6,\"11\":7}");
    write_in("merges.txt", "#version: 0.2\r\n\u00c3 \u00a9\r\n1 1\r\n");
    write_in("added_tokens.json", "{\"<t>\":8,\"<i>\":9}");
    write_in("special_tokens_map.json",
             "{\"bos_token\":\"a\",\"eos_token\":\"<nowhere>\","
             "\"additional_special_tokens\":[\"<i>\",{\"content\":\"<gone>\"}]}");
    write_in(
        "tokenizer_config.json",
        "{\"tokenizer_class\":\"Qwen2Tokenizer\",\"added_tokens_decoder\":{\"8\":{\"content\":"
        "\"<t>\",\"lstrip\":true,\"special\":false,\"normalized\":false}},\"eos_token\":\"<i>\"}");
    CHECK_OK(sc_tok_open(folder, &t, &err), &err);
    // Qwen2 composes characters and lets no two digits stand together.
    check_ids(t,
              "e\xCC\x81"
              "11  <t><i>",
              (const int32_t[]){3, 6, 6, 8, 9}, 5);
    CHECK(sc_tok_is_special(t, 9) && sc_tok_is_special(t, 0) && !sc_tok_is_special(t, 8));
    CHECK(sc_tok_is_added(t, 8) && !sc_tok_is_added(t, 1));
    assert_int_equal(sc_tok_bos(t), 0);
    assert_int_equal(sc_tok_eos(t), 9);
    assert_int_equal(sc_tok_size(t), 10);
    check_failed_allocations();
    write_in("added_tokens.json", "{\"<t>\":\"8\"}");
    SC_AUTO(sc_tok) *bad = NULL;
    CHECK_CODE(SC_E_FORMAT, sc_tok_open(folder, &bad, &err), &err);
    CHECK(strstr(err.msg, "added_tokens.json") && strstr(err.msg, "<t>"));
    remove_in("vocab.json");
    remove_in("merges.txt");
    remove_in("added_tokens.json");
    remove_in("special_tokens_map.json");
    remove_in("tokenizer_config.json");
}

TEST(a_sentencepiece_model_gets_the_tokens_beside_it)
{
    UNUSED;
    SC_AUTO(sc_buf) file = sc_buf_init(10000);
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    make_spm(&file, 2);
    SC_AUTO(char) *path = sc_path_join(folder, "tokenizer.model");
    CHECK(path);
    CHECK_OK(sc_file_write(path, sc_buf_str(&file), &err), &err);
    write_in("added_tokens.json", "{\"<|end|>\":11,\"<|user|>\":10}");
    write_in("tokenizer_config.json",
             "{\"tokenizer_class\":\"LlamaTokenizer\",\"add_bos_token\":false,"
             "\"eos_token\":\"<|end|>\",\"pad_token\":\"zz\"}");
    CHECK_OK(sc_tok_open(folder, &t, &err), &err);
    check_ids(t, "<|user|>ab<|end|>", (const int32_t[]){10, 8, 6, 11}, 4);
    CHECK(sc_tok_is_special(t, 11) && !sc_tok_is_special(t, 10));
    assert_int_equal(sc_tok_eos(t), 11);
    check_failed_allocations();
    remove_in("tokenizer.model");
    remove_in("added_tokens.json");
    remove_in("tokenizer_config.json");
}

TEST(finds_the_tokenizer_beside_a_model)
{
    UNUSED;
    sc_err err = {0};
    char *found = NULL;
    char *model = sc_path_join(folder, "model.pt");
    CHECK(model != NULL);
    write_in("model.pt", "PK\x03\x04weights");
    CHECK_CODE(SC_E_NOTFOUND, sc_tok_find_beside(model, &found, &err), &err);
    CHECK(strstr(err.msg, "tokenizer.json") != NULL);
    write_in("tokenizer.json", "{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"x\",\"vocab\":"
                               "{\"x\":0}}}");
    CHECK_OK(sc_tok_find_beside(model, &found, &err), &err);
    CHECK(strcmp(sc_path_base(found), "tokenizer.json") == 0);
    sc_free(found);
    SC_AUTO(sc_tok) *t = NULL;
    CHECK_OK(sc_tok_open(model, &t, &err), &err); // the weights stand for the tokenizer beside them
    assert_string_equal(sc_tok_kind(t), "WordLevel");
    remove_in("tokenizer.json");
    remove_in("model.pt");
    sc_free(model);
}

TEST(a_configuration_may_add_bos)
{
    UNUSED;
    static const char json[] =
        "{\"added_tokens\":[{\"id\":1,\"content\":\"<s>\",\"special\":true}],\"model\":{\"type\":"
        "\"WordLevel\",\"unk_token\":\"x\",\"vocab\":{\"x\":0}}}";
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    write_in("tokenizer.json", json);
    write_in("tokenizer_config.json", "{\"tokenizer_class\":\"LlamaTokenizerFast\",\"bos_token\":"
                                      "\"<s>\",\"add_bos_token\":true}");
    CHECK_OK(sc_tok_open(folder, &t, &err), &err);
    check_ids(t, "x", (const int32_t[]){1, 0}, 2);
    assert_int_equal(sc_tok_bos(t), 1);
    write_in("tokenizer_config.json", "{\"add_bos_token\": tru");
    SC_AUTO(sc_tok) *bad = NULL;
    CHECK_CODE(SC_E_FORMAT, sc_tok_open(folder, &bad, &err), &err);
    CHECK(strstr(err.msg, "tokenizer_config.json") != NULL);
    remove_in("tokenizer.json");
    remove_in("tokenizer_config.json");
}

TEST(names_a_missing_file)
{
    UNUSED;
    SC_AUTO(sc_tok) *t = NULL;
    sc_err err = {0};
    CHECK_CODE(SC_E_IO, sc_tok_open("no/such/tokenizer.json", &t, &err), &err);
    CHECK(strstr(err.msg, "no/such/tokenizer.json") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reads_a_sentencepiece_bpe_model),
        T(reads_a_sentencepiece_unigram_model),
        T(refuses_every_truncation_of_a_sentencepiece_model),
        T(refuses_lengths_that_wrap_in_a_sentencepiece_model),
        T(a_sentencepiece_model_survives_every_failed_allocation),
        T(reads_a_folder_with_vocabulary_and_merges),
        T(tokens_beside_an_older_vocabulary_keep_their_flags),
        T(a_sentencepiece_model_gets_the_tokens_beside_it),
        T(finds_the_tokenizer_beside_a_model),
        T(a_configuration_may_add_bos),
        T(names_a_missing_file),
    };
    sc_json_setup();
    if (!mkdtemp(scratch_path(folder)))
        return 1;
    const int code = RUN_TESTS(tests);
    (void)rmdir(folder); // a failed test leaves its files
    return code;
}
