// SPDX-License-Identifier: MIT
#include "box/attack.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const unsigned char sc_attack_py[]; // src/box/py/attack.py

// The names of src/box/py/attack.py, in its order.
static const char *const ESCAPES[] = {
    "reads a file of the host",
    "lists a folder of the host",
    "writes outside its folder",
    "opens a network socket",
    "signals a process outside",
    "finds an inherited descriptor",
    "finds an environment",
    "starts a program",
    "starts more processes than it may",
    "takes more memory than it may",
    "makes a system call of the supervisor",
    "is somebody it should not be",
    "leaves a process behind",
    "finds what the last sample left",
};

/* Attacks on limits and on the verdict itself. */
static const struct {
    const char *name, *source, *test;
    sc_box_kind want;
} TRICKS[] = {
    {"makes a call of a foreign architecture",
     "import ctypes\ndef solve():\n    return ctypes.CDLL(None).syscall(0x40000027)\n",
     "def check(candidate):\n    candidate()\n", SC_BOX_KILLED},
    {"computes for ever", "def solve():\n    while True:\n        pass\n",
     "def check(candidate):\n    candidate()\n", SC_BOX_TIMEOUT},
    {"sleeps for ever", "import time\ndef solve():\n    time.sleep(1000)\n",
     "def check(candidate):\n    candidate()\n", SC_BOX_TIMEOUT},
    {"prints for ever", "def solve():\n    while True:\n        print('x' * 60000)\n",
     "def check(candidate):\n    candidate()\n", SC_BOX_OUTPUT_LIMIT},
    {"fills its folder",
     "def solve():\n    with open('big', 'wb') as f:\n        while True:\n            "
     "f.write(bytes(1 << 20))\n",
     "def check(candidate):\n    candidate()\n", SC_BOX_ERROR},
    {"ends before its tests do", "import os\ndef solve():\n    os._exit(0)\n",
     "def check(candidate):\n    candidate()\n", SC_BOX_ERROR},
    {"answers with an object that is equal to everything",
     "class Yes:\n    def __eq__(self, other):\n        return True\n    __lt__ = __gt__ = __eq__\n"
     "def solve():\n    return Yes()\n",
     "def check(candidate):\n    assert candidate() == 4\n", SC_BOX_FAILED},
    {"replaces the built-ins",
     "import builtins\nbuiltins.AssertionError = KeyError\nbuiltins.isinstance = lambda *a: True\n"
     "def solve():\n    return 5\n",
     "def check(candidate):\n    assert candidate() == 4\n", SC_BOX_FAILED},
    {"looks for the tests in memory",
     "import gc\nMARK = 'needle ' + 'in the tests'\ndef solve():\n"
     "    return [1 for o in gc.get_objects() for v in (o.values() if type(o) is dict else ())\n"
     "            if type(v) is str and MARK in v and v != MARK]\n",
     "x = 'needle in the tests'\ndef check(candidate):\n    assert candidate() == []\n",
     SC_BOX_PASSED},
};

/* A folder of the host with a readable file in it, where everybody could go. */
typedef struct canary {
    char folder[64], file[80];
} canary;

static sc_code canary_make(canary *c, sc_err *err)
{
    (void)snprintf(c->folder, sizeof c->folder, "/var/tmp/scbench-XXXXXX"); // short
    if (!mkdtemp(c->folder)) {
        (void)snprintf(c->folder, sizeof c->folder, "/tmp/scbench-XXXXXX"); // short
        if (!mkdtemp(c->folder))
            return sc_fail(err, SC_E_IO, "no folder for a canary in /var/tmp or /tmp");
    }
    (void)snprintf(c->file, sizeof c->file, "%s/canary", c->folder); // short
    return sc_file_write(c->file, SC_STR("canary\n"), err);
}

/* Whether the canary is as it was, with nothing beside it; removes both. */
static bool canary_check(canary *c, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(4096);
    const bool same = sc_file_read(c->file, 4096, &text, err) == SC_OK &&
                      sc_str_is(sc_buf_str(&text), "canary\n");
    (void)unlink(c->file); // else rmdir says it
    return rmdir(c->folder) == 0 && same;
}

static void add_know(sc_box *b, const canary *c, sc_buf *out)
{
    sc_buf_add_c(out, "KNOW = {'canary': ");
    sc_buf_add_json(out, sc_str_c(c->file));
    sc_buf_add_c(out, ", 'folder': ");
    sc_buf_add_json(out, sc_str_c(c->folder));
    sc_buf_addf(out, ", 'supervisor': %d, 'level': '%s', 'tasks': 32, 'memory_mib': 512}\n",
                getpid(), sc_box_level_name(sc_box_level_of(b)));
}

