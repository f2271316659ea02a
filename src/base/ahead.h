/**
 * ahead.h - a thread that walks ahead through mapped files, so that those who read them later find
 * their pages in place.
 *
 * Threads: one thread at a time per walk.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_AHEAD_H
#define SC_BASE_AHEAD_H

#include <stddef.h>

typedef struct sc_ahead sc_ahead;

/** A range of memory; a byte here and there is read, and nothing made of it. */
typedef struct sc_ahead_range {
    const void *from;
    size_t size; // bytes
} sc_ahead_range;

/**
 * Starts to walk through `n` ranges of mapped files, in order; they stay mapped until
 * sc_ahead_free.
 *
 * Owns:   the caller frees the result with sc_ahead_free
 * Errors: NULL when there is no memory or no thread: then nobody walks, and nothing is lost but
 * time
 */
sc_ahead *sc_ahead_new(const sc_ahead_range *range, size_t n);

/** Asks the walk to end at its next stretch. Takes NULL. */
void sc_ahead_stop(sc_ahead *a);

/** Ends the walk. Takes NULL. */
void sc_ahead_free(sc_ahead *a);

#endif
