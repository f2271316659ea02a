/*
 * models convert: what is written is the model. Every golden model is converted and computes what
 * its source computes; every golden tokenizer gives its own ids out of the file.
 */
// SPDX-License-Identifier: MIT
#include "goldens.h"

#include "../tok/golden.h"
#include "base/file.h"
#include "model/export.h"

#include <math.h>
#include <unistd.h>

/* A name in the build's temporary folder that only this process uses. */
static const char *temp_file(const char *name)
{
    static char path[512];
    const char *dir = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/scbench-test-%ld-%s", dir ? dir : "/tmp", (long)getpid(),
                   name);
    return path;
}

static sc_code open_exact(const char *path, sc_model **m, sc_err *err)
{
    const sc_model_opts opts = {
        .threads = 1, .compute = SC_COMPUTE_F32, .max_seqs = 2, .kv_size = 64u << 20};
    return sc_model_open(path, &opts, m, err);
}

/* The largest difference of the logits over the ids of the goldens, as far as both contexts go. */
static double differ(const golden_case *c, const char *made)
{
    sc_err err = {0};
    SC_AUTO(sc_weights) *w = NULL;
    SC_AUTO(sc_model) *a = NULL;
    SC_AUTO(sc_model) *b = NULL;
    CHECK_OK(sc_weights_open(c->expected, &w, &err), &err);
    CHECK_OK(open_exact(c->model, &a, &err), &err);
    CHECK_OK(open_exact(made, &b, &err), &err);
    const size_t vocab = sc_model_config(a)->vocab;
    CHECK(sc_model_config(b)->vocab == vocab);
    double worst = 0;
    unsigned passes = 0;
    for (unsigned i = 0; i < 64; i++) {
        size_t n = 0;
        const int64_t *ids = golden_i64(w, "ids", i, &n);
        if (!ids)
            break;
        n = n < sc_model_config(b)->ctx ? n : sc_model_config(b)->ctx;
        float *x = sc_alloc(n * vocab, sizeof *x);
        float *y = sc_alloc(n * vocab, sizeof *y);
        CHECK(x && y);
        CHECK_OK(golden_feed(a, ids, n, 512, x, &err), &err);
        CHECK_OK(golden_feed(b, ids, n, 512, y, &err), &err);
        for (size_t j = 0; j < n * vocab; j++) {
            const double diff = fabs((double)x[j] - (double)y[j]);
            worst = !(diff <= worst) ? diff : worst; // NaN stays
        }
        sc_free(x);
        sc_free(y);
        passes++;
    }
    CHECK(passes > 0);
    return worst;
}

static sc_export_opts ids_only(sc_dtype type)
{
    return (sc_export_opts){.type = type, .no_vocab = true, .force = true, .threads = 1};
}

TEST(a_converted_model_computes_what_its_source_computes)
{
    UNUSED;
    if (!golden_dir())
        SKIP("goldens", "SC_GOLDENS is not there");
    golden_list list = {0};
    golden_list_read(&list, golden_dir());
    CHECK(list.n > 0);
    const sc_export_opts opts = ids_only(SC_F32);
    const char *out = temp_file("model.gguf");
    size_t converted = 0, refused = 0, bad = 0;
    for (size_t i = 0; i < list.n; i++) {
        sc_err err = {0};
        sc_export_report r = {0};
        const sc_code code = sc_export_gguf(list.at[i].model, out, &opts, &r, &err);
        if (code == SC_E_UNSUPPORTED && strstr(err.msg, "llama.cpp does not do ")) {
            printf("# refused: %s\n", err.msg);
            CHECK(access(out, F_OK) != 0);
            refused++;
            continue;
        }
        CHECK_OK(code, &err);
        const double worst = differ(&list.at[i], out);
        if (!(worst <= (r.gelu ? 5e-3 : 1e-4))) {
            printf("# %s: off by %.3g\n", list.at[i].model, worst);
            bad++;
        }
        CHECK(unlink(out) == 0);
        converted++;
    }
    printf("# %zu converted, %zu refused\n", converted, refused);
    CHECK(bad == 0 && converted > 10 * refused);
    golden_list_drop(&list);
}

