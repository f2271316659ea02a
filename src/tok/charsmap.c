// SPDX-License-Identifier: MIT
#include "base/cur.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tok/norm.h"

/* A Darts double-array trie over byte strings, and the replacements, each ended by a NUL. */
struct sc_charsmap {
    uint32_t *unit; // owned
    size_t n_units;
    char *text; // owned
    size_t n_text;
};

sc_code sc_charsmap_parse(sc_str blob, sc_charsmap **out, sc_err *err)
{
    sc_cur c = sc_cur_init(blob.p, blob.n);
    const uint32_t size = sc_cur_u32(&c);
    if (!sc_cur_ok(&c) || size % 4 != 0 || size == 0 || size > sc_cur_left(&c))
        return sc_fail(err, SC_E_FORMAT, "character map: a trie of %u bytes in %zu", size, blob.n);
    SC_AUTO(sc_charsmap) *m = sc_new(sc_charsmap);
    if (!m)
        return sc_fail_nomem(err);
    m->n_units = size / 4;
    m->unit = sc_alloc(m->n_units, sizeof *m->unit);
    if (!m->unit)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < m->n_units; i++)
        m->unit[i] = sc_cur_u32(&c);
    m->n_text = sc_cur_left(&c);
    m->text = sc_strndup(blob.p + c.pos, m->n_text);
    if (!m->text)
        return sc_fail_nomem(err);
    size_t bad = 0;
    if (!sc_utf8_valid((sc_str){m->text, m->n_text}, &bad))
        return sc_fail_at(err, SC_E_FORMAT, c.pos + bad, "character map: not UTF-8");
    *out = sc_take(m);
    return SC_OK;
}

void sc_charsmap_free(sc_charsmap *m)
{
    if (!m)
        return;
    sc_free(m->unit);
    sc_free(m->text);
    sc_free(m);
}

static size_t offset_of(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & (1u << 9)) >> 6);
}

bool sc_charsmap_find(const sc_charsmap *m, sc_str s, sc_str *to)
{
    size_t at = offset_of(m->unit[0]);
    for (size_t i = 0; i < s.n && s.p[i]; i++) {
        const unsigned char byte = (unsigned char)s.p[i];
        at ^= byte;
        if (at >= m->n_units || (m->unit[at] & (1u << 31 | 0xFF)) != byte)
            return false;
        const uint32_t unit = m->unit[at];
        at ^= offset_of(unit);
        if (!(unit >> 8 & 1))
            continue;
        if (at >= m->n_units)
            return false;
        const size_t from = m->unit[at] & 0x7FFFFFFF;
        if (from > m->n_text)
            return false;
        const char *end = memchr(m->text + from, '\0', m->n_text - from);
        *to = (sc_str){m->text + from, end ? (size_t)(end - (m->text + from)) : m->n_text - from};
        return true;
    }
    return false;
}
