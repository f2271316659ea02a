/**
 * cur.h - a bounded cursor over bytes from outside.
 *
 * Reads past the end give zeros and set a sticky failure: a parser reads a whole header and asks
 * once. All multi-byte values are little-endian.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_CUR_H
#define SC_BASE_CUR_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sc_cur {
    const uint8_t *p; // borrowed
    size_t size;
    size_t pos; // <= size
    bool bad;   // a read went past the end
} sc_cur;

static inline sc_cur sc_cur_init(const void *bytes, size_t size)
{
    return (sc_cur){.p = bytes, .size = size};
}

static inline bool sc_cur_ok(const sc_cur *c)
{
    return !c->bad;
}

static inline size_t sc_cur_left(const sc_cur *c)
{
    return c->size - c->pos;
}

/** The next `n` bytes, or NULL when fewer are left. Borrowed from the input. */
static inline const uint8_t *sc_cur_take(sc_cur *c, uint64_t n)
{
    if (c->bad || n > c->size - c->pos) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->p + c->pos;
    c->pos += (size_t)n;
    return p;
}

static inline void sc_cur_skip(sc_cur *c, uint64_t n)
{
    (void)sc_cur_take(c, n); // the sticky failure says it
}

/** Moves to the offset `pos`; past the end is a failure. */
static inline void sc_cur_seek(sc_cur *c, uint64_t pos)
{
    if (pos > c->size)
        c->bad = true;
    else
        c->pos = (size_t)pos;
}

static inline uint64_t sc_cur_uint_(sc_cur *c, unsigned n)
{
    const uint8_t *p = sc_cur_take(c, n);
    uint64_t v = 0;
    if (p)
        for (unsigned i = n; i-- > 0;)
            v = v << 8 | p[i];
    return v;
}

static inline uint8_t sc_cur_u8(sc_cur *c)
{
    return (uint8_t)sc_cur_uint_(c, 1);
}

static inline uint16_t sc_cur_u16(sc_cur *c)
{
    return (uint16_t)sc_cur_uint_(c, 2);
}

static inline uint32_t sc_cur_u32(sc_cur *c)
{
    return (uint32_t)sc_cur_uint_(c, 4);
}

static inline uint64_t sc_cur_u64(sc_cur *c)
{
    return sc_cur_uint_(c, 8);
}

static inline float sc_cur_f32(sc_cur *c)
{
    const uint32_t bits = sc_cur_u32(c);
    float v = 0;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline double sc_cur_f64(sc_cur *c)
{
    const uint64_t bits = sc_cur_u64(c);
    double v = 0;
    memcpy(&v, &bits, sizeof v);
    return v;
}

#endif
