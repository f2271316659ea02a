// SPDX-License-Identifier: MIT
#include "tok/unicode.h"

#include <string.h>

enum {
    HANGUL_S = 0xAC00,
    HANGUL_L = 0x1100,
    HANGUL_V = 0x1161,
    HANGUL_T = 0x11A7,
    HANGUL_NL = 19,
    HANGUL_NV = 21,
    HANGUL_NT = 28,
};

bool sc_uni_in(const sc_uni_range *r, size_t n, uint32_t c)
{
    size_t low = 0;
    while (low < n) {
        const size_t mid = low + (n - low) / 2;
        if (c > r[mid].high)
            low = mid + 1;
        else if (c < r[mid].low)
            n = mid;
        else
            return true;
    }
    return false;
}

/* The value of `c` in sorted ranges, or -1. */
static int find_value(const sc_uni_script_range *r, size_t n, uint32_t c)
{
    size_t low = 0;
    while (low < n) {
        const size_t mid = low + (n - low) / 2;
        if (c > r[mid].high)
            low = mid + 1;
        else if (c < r[mid].low)
            n = mid;
        else
            return (int)r[mid].value;
    }
    return -1;
}

int sc_uni_script(uint32_t c)
{
    return find_value(sc_uni_scripts, sc_uni_scripts_n, c);
}

unsigned sc_uni_combining_class(uint32_t c)
{
    if (c < 0x300)
        return 0;
    const int v = find_value(sc_uni_combining, sc_uni_combining_n, c);
    return v < 0 ? 0 : (unsigned)v;
}

const uint32_t *sc_uni_map_find(const sc_uni_map *m, uint32_t c, size_t *n)
{
    size_t low = 0;
    size_t high = m->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (m->key[mid] < c)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == m->n || m->key[low] != c)
        return NULL;
    *n = m->at[low] % 32;
    return m->pool + m->at[low] / 32;
}

size_t sc_uni_decompose(uint32_t c, bool compat, uint32_t out[SC_UNI_MAX_FORM])
{
    out[0] = c;
    if (c < 0xA0)
        return 1;
    if (c >= HANGUL_S && c < HANGUL_S + HANGUL_NL * HANGUL_NV * HANGUL_NT) {
        const uint32_t s = c - HANGUL_S;
        out[0] = HANGUL_L + s / (HANGUL_NV * HANGUL_NT);
        out[1] = HANGUL_V + s % (HANGUL_NV * HANGUL_NT) / HANGUL_NT;
        out[2] = HANGUL_T + s % HANGUL_NT;
        return s % HANGUL_NT ? 3 : 2;
    }
    size_t n = 0;
    const uint32_t *to = compat ? sc_uni_map_find(&sc_uni_nfkd, c, &n) : NULL;
    if (!to)
        to = sc_uni_map_find(&sc_uni_nfd, c, &n);
    if (!to)
        return 1;
    memcpy(out, to, n * sizeof *to);
    return n;
}

uint32_t sc_uni_compose(uint32_t a, uint32_t b)
{
    if (a >= HANGUL_L && a < HANGUL_L + HANGUL_NL && b >= HANGUL_V && b < HANGUL_V + HANGUL_NV)
        return HANGUL_S + ((a - HANGUL_L) * HANGUL_NV + (b - HANGUL_V)) * HANGUL_NT;
    if (a >= HANGUL_S && a < HANGUL_S + HANGUL_NL * HANGUL_NV * HANGUL_NT &&
        (a - HANGUL_S) % HANGUL_NT == 0 && b > HANGUL_T && b < HANGUL_T + HANGUL_NT)
        return a + (b - HANGUL_T);
    size_t low = 0;
    size_t high = sc_uni_pairs_n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const sc_uni_pair *p = &sc_uni_pairs[mid];
        if (p->first < a || (p->first == a && p->second < b))
            low = mid + 1;
        else
            high = mid;
    }
    const bool hit =
        low < sc_uni_pairs_n && sc_uni_pairs[low].first == a && sc_uni_pairs[low].second == b;
    return hit ? sc_uni_pairs[low].both : 0;
}
