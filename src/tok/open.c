// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "fmt/gguf.h"
#include "tok/tok_impl.h"

#include <string.h>

/* Whether `dir` holds the file `name`; *path (owned by the caller) is its path. */
static sc_code find_in(const char *dir, const char *name, char **path, bool *there, sc_err *err)
{
    char *p = sc_path_join(dir, name);
    if (!p)
        return sc_fail_nomem(err);
    *there = sc_file_is_file(p);
    if (*there && path)
        *path = p;
    else
        sc_free(p);
    return SC_OK;
}

/* The tokenizer in the folder `dir`, or NULL: a file, or the folder itself for the older layout. */
static sc_code find_in_dir(const char *dir, char **out, sc_err *err)
{
    bool there = false;
    bool merges = false;
    *out = NULL;
    SC_TRY(find_in(dir, "tokenizer.json", out, &there, err));
    if (there)
        return SC_OK;
    SC_TRY(find_in(dir, "vocab.json", NULL, &there, err));
    SC_TRY(find_in(dir, "merges.txt", NULL, &merges, err));
    if (there && merges) {
        *out = sc_strdup(dir);
        return *out ? SC_OK : sc_fail_nomem(err);
    }
    return find_in(dir, "tokenizer.model", out, &there, err);
}

typedef enum kind { KIND_GGUF, KIND_JSON, KIND_SPM, KIND_OTHER } kind;

/* What the bytes of a file are. */
static kind kind_of(const char *p, size_t n)
{
    size_t i = 0;
    if (sc_gguf_is(p, n))
        return KIND_GGUF;
    if (sc_listed_is_spm(p, n))
        return KIND_SPM;
    while (i < n && i < 4096 && strchr(" \t\r\n", p[i]) && p[i])
        i++;
    return i < n && p[i] == '{' ? KIND_JSON : KIND_OTHER;
}

/* As kind_of, of the file `path`; KIND_OTHER when it cannot be read. */
static sc_code kind_of_file(const char *path, kind *out, sc_err *err)
{
    sc_err why = {0};
    SC_AUTO(sc_map) *map = NULL;
    size_t n = 0;
    *out = KIND_OTHER;
    const sc_code code = sc_map_open(path, &map, &why);
    if (code == SC_E_NOMEM)
        return sc_fail_nomem(err);
    if (code != SC_OK)
        return SC_OK; // who wants to read it says why it cannot be
    const char *p = sc_map_bytes(map, &n);
    *out = kind_of(p, n);
    return SC_OK;
}

sc_code sc_tok_find_beside(const char *model_path, char **out, sc_err *err)
{
    char *found = NULL;
    kind k = KIND_OTHER;
    if (sc_file_is_file(model_path))
        SC_TRY(kind_of_file(model_path, &k, err));
    if (sc_file_is_dir(model_path)) {
        SC_TRY(find_in_dir(model_path, &found, err));
    } else if (k == KIND_GGUF) {
        found = sc_strdup(model_path);
        if (!found)
            return sc_fail_nomem(err);
    } else {
        char *dir = sc_path_dir(model_path);
        if (!dir)
            return sc_fail_nomem(err);
        const sc_code code = find_in_dir(dir, &found, err);
        sc_free(dir);
        SC_TRY(code);
    }
    if (!found)
        return sc_fail(err, SC_E_NOTFOUND,
                       "%s: no tokenizer there: tokenizer.json, vocab.json with merges.txt or "
                       "tokenizer.model expected beside the model",
                       model_path);
    *out = found;
    return SC_OK;
}

static sc_code open_gguf(const void *bytes, size_t n, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_gguf) *g = NULL;
    SC_TRY(sc_gguf_parse(bytes, n, &g, err));
    return sc_tok_open_gguf(g, out, err);
}

/* Reads a file by its content: GGUF, JSON, or a SentencePiece model. */
static sc_code open_file(const char *path, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_map) *map = NULL;
    size_t n = 0;
    SC_TRY(sc_map_open(path, &map, err));
    const char *p = sc_map_bytes(map, &n);
    const kind k = kind_of(p, n);
    SC_TRY_IN(k == KIND_GGUF  ? open_gguf(p, n, out, err)
              : k == KIND_SPM ? sc_tok_parse_spm(p, n, out, err)
                              : sc_tok_parse(p, n, out, err),
              err, "%s", path);
    return SC_OK;
}

/* Opens a tokenizer's own file, or folder in the older layout, and what stands beside it. */
static sc_code open_here(const char *file, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_tok) *t = NULL;
    const bool folder = sc_file_is_dir(file);
    kind k = KIND_OTHER;
    if (!folder)
        SC_TRY(kind_of_file(file, &k, err));
    SC_TRY(folder ? sc_tok_open_merges(file, &t, err) : open_file(file, &t, err));
    // What a GGUF file says of itself counts for it; the rest have a configuration beside them.
    if (k != KIND_GGUF) {
        SC_AUTO(char) *dir = folder ? sc_strdup(file) : sc_path_dir(file);
        if (!dir)
            return sc_fail_nomem(err);
        if (k == KIND_SPM)
            SC_TRY(sc_tok_add_beside(t, dir, err));
        SC_TRY(sc_tok_read_config(t, dir, err));
        SC_TRY(sc_tok_finish(t, err));
    }
    *out = sc_take(t);
    return SC_OK;
}

sc_code sc_tok_open(const char *path, sc_tok **out, sc_err *err)
{
    kind k = KIND_OTHER;
    if (sc_file_is_file(path))
        SC_TRY(kind_of_file(path, &k, err));
    // A weights file stands for the tokenizer beside it.
    if (!sc_file_is_dir(path) && (!sc_file_is_file(path) || k != KIND_OTHER))
        return open_here(path, out, err);
    SC_AUTO(char) *file = NULL;
    SC_TRY(sc_tok_find_beside(path, &file, err));
    return open_here(file, out, err);
}
