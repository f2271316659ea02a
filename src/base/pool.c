// SPDX-License-Identifier: MIT
#include "base/pool.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// About 20 to 50 microseconds of `pause`: longer than a barrier between running threads takes,
// shorter than a time slice.
enum { SPINS = 2000 };

// The event `start` holds how many threads run in its lowest bits, above them it counts runs.
enum { TEAM_BITS = 9, TEAM = (1 << TEAM_BITS) - 1 };

/* Whether one thread fewer is faster: see sc_pool_run_some. */
enum { WINDOW_NS = 60 * 1000 * 1000, WINDOW_RUNS = 4 };
static const uint64_t PAUSE_LEAST = 500ull * 1000 * 1000, PAUSE_MOST = 8000ull * 1000 * 1000; // ns

typedef struct tally {
    uint64_t ns;
    uint64_t runs;
} tally;

typedef enum phase {
    NO_TRIAL,
    TRY_FEWER, // one has just been sent away
    TRY_ALL,   // and came back: was it the others' doing, or had something passed meanwhile?
} phase;

typedef struct choice {
    size_t like;    // what the runs of the tallies were like
    unsigned spare; // threads that stay away
    phase trial;
    bool paid;        // the last trial, and no quiet window came since
    tally all, fewer; // with every thread, with one fewer
    uint64_t pause;   // ns of runs until the other choice is tried again; doubles
    uint64_t left;    // ns of the pause that are left
} choice;

/* A counter that threads wait on; the sleepers are counted so that waking costs nothing without. */
typedef struct event {
    _Atomic uint32_t value;
    _Atomic uint32_t sleepers;
} event;

