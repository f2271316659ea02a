// SPDX-License-Identifier: MIT
#include "tok/older.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>

enum { MAX_FILE = 64 << 20, MAX_ADDED = 1 << 16, MAX_ID = (1 << 24) - 1 };

sc_code sc_older_read(const char *dir, const char *name, json_t **out, sc_err *err)
{
    SC_AUTO(char) *path = sc_path_join(dir, name);
    if (!path)
        return sc_fail_nomem(err);
    if (!sc_file_is_file(path))
        return SC_OK;
    SC_AUTO_JSON *doc = NULL;
    SC_TRY(sc_json_read(path, MAX_FILE, &doc, err));
    if (!json_is_object(doc))
        return sc_fail(err, SC_E_FORMAT, "%s: not a JSON object", path);
    *out = json_incref(doc);
    return SC_OK;
}

/* The list while it is made. */
typedef struct list {
    json_t *by_text; // owned: text to the entry of a tokenizer.json
    sc_older_find_fn *find;
    const void *vocab; // of `find`
} list;

/* Puts `entry` (taken; NULL when memory is out) under `text`. */
static sc_code put(list *l, const char *text, json_t *entry, sc_err *err)
{
    if (json_object_size(l->by_text) >= MAX_ADDED) {
        json_decref(entry);
        return sc_fail(err, SC_E_LIMIT, "more than %d added tokens", MAX_ADDED);
    }
    return json_object_set_new(l->by_text, text, entry) ? sc_fail_nomem(err) : SC_OK;
}

/* The id that `text` spells, or -1. */
static json_int_t id_of(const char *text)
{
    json_int_t id = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && id <= MAX_ID; p++)
        id = id * 10 + (*p - '0');
    return p == text || *p || id > MAX_ID ? -1 : id;
}

/* "added_tokens_decoder": id to an object with the content and the flags. */
static sc_code read_decoder(list *l, const json_t *config, sc_err *err)
{
    const char *key = NULL;
    json_t *v = NULL;
    json_object_foreach(json_object_get(config, "added_tokens_decoder"), key, v)
    {
        const json_int_t id = id_of(key);
        const char *text = json_string_value(json_object_get(v, "content"));
        if (id < 0 || !text)
            return sc_fail(err, SC_E_FORMAT, "added_tokens_decoder: \"%s\" is no token", key);
        // The document is ours. json_copy would not say when memory is out.
        if (json_object_set_new(v, "id", json_integer(id)) ||
            json_object_set_new(v, "normalized", json_false()))
            return sc_fail_nomem(err);
        SC_TRY(put(l, text, json_incref(v), err));
    }
    return SC_OK;
}

static json_t *new_entry(const char *text, json_int_t id, bool special)
{
    return json_pack("{s:I,s:s,s:b,s:b}", "id", id, "content", text, "normalized", 0, "special",
                     special);
}

/* added_tokens.json: text to id. */
static sc_code read_added(list *l, const json_t *map, sc_err *err)
{
    const char *key = NULL;
    json_t *v = NULL;
    json_object_foreach((json_t *)(uintptr_t)map, key, v)
    {
        const json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;
        if (id < 0 || id > MAX_ID)
            return sc_fail(err, SC_E_FORMAT, "added_tokens.json: the id of \"%s\" is none", key);
        if (!json_object_get(l->by_text, key))
            SC_TRY(put(l, key, new_entry(key, id, false), err));
    }
    return SC_OK;
}

/* A token that has a role is special. */
static sc_code mark(list *l, const char *text, sc_err *err)
{
    if (!text || !*text)
        return SC_OK;
    json_t *entry = json_object_get(l->by_text, text);
    if (entry)
        return json_object_set_new(entry, "special", json_true()) ? sc_fail_nomem(err) : SC_OK;
    const int32_t id = l->find(l->vocab, sc_str_c(text));
    return id < 0 ? SC_OK : put(l, text, new_entry(text, id, true), err);
}

/* The text of a token: itself, or an object's "content". */
static const char *text_of(const json_t *v)
{
    return json_string_value(json_is_object(v) ? json_object_get(v, "content") : v);
}

static sc_code read_roles(list *l, const json_t *doc, sc_err *err)
{
    static const char *const roles[] = {"bos_token",    "eos_token",    "unk_token",
                                        "sep_token",    "pad_token",    "cls_token",
                                        "mask_token",   "eot_token",    "additional_special_tokens",
                                        "prefix_token", "suffix_token", "middle_token"};
    for (size_t i = 0; i < SC_LEN(roles); i++) {
        const json_t *v = json_object_get(doc, roles[i]);
        SC_TRY(mark(l, text_of(v), err));
        for (size_t k = 0; k < json_array_size(v); k++)
            SC_TRY(mark(l, text_of(json_array_get(v, k)), err));
    }
    return SC_OK;
}

static int by_id(const void *a, const void *b)
{
    const json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "id"));
    const json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "id"));
    return (x > y) - (x < y);
}

static sc_code format(const list *l, sc_buf *out, sc_err *err)
{
    const size_t n = json_object_size(l->by_text);
    json_t **sorted = sc_alloc(n ? n : 1, sizeof(json_t *));
    if (!sorted)
        return sc_fail_nomem(err);
    size_t i = 0;
    const char *key = NULL;
    json_t *v = NULL;
    json_object_foreach(l->by_text, key, v) sorted[i++] = v;
    qsort(sorted, n, sizeof *sorted, by_id);
    for (i = 0; i < n; i++) {
        sc_buf_add_char(out, i ? ',' : '[');
        sc_json_format(sorted[i], 0, out);
    }
    sc_buf_add_c(out, n ? "]" : "[]");
    sc_free(sorted);
    return sc_buf_ok(out) ? SC_OK : sc_fail_nomem(err);
}

static sc_code make(list *l, const char *dir, const char *always, sc_buf *out, sc_err *err)
{
    SC_AUTO_JSON *config = NULL;
    SC_AUTO_JSON *added = NULL;
    SC_AUTO_JSON *roles = NULL;
    SC_TRY(sc_older_read(dir, "tokenizer_config.json", &config, err));
    SC_TRY(sc_older_read(dir, "added_tokens.json", &added, err));
    SC_TRY(sc_older_read(dir, "special_tokens_map.json", &roles, err));
    SC_TRY_IN(read_decoder(l, config, err), err, "%s/tokenizer_config.json", dir);
    SC_TRY_IN(read_added(l, added, err), err, "%s", dir);
    SC_TRY(read_roles(l, config, err));
    SC_TRY(read_roles(l, roles, err));
    SC_TRY(mark(l, always, err));
    return format(l, out, err);
}

sc_code sc_older_added(const char *dir, const char *always, sc_older_find_fn *find,
                       const void *vocab, sc_buf *out, sc_err *err)
{
    list l = {.by_text = json_object(), .find = find, .vocab = vocab};
    if (!l.by_text)
        return sc_fail_nomem(err);
    const sc_code code = make(&l, dir, always, out, err);
    json_decref(l.by_text);
    return code;
}
