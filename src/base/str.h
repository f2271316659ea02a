/**
 * str.h - a borrowed piece of text: pointer and length, no terminator.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_STR_H
#define SC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct sc_str {
    const char *p; // borrowed; may hold NUL bytes
    size_t n;
} sc_str;

/** A view of a string literal. */
#define SC_STR(literal) ((sc_str){"" literal, sizeof(literal) - 1})

/** The two arguments of "%.*s"; at most 200 bytes, so that a hostile name stays readable. */
#define SC_STRF(s) ((int)((s).n > 200 ? 200 : (s).n)), ((s).p ? (s).p : "")

/** A view of a C string. */
static inline sc_str sc_str_c(const char *s)
{
    return (sc_str){s, strlen(s)};
}

static inline bool sc_str_eq(sc_str a, sc_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool sc_str_is(sc_str a, const char *s)
{
    return sc_str_eq(a, sc_str_c(s));
}

static inline bool sc_str_starts(sc_str a, sc_str with)
{
    return a.n >= with.n && (with.n == 0 || memcmp(a.p, with.p, with.n) == 0);
}

static inline bool sc_str_ends(sc_str a, sc_str with)
{
    return a.n >= with.n && (with.n == 0 || memcmp(a.p + (a.n - with.n), with.p, with.n) == 0);
}

/** `a` without its first `n` bytes (all of them when it is shorter). */
static inline sc_str sc_str_skip(sc_str a, size_t n)
{
    return n >= a.n ? (sc_str){a.p + a.n, 0} : (sc_str){a.p + n, a.n - n};
}

#endif
