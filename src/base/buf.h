/**
 * buf.h - a growing byte buffer with a ceiling and a sticky failure.
 *
 * Writers append two hundred times and ask once: after a failed append every later one is ignored,
 * and sc_buf_ok says so. The bytes always have a NUL behind them.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_BUF_H
#define SC_BASE_BUF_H

#include "base/attr.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_buf {
    char *p;    // owned; NUL-terminated, or NULL while empty and never written
    size_t n;   // bytes used, without the NUL
    size_t cap; // bytes allocated
    size_t max; // ceiling for n
    bool bad;   // an append failed
} sc_buf;

/** An empty buffer that will never hold more than `max` bytes. */
static inline sc_buf sc_buf_init(size_t max)
{
    return (sc_buf){.max = max};
}

void sc_buf_drop(sc_buf *b);

/** Empties it and forgets a failure; keeps the memory. */
void sc_buf_clear(sc_buf *b);

static inline bool sc_buf_ok(const sc_buf *b)
{
    return !b->bad;
}

/** The text so far, never NULL; borrowed until the next append. */
const char *sc_buf_text(const sc_buf *b);

static inline sc_str sc_buf_str(const sc_buf *b)
{
    return (sc_str){sc_buf_text(b), b->n};
}

/** The text as a heap string that the caller frees with sc_free; NULL when the buffer failed. */
char *sc_buf_take(sc_buf *b) SC_CHECKED;

void sc_buf_add(sc_buf *b, const void *bytes, size_t n);
/**
 * Room for `n` more bytes, to be written before the next call; NULL when there is none (and then
 * sc_buf_ok says no). sc_buf_grow takes over the first `n` of them.
 */
char *sc_buf_room(sc_buf *b, size_t n);
void sc_buf_grow(sc_buf *b, size_t n);
void sc_buf_add_c(sc_buf *b, const char *s);
void sc_buf_add_str(sc_buf *b, sc_str s);
void sc_buf_add_char(sc_buf *b, char c);
void sc_buf_addf(sc_buf *b, const char *fmt, ...) SC_PRINTF(2, 3);

/**
 * Appends `s` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, so the
 * result is always valid JSON; control characters are escaped.
 */
void sc_buf_add_json(sc_buf *b, sc_str s);

SC_AUTO_DEFINE_VALUE(sc_buf, sc_buf_drop);

#endif
