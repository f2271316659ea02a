/* The same programs give the same verdicts on a quiet machine and with a busy loop on every core
 * beside them, twice. usage: test_box_load [ROUNDS] */
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "box/box.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CPUS = 64 };

// Near the limits of half a second of CPU time and a second and a half of wall time; not so near
// that the machine's own spread (a loaded core computes up to 1.4 times as long) decides.
static const struct {
    const char *source;
    sc_box_kind want;
} programs[] = {
    {"def f(x):\n    return x + 1\n", SC_BOX_PASSED},
    {"def f(x):\n    return x\n", SC_BOX_FAILED},
    {"import time\ndef f(x):\n    while time.process_time() < 0.3:\n        pass\n    return x + "
     "1\n",
     SC_BOX_PASSED},
    {"import time\ndef f(x):\n    while time.process_time() < 0.8:\n        pass\n    return x + "
     "1\n",
     SC_BOX_TIMEOUT},
    {"def f(x):\n    while True:\n        pass\n", SC_BOX_TIMEOUT},
    {"import time\ndef f(x):\n    time.sleep(0.7)\n    return x + 1\n", SC_BOX_PASSED},
    {"import time\ndef f(x):\n    time.sleep(9)\n    return x + 1\n", SC_BOX_TIMEOUT},
    {"import os, time\ndef f(x):\n    if os.fork() == 0:\n        while True:\n            pass\n  "
     " "
     " time.sleep(20)\n",
     SC_BOX_TIMEOUT},
    {"def f(x):\n    return [0] * 10**9\n", SC_BOX_OOM},
    {"def f(x):\n    return y\n", SC_BOX_ERROR},
};

static unsigned n_tests, n_bad;

static void result(bool good, const char *name)
{
    n_bad += !good;
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++n_tests, name);
}

/* Runs all of them; the number of verdicts that are not what they must be. */
static size_t run_all(sc_box *b, const char *when)
{
    size_t wrong = 0;
    sc_err err = {0};
    for (size_t i = 0; i < SC_LEN(programs); i++) {
        const sc_job job = {.source = sc_str_c(programs[i].source),
                            .entry = SC_STR("f"),
                            .test = SC_STR("def check(candidate):\n    assert candidate(1) == 2\n"),
                            .limits = {.cpu_s = 0.5, .wall_s = 1.5},
                            .tag = (void *)(uintptr_t)(i + 1)};
        if (sc_box_submit(b, &job, &err) != SC_OK)
            return SC_LEN(programs);
    }
    while (sc_box_pending(b)) {
        SC_AUTO(sc_verdict) v = {0};
        bool got = false;
        if (sc_box_poll(b, -1, &v, &got, &err) != SC_OK) {
            printf("# %s\n", err.msg);
            return SC_LEN(programs);
        }
        const size_t i = (size_t)(uintptr_t)v.tag - 1;
        if (got && v.kind != programs[i].want) {
            printf("# %s: program %zu: %s after %.3f s of CPU, %.3f s\n", when, i,
                   sc_box_kind_name(v.kind), v.cpu_s, v.wall_s);
            wrong++;
        }
    }
    return wrong;
}

static size_t start_loops(pid_t loop[MAX_CPUS])
{
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus > 0 && cpus < MAX_CPUS ? (size_t)cpus : 1;
    for (size_t i = 0; i < n; i++) {
        loop[i] = fork();
        if (loop[i] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // only a help
            for (volatile unsigned k = 0;; k++) {
            }
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    sc_json_setup();
    const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
    sc_err err = {0};
    SC_AUTO(sc_box) *b = NULL;
    const sc_box_opts o = {.jobs = 2, .level = SC_BOX_FULL, .exact = true};
    if (sc_box_open(&o, &b, &err) != SC_OK) {
        printf("# skip box: %s\nok 1 # SKIP %s\n", err.msg, err.msg);
        return 0;
    }
    result(run_all(b, "before") == 0, "every verdict is right before the load");
    pid_t loop[MAX_CPUS];
    const size_t n = start_loops(loop);
    for (unsigned long i = 0; i < rounds; i++)
        result(run_all(b, "under load") == 0,
               "every verdict is right with a busy loop on every core");
    for (size_t i = 0; i < n; i++)
        if (loop[i] > 0) {
            (void)kill(loop[i], SIGKILL);    // our own child
            (void)waitpid(loop[i], NULL, 0); // as above
        }
    printf("1..%u\n", n_tests);
    return n_bad > 0;
}