/* Whether both give the same ids for every text. */
static void compare_ids(tally *k, const char *what, const sc_tok *want, const sc_tok *got,
                        unsigned flags, sc_str texts)
{
    sc_err err = {0};
    for (json_t *line; (line = next_line(&texts)); json_decref(line)) {
        SC_AUTO(sc_ids) a = {0};
        SC_AUTO(sc_ids) b = {0};
        const sc_str text = sc_json_str(json_object_get(line, "text"));
        CHECK_OK(sc_tok_encode(want, text, flags, &a, &err), &err);
        CHECK_OK(sc_tok_encode(got, text, flags, &b, &err), &err);
        if (count(k, a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n * sizeof *a.p) == 0)))
            show(what, text);
    }
}

/* The tokenizer at `path`, written as GGUF values and read back. */
static sc_tok *through_gguf(const char *path, size_t n_tokens, sc_export_vocab_report *r)
{
    sc_err err = {0};
    const sc_config c = {.vocab = (uint32_t)n_tokens + 7, .bos = -1}; // more rows than tokens
    SC_AUTO(sc_gguf_writer) *w = NULL;
    SC_AUTO(sc_gguf) *g = NULL;
    SC_AUTO(sc_buf) head = sc_buf_init(1 << 28);
    sc_tok *got = NULL;
    CHECK_OK(sc_gguf_writer_new(&w, &err), &err);
    CHECK_OK(sc_export_vocab(w, path, &c, r, &err), &err);
    CHECK_OK(sc_gguf_writer_head(w, &head, &err), &err);
    CHECK_OK(sc_gguf_parse(sc_buf_text(&head), head.n, &g, &err), &err);
    CHECK_OK(sc_tok_open_gguf(g, &got, &err), &err);
    return got;
}

/* One of the golden tokenizers: into a file of its own, and back out of the GGUF values. */
static void check_vocab(tally *k, const char *path, unsigned flags, sc_str texts)
{
    SC_AUTO(sc_buf) json = sc_buf_init(1 << 26);
    sc_err err = {0};
    CHECK(read_golden(path, &json));
    char file[512];
    (void)snprintf(file, sizeof file, "%s", temp_file("tokenizer.json"));
    CHECK_OK(sc_file_write(file, sc_buf_str(&json), &err), &err);
    SC_AUTO(sc_tok) *want = NULL;
    CHECK_OK(sc_tok_open(file, &want, &err), &err);
    sc_export_vocab_report r = {0};
    SC_AUTO(sc_tok) *got = through_gguf(file, sc_tok_size(want), &r);
    CHECK(unlink(file) == 0);
    if (r.pre)
        printf("# %s: nearest is %s: %zu of %zu\n", path, r.pre, r.n_differ, r.n_probe);
    compare_ids(k, path, want, got, flags, texts);
}

TEST(a_vocabulary_that_was_written_gives_the_tokenizers_own_ids)
{
    UNUSED;
    static const struct {
        const char *name;
        unsigned flags;
    } all[] = {
        {"gpt-2", SC_TOK_SPECIAL},
        {"codegen", SC_TOK_SPECIAL},
        {"starcoder", SC_TOK_SPECIAL},
        {"deepseek-coder", SC_TOK_SPECIAL},
        {"llama-spm", SC_TOK_SPECIAL},
        // Its special tokens are looked for in normalised text, which GGUF cannot say.
        {"codellama", SC_TOK_LITERAL},
    };
    const char *dir = goldens();
    if (!dir)
        SKIP("goldens", "SC_GOLDENS is not there");
    char path[8192];
    SC_AUTO(sc_buf) texts = sc_buf_init(1 << 24);
    (void)snprintf(path, sizeof path, "%s/torture.jsonl", dir);
    CHECK(read_golden(path, &texts));
    for (size_t i = 0; i < SC_LEN(all); i++) {
        tally k = {.what = all[i].name};
        (void)snprintf(path, sizeof path, "%s/%s.tokenizer.json", dir, all[i].name);
        check_vocab(&k, path, all[i].flags, sc_buf_str(&texts));
        printf("# %s: %u equal, %u not\n", k.what, k.good, k.bad);
        CHECK(k.good > 0);
        CHECK(k.bad == 0);
    }
}

