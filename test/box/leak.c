/* Many samples in a row leave nothing: processes, mounts, control groups, descriptors, files,
 * memory. usage: test_box_leak [N] */
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "box/box.h"
#include "box/place.h"
#include "box/tree.h"
#include "box/worker.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t count_folder(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d); // only read
    return n;
}

/* Entries of a folder that begin with `start`. */
static size_t count_names(const char *path, const char *start)
{
    DIR *d = opendir(path);
    size_t n = 0;
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        n += strncmp(e->d_name, start, strlen(start)) == 0;
    if (d)
        (void)closedir(d); // only read
    return n;
}

static size_t count_lines(const char *path)
{
    FILE *f = fopen(path, "re");
    size_t n = 0;
    for (int c = 0; f && (c = getc(f)) != EOF;)
        n += c == '\n';
    if (f)
        (void)fclose(f); // only read
    return n;
}

static unsigned long rss_kib(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/statm", pid); // fits
    FILE *f = fopen(path, "re");
    unsigned long size = 0, rss = 0;
    const bool read_it = f && fscanf(f, "%lu %lu", &size, &rss) == 2;
    if (f)
        (void)fclose(f); // only read
    return read_it ? rss * 4 : 0;
}

/* Processes below `pid`; their resident memory is added to *rss. */
static size_t count_tree(pid_t pid, unsigned depth, unsigned long *rss)
{
    pid_t child[64];
    const size_t n = sc_tree_children(pid, child, 64);
    size_t sum = n;
    for (size_t i = 0; i < n && depth < 8; i++) {
        *rss += rss_kib(child[i]);
        sum += count_tree(child[i], depth + 1, rss);
    }
    return sum;
}

/* As root the workers are users of their own: whatever of theirs runs anywhere, also what left our
 * tree. */
static size_t count_users(void)
{
    DIR *d = opendir("/proc");
    size_t n = 0;
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        struct stat st;
        n += e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
             fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_uid >= sc_place_uid(0) &&
             st.st_uid < sc_place_uid(0) + 128;
    }
    if (d)
        (void)closedir(d); // only read
    return n;
}

// Honest, wrong, broken, noisy, leaving things behind: what models write.
static const struct {
    const char *source;
    sc_box_kind want;
} kinds[] = {
    {"def f(x):\n    return x + 1\n", SC_BOX_PASSED},
    {"def f(x):\n    return x\n", SC_BOX_FAILED},
    {"def f(x)\n", SC_BOX_SYNTAX},
    {"def f(x):\n    return y\n", SC_BOX_ERROR},
    {"print('x' * 100000)\ndef f(x):\n    return x + 1\n", SC_BOX_PASSED},
    {"import os\nos._exit(3)\n", SC_BOX_ERROR},
    {"open('a', 'w').write('x' * 100000)\ndef f(x):\n    return x + 1\n", SC_BOX_PASSED},
    {"import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\ndef f(x):\n    "
     "return x + 1\n",
     SC_BOX_PASSED},
};

// What there is of each thing; the names are those of the tests.
enum { PROCESSES, USERS, DESCRIPTORS, MOUNTS, GROUPS, FILES, N_COUNTS };
static const char *const count_name[N_COUNTS] = {"process",       "process of the workers' users",
                                                 "descriptor",    "mount",
                                                 "control group", "file in a temporary folder"};

typedef struct state {
    size_t n[N_COUNTS];
    unsigned long rss, rss_workers;
} state;

static size_t n_groups; // nftw has no context

static int count_group(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)path;
    (void)st;
    (void)at;
    n_groups += kind == FTW_D;
    return 0;
}

