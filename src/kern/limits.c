// SPDX-License-Identifier: MIT
#include "kern/limits.h"

#include "base/clock.h"
#include "base/mem.h"

enum {
    MEMORY = 256 << 20, // larger than the caches of one process's share
    WINDOW = 32 << 20,  // read in one pass: about a millisecond, so that some pass is undisturbed
    LINE = 4096,        // threads share a window in whole pages
    READS = 64,         // passes; a window comes round when the caches have long forgotten it
    PASSES = 8,
    ROUNDS = 200000, // of a multiply-add loop: about a millisecond
    MEETINGS = 2000,
};

/* One measurement on every thread of the pool. */
typedef struct probe {
    const sc_kern *k;
    const uint8_t *memory;
    size_t window; // of the next pass
    uint64_t (*mac)(size_t rounds);
    bool lone; // thread 0 alone works
    uint64_t sink[SC_POOL_MAX];
    double rate[SC_POOL_MAX]; // the best so far, of each thread
} probe;

static double now(void)
{
    const sc_clock clock = sc_clock_real();
    return (double)sc_clock_ns(&clock) * 1e-9;
}

static void read_share(const sc_worker *me, void *arg)
{
    probe *p = arg;
    size_t from = 0, to = 0;
    if (p->lone && me->index > 0)
        return;
    if (p->lone)
        to = WINDOW;
    else
        sc_pool_share(me, WINDOW, LINE, &from, &to);
    p->sink[me->index] ^= p->k->probe_read(p->memory + p->window + from, to - from);
}

static void multiply(const sc_worker *me, void *arg)
{
    probe *p = arg;
    const double start = now();
    const double done = (double)p->mac(ROUNDS), rate = done / (now() - start);
    if (rate > p->rate[me->index])
        p->rate[me->index] = rate;
}

static void meet(const sc_worker *me, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < MEETINGS; i++)
        sc_pool_barrier(me);
}

/*
 * Seconds of a run: of `passes` runs, at most READS, the one that an eighth are quicker than. The
 * very shortest may be luck, and the longer ones are what else the machine does.
 */
static double best_of(sc_pool *pool, sc_pool_fn *fn, probe *p, size_t passes)
{
    double took[READS];
    for (size_t i = 0; i < passes; i++) {
        p->window = i * WINDOW % MEMORY;
        const double start = now();
        sc_pool_run(pool, fn, p);
        const double t = now() - start;
        size_t at = i; // kept in rising order
        for (; at > 0 && took[at - 1] > t; at--)
            took[at] = took[at - 1];
        took[at] = t;
    }
    return took[passes / 8];
}

static double mac_rate(sc_pool *pool, probe *p, uint64_t (*mac)(size_t))
{
    p->mac = mac;
    memset(p->rate, 0, sizeof p->rate);
    (void)best_of(pool, multiply, p, PASSES); // each thread keeps its own time
    double all = 0;
    for (unsigned i = 0; i < sc_pool_size(pool); i++)
        all += p->rate[i];
    return all;
}

static void write_share(const sc_worker *me, void *arg)
{
    size_t from = 0, to = 0;
    sc_pool_share(me, MEMORY, LINE, &from, &to);
    memset((uint8_t *)arg + from, (int)me->index + 1, to - from);
}

static sc_code with_memory(const sc_kern *k, sc_pool *pool, sc_limits *out, bool all, sc_err *err)
{
    uint8_t *memory = sc_alloc_pages(MEMORY);
    probe *p = sc_new(probe);
    if (!memory || !p) {
        sc_free_pages(memory, MEMORY);
        sc_free(p);
        return sc_fail_nomem(err);
    }
    sc_pool_run(pool, write_share, memory); // each thread touches what it will read
    p->k = k;
    p->memory = memory;
    out->threads = sc_pool_size(pool);
    out->read_all = WINDOW / best_of(pool, read_share, p, READS);
    if (all) {
        p->lone = true;
        out->read_one = WINDOW / best_of(pool, read_share, p, READS);
        out->f32 = mac_rate(pool, p, k->probe_f32);
        out->bf16 = mac_rate(pool, p, k->probe_bf16);
        out->int8 = mac_rate(pool, p, k->probe_int8);
        out->barrier = best_of(pool, meet, p, PASSES) / MEETINGS;
    }
    sc_free_pages(memory, MEMORY);
    sc_free(p);
    return SC_OK;
}

sc_code sc_limits_measure(const sc_kern *k, sc_pool *pool, sc_limits *out, sc_err *err)
{
    sc_limits l = {0};
    SC_TRY(with_memory(k, pool, &l, true, err));
    *out = l;
    return SC_OK;
}

sc_code sc_limits_read(const sc_kern *k, sc_pool *pool, double *bytes_s, sc_err *err)
{
    sc_limits l = {0};
    SC_TRY(with_memory(k, pool, &l, false, err));
    *bytes_s = l.read_all;
    return SC_OK;
}