/* Writes `text` as the file `name` of the folder `dir`, or removes that file when it is NULL. */
static void put_in(const char *dir, const char *name, const sc_str *text)
{
    sc_err err = {0};
    SC_AUTO(char) *path = sc_path_join(dir, name);
    CHECK(path);
    if (text)
        CHECK_OK(sc_file_write(path, *text, &err), &err);
    else
        (void)unlink(path);
}

static const char *const older_files[] = {"vocab.json", "merges.txt", "added_tokens.json",
                                          "tokenizer.model"};

/* What the tokenizer.json `doc` says, in the three files of before. */
static void write_merges(const char *dir, const json_t *doc)
{
    SC_AUTO(sc_buf) vocab = sc_buf_init(1 << 26);
    SC_AUTO(sc_buf) merges = sc_buf_init(1 << 26);
    SC_AUTO(sc_buf) added = sc_buf_init(1 << 26);
    SC_AUTO_JSON *map = json_object();
    const json_t *model = json_object_get(doc, "model");
    const json_t *list = json_object_get(model, "merges");
    sc_json_format(json_object_get(model, "vocab"), 0, &vocab);
    sc_buf_add_c(&merges, "#version: 0.2\n");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *m = json_array_get(list, i);
        if (json_is_array(m)) {
            sc_buf_add_str(&merges, sc_json_str(json_array_get(m, 0)));
            sc_buf_add_char(&merges, ' ');
            m = json_array_get(m, 1);
        }
        sc_buf_add_str(&merges, sc_json_str(m));
        sc_buf_add_char(&merges, '\n');
    }
    const json_t *tokens = json_object_get(doc, "added_tokens");
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *t = json_array_get(tokens, i);
        const char *text = json_string_value(json_object_get(t, "content"));
        if (!json_object_get(json_object_get(model, "vocab"), text))
            CHECK(json_object_set(map, text, json_object_get(t, "id")) == 0);
    }
    sc_json_format(map, 0, &added);
    put_in(dir, "vocab.json", &(sc_str){vocab.p, vocab.n});
    put_in(dir, "merges.txt", &(sc_str){merges.p, merges.n});
    put_in(dir, "added_tokens.json", &(sc_str){added.p, added.n});
}

/* A field of bytes in a protocol buffer. */
static void put_field(sc_buf *out, unsigned number, sc_str s)
{
    sc_buf_add_char(out, (char)(number << 3 | 2));
    size_t n = s.n;
    for (; n > 127; n >>= 7)
        sc_buf_add_char(out, (char)(n | 128));
    sc_buf_add_char(out, (char)n);
    sc_buf_add_str(out, s);
}

/* The same as a SentencePiece model. */
static void write_spm(const char *dir, const json_t *doc, const sc_tok *t)
{
    SC_AUTO(sc_buf) out = sc_buf_init(1 << 26);
    const json_t *list = json_object_get(json_object_get(doc, "model"), "merges");
    const size_t n = sc_tok_size(t);
    float *score = sc_alloc(n, sizeof *score);
    CHECK(score);
    for (size_t i = json_array_size(list); i-- > 0;) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s", json_string_value(json_array_get(list, i)));
        char *space = strchr(text + 1, ' ');
        memmove(space, space + 1, strlen(space));
        const int32_t id = sc_tok_find(t, sc_str_c(text));
        CHECK(id >= 0);
        score[id] = -(float)i;
    }
    for (size_t i = 0; i < n; i++) {
        SC_AUTO(sc_buf) one = sc_buf_init(1000);
        const sc_str text = sc_tok_text(t, (int32_t)i);
        const bool byte = text.n == 6 && sc_str_starts(text, SC_STR("<0x"));
        put_field(&one, 1, text);
        sc_buf_add_char(&one, 2 << 3 | 5);
        sc_buf_add(&one, &score[i], sizeof *score);
        sc_buf_add_char(&one, 3 << 3);
        sc_buf_add_char(&one, i == 0 ? 2 : byte ? 6 : sc_tok_is_special(t, (int32_t)i) ? 3 : 1);
        put_field(&out, 1, sc_buf_str(&one));
    }
    sc_free(score);
    put_field(&out, 2, (sc_str){(const char[]){3 << 3, 2}, 2});
    put_field(&out, 3, (sc_str){(const char[]){3 << 3, 1, 4 << 3, 0}, 4});
    put_in(dir, "tokenizer.model", &(sc_str){out.p, out.n});
}

