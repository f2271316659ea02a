/* How long a trivial program takes from being handed in to its verdict, at each level in turn, and
 * how many a second. "none" is the fork of the same warm interpreter without a sandbox. usage:
 * box_bench [ROUNDS] [PER_ROUND] [LEVEL...] */
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "base/mem.h"
#include "box/box.h"
#include "box/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_LEVELS = 4, MAX_TIMES = 1 << 20 };

typedef struct lane {
    sc_box_level level;
    sc_box *one, *two;
    double *ms; // [n]
    size_t n;
    double wall_s; // of the batches with two workers
    size_t done;
} lane;

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static sc_job trivial(void)
{
    return (sc_job){.source = SC_STR("def f(x):\n    return x + 1\n"),
                    .entry = SC_STR("f"),
                    .test = SC_STR("def check(candidate):\n    assert candidate(1) == 2\n")};
}

static void alone(lane *l, size_t n)
{
    const sc_job job = trivial();
    for (size_t i = 0; i < n; i++) {
        sc_err err = {0};
        SC_AUTO(sc_verdict) v = {0};
        const uint64_t start = sc_now_ns();
        if (sc_box_run(l->one, &job, &v, &err) != SC_OK || v.kind != SC_BOX_PASSED) {
            printf("%s: %s\n", sc_box_level_name(l->level), err.msg);
            exit(1);
        }
        if (l->n < MAX_TIMES)
            l->ms[l->n++] = (double)(sc_now_ns() - start) * 1e-6;
    }
}

static void together(lane *l, size_t n)
{
    const sc_job job = trivial();
    const uint64_t start = sc_now_ns();
    for (size_t sent = 0, got_n = 0; got_n < n;) {
        sc_err err = {0};
        while (sent < n && sc_box_pending(l->two) < 8 && sc_box_submit(l->two, &job, &err) == SC_OK)
            sent++;
        SC_AUTO(sc_verdict) v = {0};
        bool got = false;
        if (sc_box_poll(l->two, -1, &v, &got, &err) != SC_OK)
            exit(1);
        got_n += got;
    }
    l->wall_s += (double)(sc_now_ns() - start) * 1e-9;
    l->done += n;
}

static bool open_lane(lane *l, const char *name)
{
    sc_err err = {0};
    if (!sc_box_level_find(sc_str_c(name), &l->level))
        return false;
    sc_box_opts o = {.jobs = 1, .level = l->level, .exact = true};
    sc_code code = sc_box_open(&o, &l->one, &err);
    o.jobs = 2;
    if (code == SC_OK)
        code = sc_box_open(&o, &l->two, &err);
    l->ms = sc_alloc(MAX_TIMES, sizeof *l->ms);
    if (code != SC_OK || !l->ms)
        printf("%s: %s\n", name, err.msg);
    return code == SC_OK && l->ms;
}

int main(int argc, char **argv)
{
    static const char *const preset[] = {"full", "none"};
    const size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    const size_t each = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    lane lanes[MAX_LEVELS] = {0};
    size_t n = 0;
    for (int i = 3; i < argc && n < MAX_LEVELS; i++)
        n += open_lane(&lanes[n], argv[i]);
    for (size_t i = 0; argc <= 3 && i < SC_LEN(preset); i++)
        n += open_lane(&lanes[n], preset[i]);
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < n; i++) { // one after the other, so that all have the same machine
            alone(&lanes[i], each);
            together(&lanes[i], each);
        }
    for (size_t i = 0; i < n; i++) {
        lane *l = &lanes[i];
        qsort(l->ms, l->n, sizeof *l->ms, compare);
        struct rusage before, after;
        (void)getrusage(RUSAGE_CHILDREN, &before); // cannot fail
        sc_box_close(l->one);
        sc_box_close(l->two);
        (void)getrusage(RUSAGE_CHILDREN, &after); // as above
        const double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
                                    after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                           1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                                           after.ru_stime.tv_usec - before.ru_stime.tv_usec);
        printf("%-12s median %.3f ms, 10 %% %.3f, 90 %% %.3f; two workers %.0f a second; %.3f ms "
               "of CPU each\n",
               sc_box_level_name(l->level), l->ms[l->n / 2], l->ms[l->n / 10], l->ms[l->n * 9 / 10],
               (double)l->done / l->wall_s, 1e3 * cpu / (double)(l->done + l->n));
        sc_free(l->ms);
    }
    return 0;
}