struct sc_pool {
    unsigned n;
    unsigned spins;    // looks before a waiting thread sleeps
    pthread_t *thread; // owned, [n - 1]
    sc_worker *worker; // owned, [n]
    sc_pool_fn *fn;    // of the current run
    void *arg;
    // Each on its own cache line: all threads hammer them.
    _Alignas(64) event start;             // counts runs
    _Alignas(64) event gate;              // counts barriers passed
    _Alignas(64) _Atomic uint32_t inside; // threads waiting at the barrier
    _Atomic uint64_t slept_ns;            // at barriers, all threads together
    choice choice;                        // the caller's alone
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static uint64_t now_ns(void)
{
    const sc_clock clock = sc_clock_real();
    return sc_clock_ns(&clock);
}

/* Returns how long it slept, in ns. */
static uint64_t wait_change(event *e, uint32_t old, unsigned spins)
{
    for (unsigned i = 0; i < spins; i++) {
        if (atomic_load_explicit(&e->value, memory_order_acquire) != old)
            return 0;
        relax();
    }
    const uint64_t from = now_ns();
    (void)atomic_fetch_add(&e->sleepers, 1);
    while (atomic_load(&e->value) == old)
        (void)syscall(SYS_futex, &e->value, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
    (void)atomic_fetch_sub(&e->sleepers, 1);
    return now_ns() - from;
}

static void advance(event *e, uint32_t value)
{
    atomic_store(&e->value, value);
    if (atomic_load(&e->sleepers))
        (void)syscall(SYS_futex, &e->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* The value of `start` for one more run, with `team` threads. */
static uint32_t next_run(const sc_pool *p, unsigned team)
{
    const uint32_t last = atomic_load_explicit(&p->start.value, memory_order_relaxed);
    return ((last >> TEAM_BITS) + 1) << TEAM_BITS | team;
}

void sc_pool_barrier(const sc_worker *me)
{
    sc_pool *p = me->pool;
    if (me->n == 1)
        return;
    const uint32_t round = atomic_load_explicit(&p->gate.value, memory_order_relaxed);
    if (atomic_fetch_add(&p->inside, 1) + 1 == me->n) {
        atomic_store(&p->inside, 0);
        advance(&p->gate, round + 1);
        return;
    }
    const uint64_t slept = wait_change(&p->gate, round, p->spins);
    if (slept)
        (void)atomic_fetch_add_explicit(&p->slept_ns, slept, memory_order_relaxed);
}

static void *work(void *arg)
{
    sc_worker *me = arg;
    sc_pool *p = me->pool;
    uint32_t seen = 0;
    for (;;) {
        (void)wait_change(&p->start, seen, p->spins);
        // One look tells the run and its team: a thread that stayed away may have missed some.
        seen = atomic_load_explicit(&p->start.value, memory_order_acquire);
        if ((seen & TEAM) == 0)
            return NULL;
        if (me->index >= (seen & TEAM))
            continue;
        me->n = seen & TEAM;
        p->fn(me, p->arg);
        sc_pool_barrier(me);
    }
}

static sc_code start_threads(sc_pool *p, sc_err *err)
{
    for (unsigned i = 1; i < p->n; i++) {
        const int why = pthread_create(&p->thread[i - 1], NULL, work, &p->worker[i]);
        if (why != 0) {
            p->n = i; // those that run are joined by sc_pool_free
            return sc_fail_sys(err, SC_E_IO, why, "cannot start thread %u", i);
        }
    }
    return SC_OK;
}

sc_code sc_pool_new(unsigned n, sc_pool **out, sc_err *err)
{
    if (n == 0)
        n = sc_pool_cpus();
    if (n > SC_POOL_MAX)
        return sc_fail(err, SC_E_LIMIT, "%u threads, at most %d possible", n, SC_POOL_MAX);
    SC_AUTO(sc_pool) *p = sc_alloc_pages(sizeof(sc_pool)); // cache-line aligned
    if (!p)
        return sc_fail_nomem(err);
    p->n = 1;
    p->thread = sc_alloc(n, sizeof *p->thread);
    p->worker = sc_alloc(n, sizeof *p->worker);
    if (!p->thread || !p->worker)
        return sc_fail_nomem(err);
    for (unsigned i = 0; i < n; i++)
        p->worker[i] = (sc_worker){p, i, n};
    p->n = n;
    // Where threads share a CPU, one that spins keeps those away that it waits for.
    p->spins = n > sc_pool_cpus() ? 0 : SPINS;
    SC_TRY(start_threads(p, err));
    *out = sc_take(p);
    return SC_OK;
}

void sc_pool_free(sc_pool *p)
{
    if (!p)
        return;
    if (p->n > 1) {
        advance(&p->start, next_run(p, 0)); // a team of none: the end
        for (unsigned i = 1; i < p->n; i++)
            (void)pthread_join(p->thread[i - 1], NULL); // our own threads, joined once
    }
    sc_free(p->thread);
    sc_free(p->worker);
    sc_free_pages(p, sizeof *p);
}

unsigned sc_pool_size(const sc_pool *p)
{
    return p->n;
}

/* Runs fn on the first `team` threads. */
static void run_team(sc_pool *p, unsigned team, sc_pool_fn *fn, void *arg)
{
    p->fn = fn;
    p->arg = arg;
    p->worker[0].n = team;
    if (team > 1)
        advance(&p->start, next_run(p, team));
    fn(&p->worker[0], arg);
    sc_pool_barrier(&p->worker[0]);
}

void sc_pool_run(sc_pool *p, sc_pool_fn *fn, void *arg)
{
    run_team(p, p->n, fn, arg);
}

/* Starts the next window with `spare` threads away. */
static void begin_window(choice *c, unsigned spare, phase trial)
{
    c->spare = spare;
    c->trial = trial;
    if (spare)
        c->fewer = (tally){0, 0};
    else
        c->all = (tally){0, 0};
}

/* A trial is over: which was faster, in time a run? */
static void settle(choice *c)
{
    c->paid = (double)c->fewer.ns * (double)c->all.runs * 1.05 <
              (double)c->all.ns * (double)c->fewer.runs;
    c->pause = c->pause == 0 ? PAUSE_LEAST : c->pause < PAUSE_MOST ? 2 * c->pause : PAUSE_MOST;
    c->left = c->pause;
    begin_window(c, c->paid ? 1 : 0, NO_TRIAL);
}

/*
 * A window of runs alike is over; `slept` is the share of it that a thread slept at barriers. What
 * kept a thread away for one window is often gone in the next, so all must have been slow twice.
 */
static void choose(choice *c, double slept)
{
    if (c->trial == TRY_FEWER && !c->paid) {
        begin_window(c, 0, TRY_ALL);
    } else if (c->trial != NO_TRIAL) {
        settle(c);
    } else if (c->left == 0 && slept > 0.2) {
        begin_window(c, 1, TRY_FEWER);
    } else {
        if (c->left == 0) {
            c->pause = 0;
            c->paid = false;
        }
        begin_window(c, c->spare, NO_TRIAL);
    }
}

/*
 * Counts the pause down, whatever the runs are like: steps of a few rows and of many, in turns,
 * would never fill a window. Returns true when it is over and all threads come again.
 */
static bool pass(choice *c, uint64_t ns)
{
    if (c->left == 0)
        return false;
    c->left -= ns < c->left ? ns : c->left;
    if (c->left > 0 || !c->spare)
        return false;
    begin_window(c, 0, NO_TRIAL);
    return true;
}

void sc_pool_run_some(sc_pool *p, size_t like, sc_pool_fn *fn, void *arg)
{
    if (p->n == 1) {
        run_team(p, 1, fn, arg);
        return;
    }
    choice *c = &p->choice;
    if (c->like != like) {
        c->like = like;
        begin_window(c, c->trial ? 0 : c->spare, NO_TRIAL);
        atomic_store_explicit(&p->slept_ns, 0, memory_order_relaxed);
    }
    const uint64_t from = now_ns();
    run_team(p, p->n - c->spare, fn, arg);
    const uint64_t ns = now_ns() - from;
    tally *t = c->spare ? &c->fewer : &c->all;
    t->ns += ns;
    t->runs++;
    if (pass(c, ns) || t->ns < WINDOW_NS || t->runs < WINDOW_RUNS)
        return;
    const uint64_t slept = atomic_exchange_explicit(&p->slept_ns, 0, memory_order_relaxed);
    choose(c, (double)slept / ((double)t->ns * (double)(p->n - 1)));
}

void sc_pool_share(const sc_worker *me, size_t total, size_t unit, size_t *from, size_t *to)
{
    const size_t units = total / unit + (total % unit != 0);
    const size_t each = units / me->n;
    const size_t more = units % me->n; // the first threads take one unit more
    const size_t first = me->index * each + (me->index < more ? me->index : more);
    const size_t last = first + each + (me->index < more ? 1 : 0);
    *from = first * unit < total ? first * unit : total;
    *to = last * unit < total ? last * unit : total;
}

/* What the group in the folder `dir` allows itself, rounded up; UINT_MAX without a quota. */
static unsigned quota_of(const char *dir)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/cpu.max", dir);
    FILE *f = n > 0 && n < PATH_MAX ? fopen(path, "re") : NULL;
    if (!f)
        return UINT_MAX;
    char line[64] = "";
    const bool got = fgets(line, sizeof line, f) != NULL;
    (void)fclose(f); // opened for reading
    if (!got || strncmp(line, "max", 3) == 0)
        return UINT_MAX;
    char *end = NULL;
    const unsigned long long used = strtoull(line, &end, 10);
    const unsigned long long period = strtoull(end, NULL, 10);
    if (used == 0 || period == 0 || used / period >= UINT_MAX - 1)
        return UINT_MAX;
    return (unsigned)(used / period + (used % period != 0));
}

unsigned sc_pool_quota(const char *root, const char *group)
{
    char dir[PATH_MAX];
    const int n = snprintf(dir, sizeof dir, "%s%s", root, group);
    if (n < 0 || n >= PATH_MAX)
        return UINT_MAX;
    unsigned least = UINT_MAX;
    for (;;) {
        const unsigned q = quota_of(dir);
        least = q < least ? q : least;
        char *slash = strrchr(dir, '/');
        if (!slash || slash < dir + strlen(root))
            return least;
        *slash = 0;
    }
}

/* The quota of this process. */
static unsigned own_quota(void)
{
    char line[PATH_MAX + 16] = "";
    char group[sizeof line] = "";
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "0::", 3) != 0) // lines of version 1
            continue;
        line[strcspn(line, "\n")] = 0;
        memcpy(group, line + 3, strlen(line + 3) + 1);
    }
    if (f)
        (void)fclose(f); // opened for reading
    return sc_pool_quota("/sys/fs/cgroup", group);
}

unsigned sc_pool_cpus(void)
{
    cpu_set_t set;
    unsigned n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = (unsigned)CPU_COUNT(&set);
    const unsigned limit = own_quota();
    n = n < limit ? n : limit;
    return n < 1 ? 1 : n > SC_POOL_MAX ? SC_POOL_MAX : n;
}
