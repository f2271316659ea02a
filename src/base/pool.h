/**
 * pool.h - a fixed team of threads that run one function together.
 *
 * sc_pool_run starts the function on every thread, the caller among them as thread 0; inside it the
 * threads meet at barriers. Work is split over output rows and a reduction is never split, so any
 * number of threads gives the same bits. A waiting thread spins for some microseconds and then
 * sleeps in the kernel, so that a thread whose CPU was taken away does not cost the others theirs.
 *
 * Threads: one thread at a time calls sc_pool_run.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_POOL_H
#define SC_BASE_POOL_H

#include "base/err.h"

#include <stddef.h>

typedef struct sc_pool sc_pool;

/** What a running thread knows of itself. */
typedef struct sc_worker {
    sc_pool *pool; // borrowed
    unsigned index;
    unsigned n; // threads in the team
} sc_worker;

typedef void sc_pool_fn(const sc_worker *me, void *arg);

enum { SC_POOL_MAX = 256 };

/**
 * Starts a team of `n` threads (the caller counts as one); 0 means sc_pool_cpus().
 *
 * Owns:   the caller frees *out with sc_pool_free.
 * Errors: SC_E_LIMIT for n > SC_POOL_MAX, SC_E_IO when a thread cannot be started, SC_E_NOMEM
 */
sc_code sc_pool_new(unsigned n, sc_pool **out, sc_err *err) SC_CHECKED;

void sc_pool_free(sc_pool *p);

unsigned sc_pool_size(const sc_pool *p);

/** Runs fn(me, arg) on every thread; returns when all are through. Allocates nothing. */
void sc_pool_run(sc_pool *p, sc_pool_fn *fn, void *arg);

/**
 * As sc_pool_run, but with one thread fewer as long as that is faster: when another program keeps
 * taking a CPU away, the team spends its time waiting for the thread that ran there. That is tried
 * when threads sleep at barriers for more than a fifth of the time; if all together are slow once
 * more behind it, one stays away, and that is looked at again later.
 * Runs with the same `like` do about the same work. fn must give the same result for any team.
 */
void sc_pool_run_some(sc_pool *p, size_t like, sc_pool_fn *fn, void *arg);

/** Waits until every thread of the team is here. Every thread must call it equally often. */
void sc_pool_barrier(const sc_worker *me);

/** The part of `total` items that belongs to this thread: [*from, *to), whole units of `unit`. */
void sc_pool_share(const sc_worker *me, size_t total, size_t unit, size_t *from, size_t *to);

/** How many CPUs this process may use: the affinity mask and the cgroup quota, at least 1. */
unsigned sc_pool_cpus(void);

/**
 * The CPUs that the quotas of a control group (version 2) and of the groups above it allow, rounded
 * up; UINT_MAX without one. `group` is what /proc/self/cgroup calls it ("/a/b"), `root` where the
 * groups are mounted.
 */
unsigned sc_pool_quota(const char *root, const char *group);

SC_AUTO_DEFINE(sc_pool, sc_pool_free);

#endif
