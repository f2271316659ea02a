// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void sc_buf_drop(sc_buf *b)
{
    sc_free(b->p);
    *b = (sc_buf){.max = b->max};
}

void sc_buf_clear(sc_buf *b)
{
    b->n = 0;
    b->bad = false;
    if (b->p)
        b->p[0] = '\0';
}

const char *sc_buf_text(const sc_buf *b)
{
    return b->p ? b->p : "";
}

char *sc_buf_take(sc_buf *b)
{
    if (b->bad)
        return NULL;
    if (!b->p)
        return sc_strdup("");
    char *p = b->p;
    *b = (sc_buf){.max = b->max};
    return p;
}

/* Room for n more bytes and the NUL; false sets the sticky failure. */
static bool reserve(sc_buf *b, size_t n)
{
    if (b->bad)
        return false;
    if (n > b->max || b->n > b->max - n || b->max == SIZE_MAX) {
        b->bad = true;
        return false;
    }
    const size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *p = sc_realloc(b->p, cap, 1);
    if (!p) {
        b->bad = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void sc_buf_add(sc_buf *b, const void *bytes, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = '\0';
}

char *sc_buf_room(sc_buf *b, size_t n)
{
    return reserve(b, n) ? b->p + b->n : NULL;
}

void sc_buf_grow(sc_buf *b, size_t n)
{
    assert(b->p && n < b->cap - b->n);
    b->n += n;
    b->p[b->n] = '\0';
}

void sc_buf_add_c(sc_buf *b, const char *s)
{
    sc_buf_add(b, s, strlen(s));
}

void sc_buf_add_str(sc_buf *b, sc_str s)
{
    sc_buf_add(b, s.p, s.n);
}

void sc_buf_add_char(sc_buf *b, char c)
{
    sc_buf_add(b, &c, 1);
}

void sc_buf_addf(sc_buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        b->bad = true;
    else if (reserve(b, (size_t)n)) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void sc_buf_add_json(sc_buf *b, sc_str s)
{
    sc_buf_add_char(b, '"');
    for (size_t i = 0; i < s.n;) {
        const unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80) {
            uint32_t point = 0;
            const size_t len = sc_utf8_decode((sc_str){s.p + i, s.n - i}, &point);
            if (point == SC_UTF8_BAD)
                sc_buf_add_c(b, "\xEF\xBF\xBD");
            else
                sc_buf_add(b, s.p + i, len);
            i += len;
            continue;
        }
        if (c == '"' || c == '\\')
            sc_buf_addf(b, "\\%c", c);
        else if (c == '\n')
            sc_buf_add_c(b, "\\n");
        else if (c == '\t')
            sc_buf_add_c(b, "\\t");
        else if (c == '\r')
            sc_buf_add_c(b, "\\r");
        else if (c < 0x20 || c == 0x7f)
            sc_buf_addf(b, "\\u%04x", c);
        else
            sc_buf_add_char(b, (char)c);
        i++;
    }
    sc_buf_add_char(b, '"');
}
