// SPDX-License-Identifier: MIT
/* Vocabularies inside GGUF files: ids of llama.cpp. */
#include "fmt/gguf.h"
#include "golden.h"
#include "t.h"

static const char *data_dir(void)
{
    const char *env = getenv("SC_DATA");
    return env ? env : "../shared/data";
}

/* The next text of an .inp file: they are joined by a line. */
static bool next_text(sc_str *all, sc_str *out)
{
    static const char between[] = "\n__ggml_vocab_test__\n";
    if (!all->n)
        return false;
    const char *hit = memmem(all->p, all->n, between, sizeof between - 1);
    *out = (sc_str){all->p, hit ? (size_t)(hit - all->p) : all->n};
    *all = sc_str_skip(*all, out->n + sizeof between - 1);
    return true;
}

/* The next line of an .out file: ids between spaces. */
static void next_ids(sc_str *all, sc_ids *out)
{
    int32_t id = -1;
    out->n = 0;
    while (all->n) {
        const char c = all->p[0];
        *all = sc_str_skip(*all, 1);
        if (c >= '0' && c <= '9') {
            id = (id < 0 ? 0 : id * 10) + (c - '0');
            continue;
        }
        if (id >= 0)
            CHECK(sc_ids_add(out, id));
        id = -1;
        if (c == '\n')
            return;
    }
}

static void check_vectors(tally *k, const char *stem)
{
    SC_AUTO(sc_buf) texts = sc_buf_init(1 << 24);
    SC_AUTO(sc_buf) lists = sc_buf_init(1 << 24);
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) want = {0};
    char path[8192];
    sc_err err = {0};
    CHECK_OK(sc_tok_open(stem, &t, &err), &err);
    (void)snprintf(path, sizeof path, "%s.inp", stem);
    CHECK(read_golden(path, &texts));
    (void)snprintf(path, sizeof path, "%s.out", stem);
    CHECK(read_golden(path, &lists));
    sc_str all = sc_buf_str(&texts);
    sc_str lines = sc_buf_str(&lists);
    for (sc_str text; next_text(&all, &text);) {
        SC_AUTO(sc_ids) got = {0};
        SC_AUTO(sc_buf) back = sc_buf_init(1 << 20);
        next_ids(&lines, &want);
        CHECK_OK(sc_tok_encode(t, text, 0, &got, &err), &err);
        const bool same =
            got.n == want.n && (!got.n || !memcmp(got.p, want.p, got.n * sizeof *got.p));
        if (count(k, same)) {
            printf("# %s: got %zu ids, want %zu\n", stem, got.n, want.n);
            show("text", text);
        }
        CHECK_OK(sc_tok_decode(t, got.p, got.n, false, &back, &err), &err);
        if (!sc_str_eq(sc_buf_str(&back), text)) {
            show("text", text);
            show("back", sc_buf_str(&back));
            fail_msg("%s: a text does not come back", stem);
        }
    }
}

TEST(vocabularies_give_llama_cpp_s_ids)
{
    UNUSED;
    char dir[4100];
    (void)snprintf(dir, sizeof dir, "%s/tokenizers", data_dir());
    DIR *d = opendir(dir);
    if (!d)
        SKIP("data", "no GGUF vocabularies");
    unsigned n = 0;
    tally k = {"ids", 0, 0};
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char stem[4400];
        if (!sc_str_ends(sc_str_c(e->d_name), SC_STR(".gguf")))
            continue;
        (void)snprintf(stem, sizeof stem, "%s/%s", dir, e->d_name);
        check_vectors(&k, stem);
        n++;
    }
    (void)closedir(d); // opened for reading
    printf("# %u vocabularies: %u equal, %u different\n", n, k.good, k.bad);
    CHECK(k.good > 0);
    assert_int_equal(k.bad, 0);
}

/* The prompt of the original's task `name`, or an empty text. */
static sc_str prompt_of(const json_t *seed, const char *name)
{
    static const char *const lists[] = {"tasks", "challenges", "core", "challenge_tasks"};
    for (size_t i = 0; i < SC_LEN(lists); i++) {
        const json_t *list = json_object_get(seed, lists[i]);
        for (size_t k = 0; k < json_array_size(list); k++)
            if (sc_str_is(sc_json_str(json_object_get(json_array_get(list, k), "name")), name))
                return sc_json_str(json_object_get(json_array_get(list, k), "prompt"));
    }
    return (sc_str){"", 0};
}

