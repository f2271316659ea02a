// SPDX-License-Identifier: MIT
#include "tok/tape.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 128, MAX_CHECKED_KEYS = 64 };

#define MAX_TEXT  ((size_t)1 << 30)
#define MAX_NODES ((size_t)1 << 30)

typedef struct parser {
    char *p;
    size_t n;
    size_t at;
    sc_tape *t;
} parser;

static const char *const type_names[] = {"null",     "false",    "true",     "a number",
                                         "a string", "an array", "an object"};

static void skip_space(parser *s)
{
    while (s->at < s->n) {
        const char c = s->p[s->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        s->at++;
    }
}

static sc_code add_node(parser *s, sc_tape_type type, size_t at, size_t n, sc_err *err)
{
    sc_tape *t = s->t;
    if (t->n == t->cap && !sc_grow(&t->node, &t->cap, t->n, MAX_NODES, sizeof *t->node))
        return sc_fail_nomem(err);
    t->node[t->n] = (sc_tape_node){
        .type = (uint32_t)type, .n = (uint32_t)n, .at = (uint32_t)at, .next = (uint32_t)t->n + 1};
    t->n++;
    return SC_OK;
}

/* Four hexadecimal digits at s->at. */
static bool read_hex4(parser *s, uint32_t *out)
{
    if (s->n - s->at < 4)
        return false;
    uint32_t v = 0;
    for (unsigned k = 0; k < 4; k++) {
        const char c = s->p[s->at + k];
        uint32_t d = 0;
        if (c >= '0' && c <= '9')
            d = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            d = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return false;
        v = v << 4 | d;
    }
    s->at += 4;
    *out = v;
    return true;
}

/* The \u escape whose digits stand at s->at; writes UTF-8 to `to`, returns its length or 0. */
static size_t read_unicode(parser *s, char *to)
{
    uint32_t c = 0;
    if (!read_hex4(s, &c) || (c >= 0xDC00 && c < 0xE000))
        return 0;
    if (c >= 0xD800 && c < 0xDC00) {
        uint32_t low = 0;
        if (s->n - s->at < 6 || s->p[s->at] != '\\' || s->p[s->at + 1] != 'u')
            return 0;
        s->at += 2;
        if (!read_hex4(s, &low) || low < 0xDC00 || low >= 0xE000)
            return 0;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    char bytes[4]; // the escape is longer than what it stands for, so `to` is behind s->at
    const size_t n = sc_utf8_encode(c, bytes);
    memcpy(to, bytes, n);
    return n;
}

/* The escape behind a backslash at s->at; returns the bytes written to `to`, 0 for a bad one. */
static size_t read_escape(parser *s, char *to)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    if (s->at >= s->n)
        return 0;
    const char c = s->p[s->at++];
    if (c == 'u')
        return read_unicode(s, to);
    const char *hit = c ? strchr(from, c) : NULL;
    if (!hit)
        return 0;
    *to = into[hit - from];
    return 1;
}

/* A string; s->at is behind its opening quote. */
static sc_code read_string(parser *s, sc_err *err)
{
    const size_t start = s->at;
    size_t to = start;
    for (;;) {
        if (s->at >= s->n)
            return sc_fail_at(err, SC_E_FORMAT, s->at, "the text ends inside a string");
        const unsigned char c = (unsigned char)s->p[s->at];
        if (c == '"')
            break;
        if (c < 0x20)
            return sc_fail_at(err, SC_E_FORMAT, s->at, "control character in a string");
        if (c != '\\') {
            s->p[to++] = s->p[s->at++];
            continue;
        }
        const size_t escape_at = s->at++;
        const size_t n = read_escape(s, s->p + to);
        if (n == 0)
            return sc_fail_at(err, SC_E_FORMAT, escape_at, "bad escape in a string");
        to += n;
    }
    s->at++;
    return add_node(s, SC_TAPE_STRING, start, to - start, err);
}

static size_t skip_digits(parser *s)
{
    const size_t from = s->at;
    while (s->at < s->n && s->p[s->at] >= '0' && s->p[s->at] <= '9')
        s->at++;
    return s->at - from;
}

static sc_code read_number(parser *s, sc_err *err)
{
    const size_t start = s->at;
    if (s->p[s->at] == '-')
        s->at++;
    const size_t first = s->at;
    const size_t digits = skip_digits(s);
    bool good = digits > 0 && (digits == 1 || s->p[first] != '0');
    if (good && s->at < s->n && s->p[s->at] == '.') {
        s->at++;
        good = skip_digits(s) > 0;
    }
    if (good && s->at < s->n && (s->p[s->at] | 0x20) == 'e') {
        s->at++;
        if (s->at < s->n && (s->p[s->at] == '+' || s->p[s->at] == '-'))
            s->at++;
        good = skip_digits(s) > 0;
    }
    if (!good)
        return sc_fail_at(err, SC_E_FORMAT, start, "not a JSON value");
    return add_node(s, SC_TAPE_NUMBER, start, s->at - start, err);
}

static sc_code read_word(parser *s, sc_err *err)
{
    static const struct {
        const char *word;
        sc_tape_type type;
    } words[] = {{"null", SC_TAPE_NULL}, {"false", SC_TAPE_FALSE}, {"true", SC_TAPE_TRUE}};
    for (size_t k = 0; k < SC_LEN(words); k++) {
        const size_t len = strlen(words[k].word);
        if (s->n - s->at >= len && memcmp(s->p + s->at, words[k].word, len) == 0) {
            s->at += len;
            return add_node(s, words[k].type, s->at - len, 0, err);
        }
    }
    return sc_fail_at(err, SC_E_FORMAT, s->at, "not a JSON value");
}

/* Refuses a key that a small object has twice; a vocabulary checks its own keys by hash. */
static sc_code check_keys(const sc_tape *t, uint32_t object, sc_err *err)
{
    if (t->node[object].n > MAX_CHECKED_KEYS)
        return SC_OK;
    for (sc_tv_iter a = sc_tv_each((sc_tv){t, object}); a.left; sc_tv_next(&a)) {
        sc_tv_iter b = a;
        for (sc_tv_next(&b); b.left; sc_tv_next(&b))
            if (sc_str_eq(sc_tv_str(a.v), sc_tv_str(b.v)))
                return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(b.v)->at,
                                  "the key \"%.*s\" stands twice in an object",
                                  SC_STRF(sc_tv_str(b.v)));
    }
    return SC_OK;
}

