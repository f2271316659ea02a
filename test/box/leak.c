/* Many samples in a row leave nothing: processes, descriptors, memory, folders. usage:
 * test_box_leak [N] */
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "box/box.h"
#include "box/tree.h"
#include "box/worker.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static size_t count_tree(pid_t pid, unsigned depth)
{
    pid_t child[64];
    const size_t n = sc_tree_children(pid, child, 64);
    size_t sum = n;
    for (size_t i = 0; i < n && depth < 8; i++)
        sum += count_tree(child[i], depth + 1);
    return sum;
}

static unsigned long rss_kib(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size = 0, rss = 0;
    const bool read_it = f && fscanf(f, "%lu %lu", &size, &rss) == 2;
    if (f)
        (void)fclose(f); // only read
    return read_it ? rss * 4 : 0;
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

typedef struct state {
    size_t processes, descriptors;
    unsigned long rss;
} state;

static state look(void)
{
    return (state){count_tree(getpid(), 0), count_folder("/proc/self/fd"), rss_kib()};
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
    return wrong;
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
    printf("# %zu samples, %.0f a second, resident %lu KiB before and %lu after\n", n,
           (double)n / seconds, before.rss, after.rss);
    printf("%s 1 - every verdict is right\n", wrong ? "not ok" : "ok");
    printf("%s 2 - no process is left\n",
           after.processes != before.processes || count_tree(getpid(), 0) ? "not ok" : "ok");
    printf("%s 3 - no descriptor is left\n",
           after.descriptors != before.descriptors ? "not ok" : "ok");
    const bool flat = after.rss <= before.rss + 2048;
    printf("%s 4 - the supervisor does not grow\n1..4\n", flat ? "ok" : "not ok");
    return wrong || after.processes != before.processes ||
           after.descriptors != before.descriptors || !flat;
}