TEST(the_real_model_s_prompts_have_the_reference_s_ids)
{
    UNUSED;
    const char *env = getenv("SC_GOLDENS");
    char path[8192];
    sc_err err = {0};
    SC_AUTO_JSON *real = NULL;
    SC_AUTO_JSON *seed = NULL;
    (void)snprintf(path, sizeof path, "%s/real/smollm2.json", env ? env : "../shared/goldens");
    if (!sc_file_is_file(path))
        SKIP("goldens", "no real model's goldens");
    CHECK_OK(sc_json_read(path, 1 << 26, &real, &err), &err);
    (void)snprintf(path, sizeof path, "%s/seed/tasks.json", env ? env : "../shared/goldens");
    CHECK_OK(sc_json_read(path, 1 << 26, &seed, &err), &err);
    (void)snprintf(path, sizeof path, "%s/models/%s", data_dir(),
                   json_string_value(json_object_get(real, "model")));
    if (!sc_file_is_file(path))
        SKIP("data", "no real model");
    SC_AUTO(sc_tok) *t = NULL;
    CHECK_OK(sc_tok_open(path, &t, &err), &err);
    tally k = {"prompt", 0, 0};
    tally texts = {"text", 0, 0};
    const json_t *tasks = json_object_get(real, "tasks");
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        const json_t *task = json_array_get(tasks, i);
        SC_AUTO(sc_ids) got = {0};
        SC_AUTO(sc_buf) back = sc_buf_init(1 << 20);
        const char *name = json_string_value(json_object_get(task, "name"));
        const sc_str prompt = prompt_of(seed, name);
        const json_t *want = json_object_get(task, "prompt_ids");
        ids_of(json_object_get(task, "token_ids"), &got);
        CHECK_OK(sc_tok_decode(t, got.p, got.n, false, &back, &err), &err);
        if (count(&texts,
                  sc_str_eq(sc_buf_str(&back), sc_json_str(json_object_get(task, "text"))))) {
            show("got ", sc_buf_str(&back));
            show("want", sc_json_str(json_object_get(task, "text")));
        }
        if (!prompt.n)
            continue; // of another suite
        got.n = 0;
        CHECK_OK(sc_tok_encode(t, prompt, 0, &got, &err), &err);
        if (count(&k, same_ids(&got, want)))
            show_ids(name, &got, want);
    }
    printf("# prompts: %u equal, %u different; texts: %u equal, %u different\n", k.good, k.bad,
           texts.good, texts.bad);
    CHECK(k.good > 0);
    assert_int_equal(k.bad + texts.bad, 0);
    assert_int_equal(sc_tok_size(t), 49152);
    assert_int_equal(sc_tok_eos(t), 2);
    CHECK(sc_tok_chat_template(t) != NULL);
    CHECK(sc_str_is(sc_tok_text(t, 1), "<|im_start|>"));
    CHECK(sc_tok_is_special(t, 1));
}

static void put_u64(sc_buf *out, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sc_buf_add_char(out, (char)(v >> (8 * i) & 0xFF));
}

static void put_str(sc_buf *out, const char *s)
{
    put_u64(out, strlen(s), 8);
    sc_buf_add_c(out, s);
}

static void put_key(sc_buf *out, const char *key, const char *value)
{
    put_str(out, key);
    put_u64(out, SC_GGUF_STR, 4);
    put_str(out, value);
}

static void put_list(sc_buf *out, const char *key, const char *const *list, size_t n)
{
    put_str(out, key);
    put_u64(out, SC_GGUF_ARRAY, 4);
    put_u64(out, SC_GGUF_STR, 4);
    put_u64(out, n, 8);
    for (size_t i = 0; i < n; i++)
        put_str(out, list[i]);
}

/* Opens a vocabulary of three tokens with that `pre` and one merge. */
static sc_code open_tiny(const char *model, const char *pre, const char *merge, sc_tok **out,
                         sc_err *err)
{
    static const char *const tokens[] = {"a", "b", "ab"};
    SC_AUTO(sc_buf) file = sc_buf_init(10000);
    sc_buf_add_c(&file, "GGUF");
    put_u64(&file, 3, 4);
    put_u64(&file, 0, 8); // tensors
    put_u64(&file, 5, 8); // keys
    put_key(&file, "general.architecture", "llama");
    put_key(&file, "tokenizer.ggml.model", model);
    put_key(&file, "tokenizer.ggml.pre", pre);
    put_list(&file, "tokenizer.ggml.tokens", tokens, SC_LEN(tokens));
    put_list(&file, "tokenizer.ggml.merges", &merge, 1);
    while (file.n % 32)
        sc_buf_add_char(&file, '\0');
    SC_AUTO(sc_gguf) *g = NULL;
    CHECK_OK(sc_gguf_parse(sc_buf_text(&file), file.n, &g, err), err);
    return sc_tok_open_gguf(g, out, err);
}

TEST(every_known_family_opens_and_an_unknown_one_lists_them)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_tok) *none = NULL;
    CHECK_CODE(SC_E_UNSUPPORTED, open_tiny("gpt2", "martian", "a b", &none, &err), &err);
    const char *list = strstr(err.msg, "known are ");
    CHECK(list && strstr(err.msg, "martian"));
    char names[SC_ERR_MSG_SIZE];
    (void)snprintf(names, sizeof names, "%s", list + strlen("known are "));
    unsigned n = 0;
    char *rest = names;
    for (char *name; (name = strsep(&rest, ",")) != NULL; n++) {
        SC_AUTO(sc_tok) *t = NULL;
        SC_AUTO(sc_ids) ids = {0};
        name += *name == ' ';
        CHECK_OK(open_tiny("gpt2", name, "a b", &t, &err), &err);
        CHECK_OK(sc_tok_encode(t, SC_STR("aab"), 0, &ids, &err), &err);
        CHECK(ids.n == 2 && ids.p[0] == 0 && ids.p[1] == 2);
    }
    CHECK(n > 40);
}

TEST(refuses_a_vocabulary_that_makes_no_sense)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_tok) *t = NULL;
    CHECK_CODE(SC_E_FORMAT, open_tiny("gpt2", "gpt-2", "a x", &t, &err), &err);
    CHECK(strstr(err.msg, "merge 0") != NULL);
    CHECK_CODE(SC_E_FORMAT, open_tiny("gpt2", "gpt-2", "ab", &t, &err), &err);
    CHECK_CODE(SC_E_UNSUPPORTED, open_tiny("rwkv", "gpt-2", "a b", &t, &err), &err);
    CHECK(strstr(err.msg, "rwkv") != NULL);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(vocabularies_give_llama_cpp_s_ids),
        T(the_real_model_s_prompts_have_the_reference_s_ids),
        T(every_known_family_opens_and_an_unknown_one_lists_them),
        T(refuses_a_vocabulary_that_makes_no_sense),
    };
    return RUN_TESTS(tests);
}