TEST(folders_older_than_tokenizer_json_give_the_same_ids_and_are_converted)
{
    UNUSED;
    static const struct {
        const char *name;
        bool spm;
    } all[] = {{"gpt-2", false}, {"codegen", false}, {"llama-spm", true}};
    if (!goldens())
        SKIP("goldens", "SC_GOLDENS is not there");
    char path[8192], dir[512];
    SC_AUTO(sc_buf) texts = sc_buf_init(1 << 24);
    (void)snprintf(path, sizeof path, "%s/torture.jsonl", goldens());
    CHECK(read_golden(path, &texts));
    (void)snprintf(dir, sizeof dir, "%s", temp_file("older"));
    for (size_t i = 0; i < SC_LEN(all); i++) {
        sc_err err = {0};
        SC_AUTO(sc_buf) json = sc_buf_init(1 << 26);
        SC_AUTO_JSON *doc = NULL;
        SC_AUTO(sc_tok) *want = NULL;
        SC_AUTO(sc_tok) *direct = NULL;
        (void)snprintf(path, sizeof path, "%s/%s.tokenizer.json", goldens(), all[i].name);
        CHECK(read_golden(path, &json));
        CHECK_OK(sc_json_parse(sc_buf_str(&json), &doc, &err), &err);
        CHECK_OK(sc_tok_parse(json.p, json.n, &want, &err), &err);
        CHECK_OK(sc_file_make_dirs(dir, &err), &err);
        if (all[i].spm)
            write_spm(dir, doc, want);
        else
            write_merges(dir, doc);
        CHECK_OK(sc_tok_open(dir, &direct, &err), &err);
        sc_export_vocab_report r = {0};
        SC_AUTO(sc_tok) *got = through_gguf(dir, sc_tok_size(want), &r);
        CHECK(!r.pre);
        tally k = {.what = all[i].name};
        compare_ids(&k, "the folder", want, direct, SC_TOK_SPECIAL, sc_buf_str(&texts));
        compare_ids(&k, "what it became", want, got, SC_TOK_SPECIAL, sc_buf_str(&texts));
        CHECK(k.good > 300 && k.bad == 0);
        for (size_t f = 0; f < SC_LEN(older_files); f++)
            put_in(dir, older_files[f], NULL);
        CHECK(rmdir(dir) == 0);
    }
}

/* The first golden model called `name`, or a skip. */
static void model_called(const char *name, char out[GOLDEN_PATH])
{
    if (!golden_dir())
        SKIP("goldens", "SC_GOLDENS is not there");
    (void)snprintf(out, GOLDEN_PATH, "%s/models/%s", golden_dir(), name);
    if (!sc_file_is_dir(out))
        SKIP("goldens", name);
}

TEST(replaces_a_file_only_when_told_to)
{
    UNUSED;
    char in[GOLDEN_PATH];
    model_called("llama", in);
    sc_err err = {0};
    sc_export_report r = {0};
    sc_export_opts opts = ids_only(SC_F16);
    const char *out = temp_file("there.gguf");
    CHECK_OK(sc_file_write(out, SC_STR("mine"), &err), &err);
    opts.force = false;
    CHECK_CODE(SC_E_USAGE, sc_export_gguf(in, out, &opts, &r, &err), &err);
    CHECK(strstr(err.msg, "--force"));
    SC_AUTO(sc_buf) now = sc_buf_init(1 << 26);
    CHECK_OK(sc_file_read(out, 1 << 26, &now, &err), &err);
    CHECK(sc_str_is(sc_buf_str(&now), "mine"));
    opts.force = true;
    CHECK_OK(sc_export_gguf(in, out, &opts, &r, &err), &err);
    CHECK_OK(sc_file_read(out, 1 << 26, &now, &err), &err);
    CHECK(sc_str_starts(sc_buf_str(&now), SC_STR("GGUF")));
    CHECK(unlink(out) == 0);
}

