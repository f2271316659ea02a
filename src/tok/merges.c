// SPDX-License-Identifier: MIT
/* The layout before tokenizer.json: vocab.json, merges.txt and added_tokens.json, byte-level BPE.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "tok/tok_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_FILE = 256 << 20, MAX_ADDED = 1 << 16 };

static sc_code read_in(const char *dir, const char *name, sc_buf *out, bool *there, sc_err *err)
{
    char *path = sc_path_join(dir, name);
    if (!path)
        return sc_fail_nomem(err);
    *there = sc_file_is_file(path);
    const sc_code code = *there ? sc_file_read(path, MAX_FILE, out, err) : SC_OK;
    sc_free(path);
    return code;
}

/* The lines of merges.txt as a JSON list. */
static void add_merges(sc_buf *out, sc_str text)
{
    bool first = true;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        sc_str line = {text.p, end ? (size_t)(end - text.p) : text.n};
        text = sc_str_skip(text, line.n + 1);
        if (sc_str_ends(line, SC_STR("\r")))
            line.n--;
        if (line.n == 0 || sc_str_starts(line, SC_STR("#version")))
            continue;
        sc_buf_add_c(out, first ? "" : ",");
        sc_buf_add_json(out, line);
        first = false;
    }
}

/* An added token of the file. */
typedef struct entry {
    const char *text; // borrowed from the document
    size_t n;
    int64_t id;
} entry;

static int by_id(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static void add_token(sc_buf *out, sc_str text, int64_t id, bool special, bool first)
{
    sc_buf_addf(out, "%s{\"id\":%" PRId64 ",\"normalized\":false,\"special\":%s,\"content\":",
                first ? "" : ",", id, special ? "true" : "false");
    sc_buf_add_json(out, text);
    sc_buf_add_char(out, '}');
}

/* added_tokens.json, text to id, as a list in the order of the ids. */
static sc_code add_added(sc_buf *out, const json_t *map, sc_err *err)
{
    const size_t n = json_object_size(map);
    if (n > MAX_ADDED)
        return sc_fail(err, SC_E_LIMIT, "added_tokens.json: %zu tokens", n);
    entry *list = sc_alloc(n ? n : 1, sizeof *list);
    if (!list)
        return sc_fail_nomem(err);
    size_t i = 0;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)map, key, value) list[i++] =
        (entry){key, strlen(key), json_integer_value(value)};
    qsort(list, n, sizeof *list, by_id);
    for (i = 0; i < n; i++)
        add_token(out, (sc_str){list[i].text, list[i].n}, list[i].id, false, false);
    sc_free(list);
    return SC_OK;
}

sc_code sc_tok_open_merges(const char *dir, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_buf) vocab = sc_buf_init(MAX_FILE);
    SC_AUTO(sc_buf) merges = sc_buf_init(MAX_FILE);
    SC_AUTO(sc_buf) added = sc_buf_init(MAX_FILE);
    SC_AUTO(sc_buf) json = sc_buf_init((size_t)4 * MAX_FILE);
    bool there = false;
    SC_TRY(read_in(dir, "vocab.json", &vocab, &there, err));
    SC_TRY(read_in(dir, "merges.txt", &merges, &there, err));
    SC_TRY(read_in(dir, "added_tokens.json", &added, &there, err));
    // The same thing said as a tokenizer.json, and read as one.
    sc_buf_add_c(&json, "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
                        "\"decoder\":{\"type\":\"ByteLevel\"},\"added_tokens\":[");
    add_token(&json, SC_STR("<|endoftext|>"), 0, true, true);
    if (there) {
        SC_AUTO_JSON *map = NULL;
        SC_TRY_IN(sc_json_parse(sc_buf_str(&added), &map, err), err, "%s/added_tokens.json", dir);
        SC_TRY(add_added(&json, map, err));
    }
    sc_buf_add_c(&json, "],\"model\":{\"type\":\"BPE\",\"merges\":[");
    add_merges(&json, sc_buf_str(&merges));
    sc_buf_add_c(&json, "],\"vocab\":");
    sc_buf_add_str(&json, sc_buf_str(&vocab));
    sc_buf_add_c(&json, "}}");
    if (!sc_buf_ok(&json))
        return sc_fail_nomem(err);
    SC_TRY_IN(sc_tok_parse(sc_buf_text(&json), json.n, out, err), err, "%s/vocab.json, merges.txt",
              dir);
    return SC_OK;
}
