// SPDX-License-Identifier: MIT
#include "goldens.h"

#include "base/file.h"

#include <dirent.h>

const char *golden_dir(void)
{
    const char *dir = getenv("SC_GOLDENS");
    return dir && sc_file_is_dir(dir) ? dir : NULL;
}

static bool ends(const char *s, const char *with)
{
    return sc_str_ends(sc_str_c(s), sc_str_c(with));
}

static void add(golden_list *l, const char *model, const char *expected)
{
    CHECK(sc_grow(&l->at, &l->cap, l->n, 4096, sizeof *l->at));
    golden_case *c = &l->at[l->n++];
    CHECK(snprintf(c->model, sizeof c->model, "%s", model) < GOLDEN_PATH);
    CHECK(snprintf(c->expected, sizeof c->expected, "%s", expected) < GOLDEN_PATH);
}

/*
 * The expected file of `stem`: stem + `suffix`, or that of the name before one of its last dashes
 * ("llama-bin-sharded" holds the weights of "llama").
 */
static bool expected_of(const char *stem, const char *suffix, char out[GOLDEN_PATH])
{
    char name[GOLDEN_PATH];
    (void)snprintf(name, sizeof name, "%s", stem); // short
    for (;;) {
        CHECK(snprintf(out, GOLDEN_PATH, "%s%s", name, suffix) < GOLDEN_PATH);
        if (sc_file_is_file(out))
            return true;
        char *dash = strrchr(name, '-');
        if (!dash || strchr(dash, '/'))
            return false;
        *dash = 0;
    }
}

static int by_model(const void *a, const void *b)
{
    return strcmp(((const golden_case *)a)->model, ((const golden_case *)b)->model);
}

/* Calls fn for each entry of a folder with its path. */
static void each_entry(golden_list *l, const char *dir, const char *models,
                       void (*fn)(golden_list *, const char *path, const char *models))
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (const struct dirent *e = NULL; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        char path[GOLDEN_PATH];
        CHECK(snprintf(path, sizeof path, "%s/%s", dir, e->d_name) < GOLDEN_PATH);
        fn(l, path, models);
    }
    (void)closedir(d); // opened for reading
}

static void add_checkpoint(golden_list *l, const char *path, const char *models)
{
    (void)models;
    char expected[GOLDEN_PATH], stem[GOLDEN_PATH];
    if (!ends(path, ".pt"))
        return;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)strlen(path) - 3, path); // fits
    if (expected_of(stem, ".expected.safetensors", expected))
        add(l, path, expected);
}

static void add_folder(golden_list *l, const char *path, const char *models)
{
    char expected[GOLDEN_PATH], config[GOLDEN_PATH];
    CHECK(snprintf(config, sizeof config, "%s/config.json", path) < GOLDEN_PATH);
    if (!sc_file_is_file(config))
        each_entry(l, path, models, add_checkpoint);
    else if (expected_of(path, "/expected.safetensors", expected))
        add(l, path, expected);
}

static void add_gguf(golden_list *l, const char *path, const char *models)
{
    char expected[GOLDEN_PATH], stem[GOLDEN_PATH];
    if (!ends(path, ".gguf"))
        return;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)strlen(path) - 5, path); // fits
    if (models) // the same model as a folder says what it gives
        CHECK(snprintf(stem, sizeof stem, "%s/%.*s", models, (int)strlen(sc_path_base(path)) - 5,
                       sc_path_base(path)) < GOLDEN_PATH);
    if (expected_of(stem, models ? "/expected.safetensors" : ".expected.safetensors", expected))
        add(l, path, expected);
}

void golden_list_read(golden_list *l, const char *dir)
{
    char models[GOLDEN_PATH], path[GOLDEN_PATH];
    CHECK(snprintf(models, sizeof models, "%s/models", dir) < GOLDEN_PATH);
    each_entry(l, models, NULL, add_folder);
    CHECK(snprintf(path, sizeof path, "%s/gguf", dir) < GOLDEN_PATH);
    each_entry(l, path, models, add_gguf);
    CHECK(snprintf(path, sizeof path, "%s/gguf/types", dir) < GOLDEN_PATH);
    each_entry(l, path, NULL, add_gguf);
    if (l->n)
        qsort(l->at, l->n, sizeof *l->at, by_model);
}

void golden_list_drop(golden_list *l)
{
    sc_free(l->at);
    *l = (golden_list){0};
}

static const void *golden_tensor(sc_weights *w, const char *name, unsigned i, sc_dtype type,
                                 size_t *n)
{
    char full[64];
    (void)snprintf(full, sizeof full, "%s.%u", name, i); // short
    const sc_tensor *t = sc_weights_find(w, sc_str_c(full));
    if (!t)
        return NULL;
    CHECK(t->dtype == type);
    const void *data = NULL;
    sc_err err = {0};
    CHECK_OK(sc_weights_data(w, t, &data, &err), &err);
    *n = (size_t)t->count;
    return data;
}

const float *golden_f32(sc_weights *w, const char *name, unsigned i, size_t *n)
{
    return golden_tensor(w, name, i, SC_F32, n);
}

const int64_t *golden_i64(sc_weights *w, const char *name, unsigned i, size_t *n)
{
    return golden_tensor(w, name, i, SC_I64, n);
}

sc_code golden_feed(sc_model *m, const int64_t *ids, size_t n, size_t block, float *out,
                    sc_err *err)
{
    const size_t vocab = sc_model_config(m)->vocab;
    sc_seq seq = 0;
    SC_TRY(sc_model_seq_new(m, &seq, err));
    sc_model_seq_expect(m, seq, (uint32_t)n);
    sc_row rows[512];
    CHECK(block <= 512);
    for (size_t at = 0; at < n;) {
        size_t k = 0;
        for (; k < block && at + k < n; k++)
            rows[k] = (sc_row){seq, (int32_t)ids[at + k], true};
        SC_TRY(sc_model_step(m, rows, k, err));
        for (size_t i = 0; i < k; i++)
            memcpy(out + (at + i) * vocab, sc_model_logits(m, i), vocab * sizeof *out);
        at += k;
    }
    sc_model_seq_free(m, seq);
    return SC_OK;
}
