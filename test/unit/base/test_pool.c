// SPDX-License-Identifier: MIT
#include "base/pool.h"
#include "t.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ITEMS = 1003, ROUNDS = 300 };

struct job {
    int phase[ITEMS];
    int wrong[64];
};

/* Each round reads what the neighbours wrote before the barrier. */
static void rounds(const sc_worker *me, void *arg)
{
    struct job *j = arg;
    size_t from = 0;
    size_t to = 0;
    sc_pool_share(me, ITEMS, 4, &from, &to);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = from; i < to; i++)
            j->phase[i]++;
        sc_pool_barrier(me);
        for (size_t i = me->index; i < ITEMS; i += me->n)
            j->wrong[me->index] += j->phase[i] != round + 1;
        sc_pool_barrier(me);
    }
}

TEST(barriers_hold_for_any_number_of_threads)
{
    UNUSED;
    static const unsigned sizes[] = {1, 2, 3, 7, 64};
    for (size_t k = 0; k < SC_LEN(sizes); k++) {
        sc_err err = {0};
        SC_AUTO(sc_pool) *p = NULL;
        CHECK_OK(sc_pool_new(sizes[k], &p, &err), &err);
        for (int again = 0; again < 3; again++) {
            struct job *j = sc_new(struct job);
            CHECK(j);
            sc_pool_run(p, rounds, j);
            for (unsigned t = 0; t < sizes[k]; t++)
                assert_int_equal(j->wrong[t], 0);
            sc_free(j);
        }
    }
}

TEST(shares_cover_everything_once)
{
    UNUSED;
    for (unsigned n = 1; n < 9; n++)
        for (size_t total = 0; total < 70; total++) {
            size_t next = 0;
            for (unsigned i = 0; i < n; i++) {
                const sc_worker me = {NULL, i, n};
                size_t from = 0;
                size_t to = 0;
                sc_pool_share(&me, total, 8, &from, &to);
                CHECK(from == next && to >= from);
                CHECK(from % 8 == 0 || from == total);
                next = to;
            }
            assert_int_equal(next, total);
        }
}

struct shift {
    bool stalled;      // as if another program had the second CPU
    unsigned teams[3]; // how often that many threads came
    size_t likes;      // kinds of runs, in turns; 0: one
};

static void one_shift(const sc_worker *me, void *arg)
{
    struct shift *s = arg;
    if (me->index == 0)
        s->teams[me->n]++;
    const struct timespec stall = {0, 5 * 1000 * 1000};
    const struct timespec work = {0, 2 * 1000 * 1000 / (long)me->n};
    (void)nanosleep(me->index == 1 && s->stalled ? &stall : &work, NULL);
    sc_pool_barrier(me);
}

/* Runs until `n` threads came once; false when they never do. */
static bool comes_to(sc_pool *p, struct shift *s, unsigned n)
{
    s->teams[n] = 0;
    for (int i = 0; i < 20000 && s->teams[n] == 0; i++)
        sc_pool_run_some(p, s->likes ? 7 + (size_t)i % s->likes : 7, one_shift, s);
    return s->teams[n] > 0;
}

TEST(a_thread_that_is_kept_waiting_for_stays_away_for_a_while)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_pool) *p = NULL;
    CHECK_OK(sc_pool_new(2, &p, &err), &err);
    struct shift s = {.stalled = true};
    CHECK(comes_to(p, &s, 2));
    CHECK(comes_to(p, &s, 1));
    s.stalled = false;
    CHECK(comes_to(p, &s, 2));
}

TEST(a_thread_that_stays_away_comes_back_though_no_two_runs_are_alike)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_pool) *p = NULL;
    CHECK_OK(sc_pool_new(2, &p, &err), &err);
    struct shift s = {.stalled = true};
    CHECK(comes_to(p, &s, 1));
    s.stalled = false;
    s.likes = 2;
    CHECK(comes_to(p, &s, 2));
}

static void put(const char *dir, const char *text)
{
    char path[256];
    CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
    (void)snprintf(path, sizeof path, "%s/cpu.max", dir); // fits
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

TEST(the_tightest_quota_of_the_groups_counts)
{
    UNUSED;
    char root[] = "sc_pool_XXXXXX";
    CHECK(mkdtemp(root));
    char outer[64], inner[128];
    (void)snprintf(outer, sizeof outer, "%s/outer", root);  // fits
    (void)snprintf(inner, sizeof inner, "%s/inner", outer); // fits
    CHECK(sc_pool_quota(root, "/outer/inner") == UINT_MAX); // no such group
    put(outer, "250000 100000\n");
    put(inner, "max 100000\n");
    CHECK(sc_pool_quota(root, "/outer/inner") == 3); // 2.5 CPUs, of the group above
    put(inner, "50000 100000\n");
    CHECK(sc_pool_quota(root, "/outer/inner") == 1); // half a CPU
    CHECK(sc_pool_quota(root, "/outer") == 3 && sc_pool_quota(root, "/") == UINT_MAX);
    put(inner, "nonsense\n");
    CHECK(sc_pool_quota(root, "/outer/inner") == 3);
    put(inner, "400000 100000\n");
    CHECK(sc_pool_quota(root, "/outer/inner") == 3);
    char path[256];
    const char *const dirs[] = {inner, outer, root};
    for (size_t i = 0; i < SC_LEN(dirs); i++) {
        (void)snprintf(path, sizeof path, "%s/cpu.max", dirs[i]); // fits
        (void)remove(path);                                       // root has none
        CHECK(rmdir(dirs[i]) == 0);
    }
}

TEST(no_more_threads_than_the_affinity_allows)
{
    UNUSED;
    cpu_set_t before, one;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(sc_pool_cpus() == 1);
    SC_AUTO(sc_pool) *p = NULL;
    sc_err err = {0};
    CHECK_OK(sc_pool_new(0, &p, &err), &err);
    CHECK(sc_pool_size(p) == 1);
    CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
    CHECK(sc_pool_cpus() >= 1);
}

TEST(too_many_threads_is_an_error)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_pool) *p = NULL;
    CHECK_CODE(SC_E_LIMIT, sc_pool_new(SC_POOL_MAX + 1, &p, &err), &err);
    CHECK(sc_pool_cpus() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(barriers_hold_for_any_number_of_threads),
        T(shares_cover_everything_once),
        T(a_thread_that_is_kept_waiting_for_stays_away_for_a_while),
        T(a_thread_that_stays_away_comes_back_though_no_two_runs_are_alike),
        T(the_tightest_quota_of_the_groups_counts),
        T(no_more_threads_than_the_affinity_allows),
        T(too_many_threads_is_an_error),
    };
    return RUN_TESTS(tests);
}
