/* How long a trivial program takes from being handed in to its verdict, at each level in turn with
 * the unsandboxed fork of the same warm interpreter (guest/fork_bench), and how many a second.
 * "alone": a pause before each, the supervisor has nothing to do. "in a row": the next one is
 * handed in when the verdict is there. usage: box_bench [ROUNDS] [PER_ROUND] [LEVEL...] */
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "base/mem.h"
#include "box/box.h"
#include "box/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_LEVELS = 4, MAX_TIMES = 1 << 20, PAUSE_US = 3000 };

typedef struct series {
    double *ms; // owned, [n]
    size_t n;
} series;

typedef struct lane {
    sc_box_level level;
    sc_box *one, *two;
    series alone, row;
    double wall_s; // of the batches with two workers
    size_t done;
} lane;

/* The fork without a sandbox: a process that answers with times. */
typedef struct bare {
    FILE *to, *from;
    series alone, row;
} bare;

static void add_time(series *s, double ms)
{
    if (!s->ms)
        s->ms = sc_alloc(MAX_TIMES, sizeof *s->ms);
    if (!s->ms)
        exit(1);
    if (s->n < MAX_TIMES)
        s->ms[s->n++] = ms;
}

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

static void one_by_one(lane *l, size_t n, bool pause)
{
    const sc_job job = trivial();
    for (size_t i = 0; i < n; i++) {
        sc_err err = {0};
        SC_AUTO(sc_verdict) v = {0};
        if (pause)
            (void)usleep(PAUSE_US); // a shorter pause is as good
        const uint64_t start = sc_now_ns();
        if (sc_box_run(l->one, &job, &v, &err) != SC_OK || v.kind != SC_BOX_PASSED) {
            printf("%s: %s\n", sc_box_level_name(l->level), err.msg);
            exit(1);
        }
        add_time(pause ? &l->alone : &l->row, (double)(sc_now_ns() - start) * 1e-6);
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
    if (code != SC_OK)
        printf("%s: %s\n", name, err.msg);
    return code == SC_OK;
}

/* Starts guest/fork_bench beside this program; without it there is nothing to compare with. */
static bool open_bare(bare *b, const char *self)
{
    char path[4096];
    const char *slash = strrchr(self, '/');
    (void)snprintf(path, sizeof path, "%.*sguest/fork_bench", slash ? (int)(slash + 1 - self) : 0,
                   self); // a cut path is not found
    int in[2], out[2];
    if (access(path, X_OK) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return false;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(in[0], 0);  // as
        (void)dup2(out[1], 1); // below
        (void)execl(path, path, "serve", (char *)NULL);
        _exit(127); // the parent reads nothing
    }
    (void)close(in[0]);
    (void)close(out[1]);
    b->to = fdopen(in[1], "w");
    b->from = fdopen(out[0], "r");
    return pid > 0 && b->to && b->from;
}

static void fork_bare(bare *b, size_t n, bool pause)
{
    char line[64];
    (void)fprintf(b->to, "%zu %d\n", n, pause ? PAUSE_US : 0);
    (void)fflush(b->to); // else nothing comes back
    for (size_t i = 0; i < n && fgets(line, sizeof line, b->from); i++)
        add_time(pause ? &b->alone : &b->row, strtod(line, NULL));
}

static void report(const char *name, const char *how, series *s, const series *against)
{
    if (!s->n)
        return;
    qsort(s->ms, s->n, sizeof *s->ms, compare);
    printf("%-12s %-9s median %.3f ms, 10 %% %.3f, 90 %% %.3f", name, how, s->ms[s->n / 2],
           s->ms[s->n / 10], s->ms[s->n * 9 / 10]);
    if (against && against->n)
        printf("; %.2f times a bare fork", s->ms[s->n / 2] / against->ms[against->n / 2]);
    printf("\n");
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
    bare b = {0};
    const bool compared = open_bare(&b, argv[0]);
    for (size_t r = 0; r < rounds; r++) // one after the other, so that all have the same machine
        for (size_t i = 0; i < n; i++) {
            for (int pause = 0; pause < 2; pause++) {
                one_by_one(&lanes[i], each, pause);
                if (compared)
                    fork_bare(&b, each, pause);
            }
            together(&lanes[i], each);
        }
    report("bare fork", "alone", &b.alone, NULL);
    report("bare fork", "in a row", &b.row, NULL);
    for (size_t i = 0; i < n; i++) {
        lane *l = &lanes[i];
        const char *name = sc_box_level_name(l->level);
        report(name, "alone", &l->alone, &b.alone);
        report(name, "in a row", &l->row, &b.row);
        struct rusage before, after;
        (void)getrusage(RUSAGE_CHILDREN, &before); // cannot fail
        sc_box_close(l->one);
        sc_box_close(l->two);
        (void)getrusage(RUSAGE_CHILDREN, &after); // as above
        const double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
                                    after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                           1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                                           after.ru_stime.tv_usec - before.ru_stime.tv_usec);
        printf("%-12s two workers %.0f a second; %.3f ms of CPU each\n", name,
               (double)l->done / l->wall_s, 1e3 * cpu / (double)(l->done + l->alone.n + l->row.n));
        sc_free(l->alone.ms);
        sc_free(l->row.ms);
    }
    sc_free(b.alone.ms);
    sc_free(b.row.ms);
    return 0;
}