/* What is open: the indices of the arrays and objects around the value that comes next. */
typedef struct nest {
    uint32_t open[MAX_DEPTH];
    unsigned depth;
} nest;

/* One value; an array or object is only opened. */
static sc_code read_value(parser *s, nest *in, sc_err *err)
{
    if (s->at >= s->n)
        return sc_fail_at(err, SC_E_FORMAT, s->at, "the text ends where a value is due");
    const char c = s->p[s->at];
    if (c == '{' || c == '[') {
        if (in->depth == MAX_DEPTH)
            return sc_fail_at(err, SC_E_FORMAT, s->at, "nested deeper than %d", MAX_DEPTH);
        in->open[in->depth++] = (uint32_t)s->t->n;
        s->at++;
        return add_node(s, c == '{' ? SC_TAPE_OBJECT : SC_TAPE_ARRAY, s->at - 1, 0, err);
    }
    if (c == '"') {
        s->at++;
        return read_string(s, err);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(s, err);
    return read_word(s, err);
}

/* A key and its colon. */
static sc_code read_key(parser *s, sc_err *err)
{
    if (s->at >= s->n || s->p[s->at] != '"')
        return sc_fail_at(err, SC_E_FORMAT, s->at, "a key in quotes expected");
    s->at++;
    SC_TRY(read_string(s, err));
    skip_space(s);
    if (s->at >= s->n || s->p[s->at] != ':')
        return sc_fail_at(err, SC_E_FORMAT, s->at, "':' expected");
    s->at++;
    skip_space(s);
    return SC_OK;
}

/*
 * Goes on inside the innermost open array or object: closes it, or steps to its next value. `*due`
 * says whether a value comes now.
 */
static sc_code step(parser *s, nest *in, bool *due, sc_err *err)
{
    const uint32_t at = in->open[in->depth - 1];
    const bool object = s->t->node[at].type == SC_TAPE_OBJECT;
    const char close = object ? '}' : ']';
    skip_space(s);
    *due = false;
    if (s->at >= s->n)
        return sc_fail_at(err, SC_E_FORMAT, s->at, "the text ends inside %s",
                          object ? "an object" : "an array");
    if (s->p[s->at] == close) {
        s->at++;
        s->t->node[at].next = (uint32_t)s->t->n;
        in->depth--;
        return object ? check_keys(s->t, at, err) : SC_OK;
    }
    if (s->t->node[at].n > 0) {
        if (s->p[s->at] != ',')
            return sc_fail_at(err, SC_E_FORMAT, s->at, "',' or '%c' expected", close);
        s->at++;
        skip_space(s);
    }
    s->t->node[at].n++;
    *due = true;
    return object ? read_key(s, err) : SC_OK;
}

static sc_code parse(parser *s, sc_err *err)
{
    nest in = {.depth = 0};
    skip_space(s);
    SC_TRY(read_value(s, &in, err));
    while (in.depth > 0) {
        bool due = false;
        SC_TRY(step(s, &in, &due, err));
        if (due)
            SC_TRY(read_value(s, &in, err));
    }
    skip_space(s);
    if (s->at < s->n)
        return sc_fail_at(err, SC_E_FORMAT, s->at, "more text behind the JSON value");
    return SC_OK;
}

sc_code sc_tape_parse(char *text, size_t n, sc_tape *out, sc_err *err)
{
    if (n > MAX_TEXT)
        return sc_fail(err, SC_E_LIMIT, "%zu bytes of JSON, at most %zu are read", n, MAX_TEXT);
    size_t bad_at = 0;
    if (!sc_utf8_valid((sc_str){text, n}, &bad_at))
        return sc_fail_at(err, SC_E_FORMAT, bad_at, "not UTF-8");
    SC_AUTO(sc_tape) t = {.text = text};
    parser s = {.p = text, .n = n, .t = &t};
    // Most nodes are a short token and its number: a guess that saves doublings.
    t.cap = n / 12 + 16;
    t.node = sc_alloc(t.cap, sizeof *t.node);
    if (!t.node)
        return sc_fail_nomem(err);
    SC_TRY(parse(&s, err));
    *out = t;
    t = (sc_tape){0};
    return SC_OK;
}

void sc_tape_drop(sc_tape *t)
{
    sc_free(t->node);
    *t = (sc_tape){0};
}

sc_str sc_tv_str(sc_tv v)
{
    if (!sc_tv_is(v, SC_TAPE_STRING) && !sc_tv_is(v, SC_TAPE_NUMBER))
        return (sc_str){"", 0};
    const sc_tape_node *node = sc_tv_node(v);
    return (sc_str){v.tape->text + node->at, node->n};
}

sc_tv_iter sc_tv_each(sc_tv v)
{
    sc_tv_iter it = {.v = v};
    if (sc_tv_is(v, SC_TAPE_OBJECT) || sc_tv_is(v, SC_TAPE_ARRAY)) {
        it.pairs = sc_tv_is(v, SC_TAPE_OBJECT);
        it.left = sc_tv_node(v)->n;
        it.v.i = v.i + 1;
    }
    return it;
}

void sc_tv_next(sc_tv_iter *it)
{
    it->left--;
    it->v.i = sc_tv_node(it->pairs ? sc_tv_value(it) : it->v)->next;
}

sc_tv sc_tv_value(const sc_tv_iter *it)
{
    return (sc_tv){it->v.tape, it->v.i + 1};
}

sc_tv sc_tv_get(sc_tv o, const char *key)
{
    if (sc_tv_is(o, SC_TAPE_OBJECT))
        for (sc_tv_iter it = sc_tv_each(o); it.left; sc_tv_next(&it))
            if (sc_str_is(sc_tv_str(it.v), key))
                return sc_tv_value(&it);
    return (sc_tv){NULL, 0};
}

/* 10 to the power of `n`, the nearest double; n up to 308. */
static double power_of_ten(unsigned n)
{
    char text[8];
    (void)snprintf(text, sizeof text, "1e%u", n); // it fits
    return strtod(text, NULL);
}

/*
 * The digits as a 64-bit integer, further ones left out, times or through a power of ten: two
 * roundings, so the last bit is not always that of strtod. The library reads its scores so, and
 * one bit decides between two ways to cut "***".
 */
static double read_as_library(sc_str s)
{
    size_t i = s.n > 0 && s.p[0] == '-';
    uint64_t digits = 0;
    int64_t power = 0;
    bool full = false, point = false;
    for (; i < s.n && (s.p[i] == '.' || (s.p[i] >= '0' && s.p[i] <= '9')); i++) {
        if (s.p[i] == '.') {
            point = true;
            continue;
        }
        const unsigned d = (unsigned)(s.p[i] - '0');
        full = full || digits > UINT64_MAX / 10 || digits * 10 > UINT64_MAX - d;
        if (!full)
            digits = digits * 10 + d;
        power += full ? !point : -(int64_t)point;
    }
    if (i < s.n) { // e or E
        const bool minus = i + 1 < s.n && s.p[i + 1] == '-';
        int64_t e = 0;
        for (i++; i < s.n; i++)
            if (s.p[i] >= '0' && s.p[i] <= '9' && e < 100000)
                e = e * 10 + (s.p[i] - '0');
        power += minus ? -e : e;
    }
    double d = (double)digits;
    for (; power < -308 && d > 0; power += 308)
        d /= power_of_ten(308);
    if (power > 308)
        d = digits ? INFINITY : 0;
    else if (power >= 0)
        d *= power_of_ten((unsigned)power);
    else if (d > 0)
        d /= power_of_ten((unsigned)-power);
    return s.n > 0 && s.p[0] == '-' ? -d : d;
}

bool sc_tv_num(sc_tv v, double *out)
{
    if (!sc_tv_is(v, SC_TAPE_NUMBER))
        return false;
    const double d = read_as_library(sc_tv_str(v));
    if (!isfinite(d))
        return false;
    *out = d;
    return true;
}

bool sc_tv_int(sc_tv v, int64_t low, int64_t high, int64_t *out)
{
    if (!sc_tv_is(v, SC_TAPE_NUMBER))
        return false;
    const sc_str s = sc_tv_str(v);
    const bool minus = s.p[0] == '-';
    int64_t value = 0;
    for (size_t k = minus; k < s.n; k++) {
        if (s.p[k] < '0' || s.p[k] > '9' || value > INT64_MAX / 10 - 1)
            return false;
        value = value * 10 + (s.p[k] - '0');
    }
    if (minus)
        value = -value;
    if (value < low || value > high)
        return false;
    *out = value;
    return true;
}

/* The error for a member of the wrong type. */
static sc_code wrong_type(sc_tv v, const char *key, const char *want, sc_err *err)
{
    const sc_tape_node *node = sc_tv_node(v);
    return sc_fail_at(err, SC_E_FORMAT, node->at, "\"%s\" is %s, %s expected", key,
                      type_names[node->type], want);
}

sc_code sc_tv_get_bool(sc_tv o, const char *key, bool *out, sc_err *err)
{
    const sc_tv v = sc_tv_get(o, key);
    if (!sc_tv_has(v))
        return SC_OK;
    if (!sc_tv_is(v, SC_TAPE_TRUE) && !sc_tv_is(v, SC_TAPE_FALSE))
        return wrong_type(v, key, "true or false", err);
    *out = sc_tv_is(v, SC_TAPE_TRUE);
    return SC_OK;
}

sc_code sc_tv_get_str(sc_tv o, const char *key, sc_str *out, sc_err *err)
{
    const sc_tv v = sc_tv_get(o, key);
    if (!sc_tv_has(v))
        return SC_OK;
    if (!sc_tv_is(v, SC_TAPE_STRING))
        return wrong_type(v, key, "a string", err);
    *out = sc_tv_str(v);
    return SC_OK;
}

sc_code sc_tv_get_int(sc_tv o, const char *key, int64_t low, int64_t high, int64_t *out,
                      sc_err *err)
{
    const sc_tv v = sc_tv_get(o, key);
    if (!sc_tv_has(v))
        return SC_OK;
    if (!sc_tv_int(v, low, high, out))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at,
                          "\"%s\" is not an integer from %" PRId64 " to %" PRId64, key, low, high);
    return SC_OK;
}
