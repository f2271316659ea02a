// SPDX-License-Identifier: MIT
#include "base/json.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <inttypes.h>

// Jansson's reader does not look whether a letter could be kept: it reports memory that was refused
// as a syntax error, or not at all. So once memory was refused, a parse gets no more: then it ends
// before it looks at what it could not keep, and its result is thrown away. By thread.
static _Thread_local struct {
    bool parsing, starved;
} reader;

static void *take(size_t n)
{
    if (reader.parsing && reader.starved)
        return NULL;
    void *p = sc_alloc(n, 1);
    if (!p)
        reader.starved = true;
    return p;
}

void sc_json_setup(void)
{
    json_set_alloc_funcs(take, sc_free);
}

sc_code sc_json_parse(sc_str text, json_t **out, sc_err *err)
{
    json_error_t why;
    reader.parsing = true;
    reader.starved = false;
    json_t *v = json_loadb(text.p ? text.p : "", text.n,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    reader.parsing = false;
    if (reader.starved) {
        json_decref(v);
        return sc_fail_nomem(err);
    }
    if (!v) {
        const uint64_t at = why.position >= 0 ? (uint64_t)why.position : 0;
        if (!text.n || !memchr(text.p, '\n', text.n)) // its caller may know which line it is
            return sc_fail_at(err, SC_E_FORMAT, at, "column %d: %s", why.column, why.text);
        return sc_fail_at(err, SC_E_FORMAT, at, "line %d, column %d: %s", why.line, why.column,
                          why.text);
    }
    *out = v;
    return SC_OK;
}

sc_code sc_json_read(const char *path, size_t max, json_t **out, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(max);
    SC_TRY(sc_file_read(path, max, &text, err));
    SC_TRY_IN(sc_json_parse(sc_buf_str(&text), out, err), err, "%s", path);
    return SC_OK;
}

/* The member, or NULL for absent and null. */
static const json_t *member(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_null(v) ? NULL : v;
}

sc_code sc_json_get_int(const json_t *o, const char *key, int64_t low, int64_t high, int64_t *out,
                        sc_err *err)
{
    const json_t *v = member(o, key);
    if (!v)
        return SC_OK;
    if (!json_is_integer(v))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is not an integer", key);
    const int64_t n = json_integer_value(v);
    if (n < low || n > high)
        return sc_fail(err, SC_E_FORMAT,
                       "\"%s\" is %" PRId64 ", %" PRId64 " to %" PRId64 " expected", key, n, low,
                       high);
    *out = n;
    return SC_OK;
}

sc_code sc_json_get_num(const json_t *o, const char *key, double *out, sc_err *err)
{
    const json_t *v = member(o, key);
    if (!v)
        return SC_OK;
    if (!json_is_number(v))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is not a number", key);
    *out = json_number_value(v);
    return SC_OK;
}

sc_code sc_json_get_bool(const json_t *o, const char *key, bool *out, sc_err *err)
{
    const json_t *v = member(o, key);
    if (!v)
        return SC_OK;
    if (!json_is_boolean(v))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is neither true nor false", key);
    *out = json_is_true(v);
    return SC_OK;
}

sc_code sc_json_get_str(const json_t *o, const char *key, sc_str *out, sc_err *err)
{
    const json_t *v = member(o, key);
    if (!v)
        return SC_OK;
    if (!json_is_string(v))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is not a string", key);
    *out = sc_json_str(v);
    return SC_OK;
}

sc_str sc_json_str(const json_t *v)
{
    if (!json_is_string(v))
        return (sc_str){"", 0};
    return (sc_str){json_string_value(v), json_string_length(v)};
}

json_t *sc_json_text(sc_str s)
{
    if (sc_utf8_valid(s, NULL))
        return json_stringn(s.n ? s.p : "", s.n);
    if (s.n > SIZE_MAX / 4)
        return NULL;
    SC_AUTO(sc_buf) clean = sc_buf_init(s.n * 3 + 3);
    for (size_t i = 0; i < s.n;) {
        uint32_t point = 0;
        const size_t len = sc_utf8_decode((sc_str){s.p + i, s.n - i}, &point);
        if (point == SC_UTF8_BAD)
            sc_buf_add_c(&clean, "\xEF\xBF\xBD");
        else
            sc_buf_add(&clean, s.p + i, len);
        i += len;
    }
    return sc_buf_ok(&clean) ? json_stringn(sc_buf_text(&clean), clean.n) : NULL;
}

static int add_piece(const char *text, size_t n, void *out)
{
    sc_buf_add(out, text, n);
    return sc_buf_ok(out) ? 0 : -1;
}

void sc_json_format(const json_t *v, unsigned indent, sc_buf *out)
{
    const size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(17) |
                         (indent ? JSON_INDENT(indent) : (size_t)JSON_COMPACT);
    if (json_dump_callback(v, add_piece, out, flags) != 0)
        out->bad = true;
}