static state look(void)
{
    state s = {.rss = rss_kib(getpid())};
    n_groups = 0;
    (void)nftw("/sys/fs/cgroup", count_group, 16, FTW_PHYS); // absent: none
    s.n[PROCESSES] = count_tree(getpid(), 0, &s.rss_workers);
    s.n[USERS] = count_users();
    s.n[DESCRIPTORS] = count_folder("/proc/self/fd");
    s.n[MOUNTS] = count_lines("/proc/self/mounts");
    s.n[GROUPS] = n_groups;
    s.n[FILES] = count_names("/tmp", "scbench-") + count_names("/var/tmp", "scbench-") +
                 count_names("/dev/shm", "scbench-");
    return s;
}

static size_t run_many(sc_box *b, size_t n)
{
    size_t sent = 0, wrong = 0;
    while (sent < n || sc_box_pending(b)) {
        sc_err err = {0};
        while (sent < n && sc_box_pending(b) < 8) {
            const size_t k = sent++ % SC_LEN(kinds);
            const sc_job job = {.source = sc_str_c(kinds[k].source),
                                .entry = SC_STR("f"),
                                .test =
                                    SC_STR("def check(candidate):\n    assert candidate(1) == 2\n"),
                                .limits = {.cpu_s = 10},
                                .tag = (void *)(uintptr_t)(k + 1)};
            if (sc_box_submit(b, &job, &err) != SC_OK)
                return n;
        }
        SC_AUTO(sc_verdict) v = {0};
        bool got = false;
        if (sc_box_poll(b, -1, &v, &got, &err) != SC_OK) {
            printf("# %s\n", err.msg);
            return n;
        }
        if (got && v.kind != kinds[(uintptr_t)v.tag - 1].want) {
            printf("# kind %zu: %s %s\n", (size_t)(uintptr_t)v.tag - 1, sc_box_kind_name(v.kind),
                   v.message);
            wrong++;
        }
    }
    // The processes that wait for a program are forked while nobody waits for them.
    (void)usleep(200000);
    sc_err err = {0};
    sc_verdict v = {0};
    bool got = false;
    return sc_box_poll(b, 0, &v, &got, &err) == SC_OK ? wrong : n;
}

int main(int argc, char **argv)
{
    sc_json_setup();
    const size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 2000;
    sc_box *b = NULL;
    sc_err err = {0};
    const sc_box_opts o = {.jobs = 2, .level = SC_BOX_FULL, .exact = true};
    if (sc_box_open(&o, &b, &err) != SC_OK) {
        printf("# skip box: %s\nok 1 # SKIP %s\n", err.msg, err.msg);
        return 0;
    }
    size_t wrong = run_many(b, 200); // everything is as large as it gets
    const state before = look();
    const uint64_t start = sc_now_ns();
    wrong += run_many(b, n);
    const double seconds = (double)(sc_now_ns() - start) * 1e-9;
    const state after = look();
    sc_box_close(b);
    const state closed = look();
    printf("# %zu samples, %.0f a second; resident: supervisor %lu KiB before and %lu after, "
           "workers %lu and %lu\n",
           n, (double)n / seconds, before.rss, after.rss, before.rss_workers, after.rss_workers);
    unsigned bad = wrong > 0, test = 1;
    printf("%s 1 - every verdict is right\n", wrong ? "not ok" : "ok");
    for (size_t i = 0; i < N_COUNTS; i++) {
        const bool good = after.n[i] <= before.n[i];
        bad += !good;
        printf("%s %u - no %s is left (%zu before, %zu after)\n", good ? "ok" : "not ok", ++test,
               count_name[i], before.n[i], after.n[i]);
    }
    const bool flat = after.rss <= before.rss + 2048 &&
                      after.rss_workers <= before.rss_workers + before.rss_workers / 4;
    const bool none = closed.n[PROCESSES] == 0 && closed.n[USERS] == 0;
    printf("%s %u - memory does not grow\n", flat ? "ok" : "not ok", ++test);
    printf("%s %u - nothing runs when the box is closed\n", none ? "ok" : "not ok", ++test);
    printf("1..%u\n", test);
    return bad || !flat || !none;
}
