/**
 * limits.h - what this machine can do: the ceilings that speeds are compared with.
 *
 * Measured, not looked up: plain reads of memory that no cache holds, and loops of the level's best
 * multiply-add with nothing else in them. Each figure is among the best of many short runs, so
 * that what other programs take for a moment does not lower it.
 *
 * Threads: one thread at a time (it runs on the pool).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_LIMITS_H
#define SC_KERN_LIMITS_H

#include "base/err.h"
#include "base/pool.h"
#include "kern/kern.h"

typedef struct sc_limits {
    unsigned threads;
    double read_one, read_all; // bytes a second, by one thread and by all together
    double f32, bf16, int8;    // multiply-adds a second, all threads together
    double barrier;            // seconds, of a meeting of all threads
} sc_limits;

/**
 * Measures for less than a second with the threads of `pool`.
 *
 * Errors: SC_E_NOMEM
 */
sc_code sc_limits_measure(const sc_kern *k, sc_pool *pool, sc_limits *out, sc_err *err) SC_CHECKED;

/** The read bandwidth of all threads alone: quick enough to stand before and after a benchmark. */
sc_code sc_limits_read(const sc_kern *k, sc_pool *pool, double *bytes_s, sc_err *err) SC_CHECKED;

#endif
