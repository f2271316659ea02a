/* Processes that wait for their program beside one that runs change nothing of what it may do: its
 * limits hold exactly, programs with different limits follow each other, and a waiting process that
 * dies is our fault, not the next program's. usage: test_box_ahead */
// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "box/box.h"
#include "box/tree.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 6, BURST = 24 };

static unsigned n_tests, n_bad;

static void result(bool good, const char *name, const char *why)
{
    n_bad += !good;
    printf("%s %u - %s%s%s\n", good ? "ok" : "not ok", ++n_tests, name, good ? "" : ": ",
           good ? "" : why);
}

// Starts processes until one is refused; it is one itself.
static const char forks[] = "import os, time\n"
                            "def f(x):\n"
                            "    n = 1\n"
                            "    try:\n"
                            "        while n < 100:\n"
                            "            if os.fork() == 0:\n"
                            "                time.sleep(100)\n"
                            "            n += 1\n"
                            "    except OSError:\n"
                            "        pass\n"
                            "    return n\n";
// How much its folder holds, in MiB; and that nobody was there before.
static const char fills[] = "import os\n"
                            "def f(x):\n"
                            "    if os.listdir('.') != ['solution.py']:\n"
                            "        return os.listdir('.')\n"
                            "    n = 0\n"
                            "    try:\n"
                            "        with open('big', 'wb') as o:\n"
                            "            while n < 100:\n"
                            "                o.write(bytes(1 << 20))\n"
                            "                o.flush()\n"
                            "                n += 1\n"
                            "    except OSError:\n"
                            "        pass\n"
                            "    return n\n";
static const char opens[] = "import os\n"
                            "def f(x):\n"
                            "    n = 0\n"
                            "    try:\n"
                            "        while n < 1000:\n"
                            "            n = os.dup(1)\n"
                            "    except OSError:\n"
                            "        pass\n"
                            "    return n + 1\n";

/* Runs `n` jobs at once; the first verdict that is not `passed`, as text. */
static bool run_all(sc_box *b, const sc_job *jobs, size_t n, char *why, size_t size)
{
    sc_err err = {0};
    bool good = true;
    for (size_t i = 0; i < n; i++)
        if (sc_box_submit(b, &jobs[i], &err) != SC_OK)
            return false;
    while (sc_box_pending(b)) {
        SC_AUTO(sc_verdict) v = {0};
        bool got = false;
        if (sc_box_poll(b, -1, &v, &got, &err) != SC_OK) {
            (void)snprintf(why, size, "%.200s", err.msg); // may be cut
            return false;
        }
        if (got && good && v.kind != SC_BOX_PASSED) {
            (void)snprintf(why, size, "job %zu: %s: %.150s", (size_t)v.tag,
                           sc_box_kind_name(v.kind), v.message); // may be cut
            good = false;
        }
    }
    return good;
}

/* Jobs whose limits differ from one to the next; each says how far it came. */
static size_t make_jobs(sc_job *jobs, char (*tests)[96], bool mixed)
{
    static const uint32_t tasks[] = {32, 5, 9, 32}, disk[] = {64, 3, 3, 7}, files[] = {128, 40};
    for (size_t i = 0; i < BURST; i++) {
        const size_t k = mixed ? i : 0;
        const sc_box_limits l = {.cpu_s = 5,
                                 .wall_s = 20,
                                 .tasks = tasks[k % SC_LEN(tasks)],
                                 .disk_mib = disk[k % SC_LEN(disk)],
                                 .files = files[k % SC_LEN(files)]};
        const char *const source[] = {forks, fills, opens};
        const uint32_t bound[] = {l.tasks, l.disk_mib, l.files};
        // Of a folder of N MiB the solution's own file takes a page.
        (void)snprintf(tests[i], sizeof tests[i],
                       "def check(candidate):\n    n = candidate(0)\n    assert n == %u, n\n",
                       bound[i % 3] - (i % 3 == 1)); // fits
        jobs[i] = (sc_job){.source = sc_str_c(source[i % 3]),
                           .entry = SC_STR("f"),
                           .test = sc_str_c(tests[i]),
                           .limits = l,
                           .tag = (void *)(uintptr_t)i};
    }
    return BURST;
}

static void check_limits(unsigned workers, bool mixed, bool at_once)
{
    sc_box *b = NULL;
    sc_err err = {0};
    char why[256] = "";
    static char tests[BURST][96];
    static sc_job jobs[BURST];
    const sc_box_opts o = {.jobs = workers, .level = SC_BOX_FULL, .exact = true};
    bool good = sc_box_open(&o, &b, &err) == SC_OK;
    const size_t n = make_jobs(jobs, tests, mixed);
    for (size_t i = 0; good && i < n; i += at_once ? n : 1)
        good = run_all(b, jobs + i, at_once ? n : 1, why, sizeof why);
    char name[128];
    (void)snprintf(name, sizeof name, "limits hold exactly: %s, %s, %u workers",
                   mixed ? "others each time" : "the same each time",
                   at_once ? "all at once" : "one by one", workers); // fits
    result(good, name, why[0] ? why : err.msg);
    sc_box_close(b);
}

/* Kills the children of the zygote, all but the oldest `spare` of them. */
static size_t kill_waiting(void)
{
    pid_t worker[8], zygote[8], child[8];
    size_t killed = 0;
    if (sc_tree_children(getpid(), worker, SC_LEN(worker)) != 1 ||
        sc_tree_children(worker[0], zygote, SC_LEN(zygote)) != 1)
        return 0;
    const size_t n = sc_tree_children(zygote[0], child, SC_LEN(child));
    for (size_t i = 1; i < n; i++) // the first is the checker, which came first
        killed += kill(child[i], SIGKILL) == 0;
    return killed;
}

static void check_deaths(void)
{
    sc_box *b = NULL;
    sc_err err = {0};
    char why[256] = "";
    const sc_job job = {.source = SC_STR("def f(x):\n    return x + 1\n"),
                        .entry = SC_STR("f"),
                        .test = SC_STR("def check(candidate):\n    assert candidate(1) == 2\n")};
    const sc_box_opts o = {.jobs = 1, .level = SC_BOX_FULL, .exact = true};
    bool good = sc_box_open(&o, &b, &err) == SC_OK;
    size_t killed = 0;
    for (unsigned i = 0; good && i < ROUNDS; i++) {
        good = run_all(b, &job, 1, why, sizeof why);
        (void)usleep(i % 2 ? 50000 : 0); // while they are forked, and when all are there
        killed += kill_waiting();
        good = good && run_all(b, &job, 1, why, sizeof why);
    }
    result(good, "a waiting process that is killed is replaced, and the next program passes",
           why[0] ? why : err.msg);
    result(killed > 0, "there were processes to kill", "none");
    sc_box_close(b);
}

int main(void)
{
    sc_json_setup();
    sc_box *b = NULL;
    sc_err err = {0};
    const sc_box_opts o = {.jobs = 1, .level = SC_BOX_FULL, .exact = true};
    if (sc_box_open(&o, &b, &err) != SC_OK) {
        printf("# skip box: %s\nok 1 # SKIP %s\n1..1\n", err.msg, err.msg);
        return 0;
    }
    sc_box_close(b);
    check_limits(1, false, false);
    check_limits(1, true, false);
    check_limits(2, false, true);
    check_limits(2, true, true);
    check_deaths();
    printf("1..%u\n", n_tests);
    return n_bad > 0;
}