TEST(the_same_file_whatever_the_number_of_threads)
{
    UNUSED;
    char in[GOLDEN_PATH];
    model_called("llama", in);
    SC_AUTO(sc_buf) first = sc_buf_init(1 << 26);
    SC_AUTO(sc_buf) now = sc_buf_init(1 << 26);
    const char *out = temp_file("threads.gguf");
    for (unsigned threads = 1; threads <= 3; threads++) {
        sc_err err = {0};
        sc_export_report r = {0};
        sc_export_opts opts = ids_only(SC_Q8_0);
        opts.threads = threads;
        CHECK_OK(sc_export_gguf(in, out, &opts, &r, &err), &err);
        CHECK_OK(sc_file_read(out, 1 << 26, threads == 1 ? &first : &now, &err), &err);
        CHECK(threads == 1 || sc_str_eq(sc_buf_str(&first), sc_buf_str(&now)));
    }
    CHECK(unlink(out) == 0);
}

/* A copy of the model `in` whose last tensor has one value that is no number. */
static void spoil(const char *in, const char *dir)
{
    sc_err err = {0};
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 26);
    char path[2 * GOLDEN_PATH];
    static const char *const names[] = {"config.json", "model.safetensors"};
    CHECK_OK(sc_file_make_dirs(dir, &err), &err);
    for (size_t i = 0; i < SC_LEN(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", in, names[i]);
        CHECK_OK(sc_file_read(path, 1 << 26, &bytes, &err), &err);
        SC_AUTO(char) *p = sc_strndup(sc_buf_text(&bytes), bytes.n);
        CHECK(p);
        if (i == 1)
            memset(p + bytes.n - 4, 0xff, 4);
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        CHECK_OK(sc_file_write(path, (sc_str){p, bytes.n}, &err), &err);
    }
}

TEST(a_value_that_is_no_number_is_refused_and_nothing_is_left_behind)
{
    UNUSED;
    char in[GOLDEN_PATH], dir[512], path[1024];
    model_called("llama", in);
    (void)snprintf(dir, sizeof dir, "%s", temp_file("spoilt"));
    spoil(in, dir);
    sc_err err = {0};
    sc_export_report r = {0};
    const sc_export_opts opts = ids_only(SC_Q8_0);
    const char *out = temp_file("spoilt.gguf");
    CHECK_CODE(SC_E_FORMAT, sc_export_gguf(dir, out, &opts, &r, &err), &err);
    CHECK(strstr(err.msg, "tensor ") && strstr(err.msg, "no number"));
    CHECK(access(out, F_OK) != 0);
    (void)snprintf(path, sizeof path, "%s.tmp-%ld", out, (long)getpid());
    CHECK(access(path, F_OK) != 0);
    (void)snprintf(path, sizeof path, "%s/config.json", dir);
    CHECK(unlink(path) == 0);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", dir);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    char in[GOLDEN_PATH];
    model_called("llama", in);
    const sc_export_opts opts = ids_only(SC_Q8_0);
    const char *out = temp_file("nomem.gguf");
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        sc_export_report r = {0};
        sc_alloc_fail_at(++nth);
        code = sc_export_gguf(in, out, &opts, &r, &err);
        sc_alloc_fail_at(0);
        if (code != SC_OK) {
            CHECK_CODE(SC_E_NOMEM, code, &err);
            CHECK(access(out, F_OK) != 0);
        }
    }
    CHECK(nth > 20 && unlink(out) == 0);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(a_converted_model_computes_what_its_source_computes),
        T(a_vocabulary_that_was_written_gives_the_tokenizers_own_ids),
        T(folders_older_than_tokenizer_json_give_the_same_ids_and_are_converted),
        T(replaces_a_file_only_when_told_to),
        T(the_same_file_whatever_the_number_of_threads),
        T(a_value_that_is_no_number_is_refused_and_nothing_is_left_behind),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
