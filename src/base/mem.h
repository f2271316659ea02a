/**
 * mem.h - the only door to the heap, and checked size arithmetic.
 *
 * Every allocation of the program, third-party JSON included, goes through here, so a test can make
 * the n-th one fail and count those of a region. Big, long-lived blocks (weights, KV, workspace)
 * come from sc_alloc_pages, which asks the system for huge pages.
 *
 * Threads: any thread; the failure hook and the counter belong to the calling thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_MEM_H
#define SC_BASE_MEM_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Frees what sc_alloc, sc_realloc or sc_strndup returned; takes NULL. */
void sc_free(void *p);

/**
 * Allocates n * size zeroed bytes, aligned for any type.
 *
 * Owns:   the caller frees the result with sc_free.
 * Errors: NULL when the product wraps, memory is out, or the test hook says so. n * size == 0 gives
 *         a block that may not be read.
 */
void *sc_alloc(size_t n, size_t size) SC_CHECKED SC_ALLOCATES(sc_free);

/** Allocates one zeroed T; NULL when memory is out. */
#define sc_new(T) ((T *)sc_alloc(1, sizeof(T)))

/**
 * Changes the block `p` (or NULL) to n * size bytes; new bytes are NOT zeroed.
 *
 * Errors: NULL, and `p` is still the caller's.
 */
void *sc_realloc(void *p, size_t n, size_t size) SC_CHECKED;

/** A copy of `n` bytes of `s` with a NUL behind; NULL when memory is out. */
char *sc_strndup(const char *s, size_t n) SC_CHECKED SC_ALLOCATES(sc_free);

/** A copy of the string `s`; NULL when memory is out. */
char *sc_strdup(const char *s) SC_CHECKED SC_ALLOCATES(sc_free);

SC_AUTO_DEFINE(char, sc_free);

/**
 * Makes room for one more element: *p points at *cap elements of `size` bytes, `n` of them used.
 *
 * Doubles up to the ceiling `max`. On failure nothing changed.
 * Errors: false when memory is out or n == max.
 */
bool sc_grow(void *p, size_t *cap, size_t n, size_t max, size_t size) SC_CHECKED;

/**
 * Zeroed pages from the system, `size` bytes, aligned to 64 bytes at least and to 2 MiB when large;
 * huge pages are asked for where the block is large enough to use them.
 *
 * Owns:   the caller frees with sc_free_pages and the same size.
 * Errors: NULL when memory is out.
 */
void *sc_alloc_pages(size_t size) SC_CHECKED;

/** The same in small pages: for blocks of which only parts are touched. */
void *sc_alloc_small_pages(size_t size) SC_CHECKED;

/** Frees a block of either; takes NULL. */
void sc_free_pages(void *p, size_t size);

/** *out = a * b; false, and *out untouched, when it wraps. */
static inline bool sc_mul_size(size_t a, size_t b, size_t *out)
{
    size_t r = 0;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/** *out = a + b; false, and *out untouched, when it wraps. */
static inline bool sc_add_size(size_t a, size_t b, size_t *out)
{
    size_t r = 0;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/**
 * For tests: the nth allocation of this thread from now on fails, once; 0 switches it off.
 *
 * Without the build option `fault` it does nothing.
 */
void sc_alloc_fail_at(long nth);

/** For tests: how many allocations this thread has asked for since it started. */
uint64_t sc_alloc_count(void);

#endif