/* The job of one escape, or of all with NULL; its tests stand in `test`. */
static sc_job escape_job(sc_box *b, const canary *c, const char *name, sc_buf *test)
{
    add_know(b, c, test);
    sc_buf_add_c(test,
                 "def check(candidate):\n    bad = [(n, s) for n, held, s in candidate(KNOW, [");
    if (name)
        sc_buf_add_json(test, sc_str_c(name));
    sc_buf_add_c(test, "]) if not held]\n"
                       "    assert not bad, '; '.join('%s: %s' % b for b in bad)\n");
    // Generous: the machine may be busy, and this is about locks, not about time.
    return (sc_job){.source = sc_str_c((const char *)sc_attack_py),
                    .test = sc_buf_str(test),
                    .entry = SC_STR("attack"),
                    .limits = {.cpu_s = 10, .wall_s = 60}};
}

sc_code sc_attack_all(sc_box *b, unsigned n, sc_err *err)
{
    canary c;
    SC_TRY(canary_make(&c, err));
    SC_AUTO(sc_buf) test = sc_buf_init(4096);
    const sc_job job = escape_job(b, &c, NULL, &test);
    sc_code code = sc_buf_ok(&test) ? SC_OK : sc_fail_nomem(err);
    for (unsigned i = 0; i < n && code == SC_OK; i++)
        code = sc_box_submit(b, &job, err);
    for (unsigned i = 0; i < n && code == SC_OK; i++) {
        SC_AUTO(sc_verdict) v = {0};
        bool got = false;
        while (!got && code == SC_OK)
            code = sc_box_poll(b, -1, &v, &got, err);
        if (code == SC_OK && v.kind != SC_BOX_PASSED)
            code = sc_fail(err, SC_E_SANDBOX, "a lock does not hold: %s: %s",
                           sc_box_kind_name(v.kind), v.message);
    }
    sc_err ignored = {0};
    if (!canary_check(&c, &ignored) && code == SC_OK)
        code = sc_fail(err, SC_E_SANDBOX, "a lock does not hold: a folder of the host was changed");
    return code;
}

static void note(sc_attack_result *r, const char *name, bool held, const char *detail)
{
    r->name = name;
    r->held = held;
    (void)snprintf(r->detail, sizeof r->detail, "%.250s", held ? "" : detail); // cut to fit
}

static sc_code run_escapes(sc_box *b, sc_attack_result *out, size_t *n, sc_err *err)
{
    canary c;
    SC_TRY(canary_make(&c, err));
    sc_code code = SC_OK;
    for (size_t i = 0; i < SC_LEN(ESCAPES) && code == SC_OK; i++) {
        SC_AUTO(sc_buf) test = sc_buf_init(4096);
        SC_AUTO(sc_verdict) v = {0};
        const sc_job job = escape_job(b, &c, ESCAPES[i], &test);
        code = sc_box_run(b, &job, &v, err);
        if (code == SC_OK)
            note(&out[(*n)++], ESCAPES[i], v.kind == SC_BOX_PASSED, v.message);
    }
    sc_err ignored = {0};
    note(&out[(*n)++], "leaves a trace in a folder of the host", canary_check(&c, &ignored),
         "the folder was changed");
    return code;
}

sc_code sc_attack_report(sc_box *b, sc_attack_result out[SC_ATTACK_MAX], size_t *n, sc_err *err)
{
    *n = 0;
    if (sc_box_level_of(b) == SC_BOX_NONE) {
        // Nothing is locked: an attack would only do harm.
        note(&out[(*n)++], "reaches everything that you can reach", false,
             "level none locks nothing");
        return SC_OK;
    }
    SC_TRY(run_escapes(b, out, n, err));
    for (size_t i = 0; i < SC_LEN(TRICKS); i++) {
        SC_AUTO(sc_verdict) v = {0};
        const sc_job job = {.source = sc_str_c(TRICKS[i].source),
                            .test = sc_str_c(TRICKS[i].test),
                            .entry = SC_STR("solve"),
                            .limits = {.cpu_s = 0.5, .wall_s = 1.5}};
        SC_TRY(sc_box_run(b, &job, &v, err));
        char detail[256];
        (void)snprintf(detail, sizeof detail, "%s instead of %s", sc_box_kind_name(v.kind),
                       sc_box_kind_name(TRICKS[i].want)); // short
        note(&out[(*n)++], TRICKS[i].name, v.kind == TRICKS[i].want, detail);
    }
    return SC_OK;
}
