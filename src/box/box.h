/**
 * box.h - runs untrusted Python programs and says how each one ended.
 *
 * A box keeps some workers, each with a warm interpreter behind every lock that the machine offers
 * (level.h). A job is a program, perhaps with tests; jobs are handed in with sc_box_submit and
 * their verdicts come back from sc_box_poll in the order they end. What a program does wrong is a
 * verdict, never an error; an error means that the box itself does not hold.
 *
 *     sc_box_open -> sc_box_submit ... sc_box_poll ... -> sc_box_close
 *
 * CPU time of the whole process tree is the judge; wall time is a backstop for sleepers. The
 * process that runs a program never holds its tests, the expected values or the verdict.
 *
 * Threads: one thread at a time.
 * Source:  docs/SANDBOX.md says what holds at which level, and what does not.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_BOX_H
#define SC_BOX_BOX_H

#include "base/err.h"
#include "base/str.h"
#include "box/level.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_box sc_box;

/** How a program ended. */
typedef enum sc_box_kind {
    SC_BOX_PASSED,       // the last line of the tests was reached, inside every limit
    SC_BOX_FAILED,       // a test did not hold
    SC_BOX_ERROR,        // the program raised, or ended before the tests did
    SC_BOX_SYNTAX,       // it does not compile
    SC_BOX_TIMEOUT,      // CPU time, or wall time as the backstop
    SC_BOX_OOM,          // memory
    SC_BOX_OUTPUT_LIMIT, // it printed too much
    SC_BOX_KILLED,       // it made a system call that no honest program makes
    SC_BOX_NOT_MEASURED, // our fault, three times, or the tests': never the program's failure
} sc_box_kind;

/** The name as the records have it: "passed", "output_limit", ... */
const char *sc_box_kind_name(sc_box_kind kind);

/** The name as options have it: "full", "reduced-uid", "reduced-self", "none". */
const char *sc_box_level_name(sc_box_level level);

/** The level called `name`; false for any other word. */
bool sc_box_level_find(sc_str name, sc_box_level *out);

/** 0 means the default in brackets. */
typedef struct sc_box_limits {
    double cpu_s;        // of all processes together [2]
    double wall_s;       // [3 x cpu_s]
    uint32_t memory_mib; // [512]
    uint32_t tasks;      // processes and threads [32]
    uint32_t output_kib; // printed before it is stopped [256]
    uint32_t disk_mib;   // of the writable folder, and of one file [64]
    uint32_t inodes;     // of the writable folder [4096]
    uint32_t files;      // open descriptors [128]
} sc_box_limits;

typedef struct sc_box_opts {
    const char *guest;  // the program scbench-guest; NULL: beside this one
    unsigned jobs;      // workers; 0: one a CPU
    sc_box_level level; // with `exact`: this one
    bool exact;         // else the best that holds, but never SC_BOX_NONE
    const char *cgroup; // a control group of version 2 that was handed over; NULL: none
    bool tools;         // for sc_box_tool: sees Debian's Python packages, takes no jobs
    uint32_t hash_seed; // of the interpreters
} sc_box_opts;

/**
 * One case of a program: with calls, arguments (a JSON value a line) and the result as JSON; else
 * what the program reads from its standard input and what it must print.
 */
typedef struct sc_case {
    sc_str in, want;
} sc_case;

/** The cases that a program must all pass; each runs in a process of its own. */
typedef struct sc_case_list {
    const sc_case *at; // [n]
    size_t n;          // 0: none
    bool calls;        // the function or method of the entry point's name is called
} sc_case_list;

/** A program to run. The texts are copied. */
typedef struct sc_job {
    sc_str source;
    sc_str test;    // empty: no tests, the program runs as a script
    sc_str entry;   // the function under test; may be empty when the tests name what they call
    sc_str context; // what stands before the program and is ours: run in the checker for the tests
    bool single;    // tests and program in one interpreter, for tests that cannot be taken apart
    // Instead of `test`; borrowed until the verdict is given back. The first case that does not
    // pass is the last that runs.
    sc_case_list cases;
    bool names;           // what the usual modules export needs no import (guest/py/checker.py)
    sc_box_limits limits; // of each case
    void *tag;            // handed back with the verdict
} sc_job;

enum { SC_BOX_KEEP = 32 << 10 }; // bytes of output kept of the head, and of the tail

typedef struct sc_verdict {
    sc_box_kind kind;
    sc_box_level level;
    bool single;    // judged inside the program's own interpreter: could be forged
    bool wall;      // timeout: by wall time
    bool handle_eq; // a test compared an object that stayed in the program's process
    double cpu_s, wall_s;
    double start_s; // until the program's process existed
    uint64_t peak_kib;
    unsigned n_calls;  // of the tests into the program
    size_t n_cases;    // of cases that were run; the last is the one that the verdict is about
    unsigned attempts; // 1, or more after a fault of ours
    int line;          // of the program (error, syntax) or of the tests (failed); 0: unknown
    char error_type[64];
    char message[2048];
    char *output; // owned; head and tail with a line between where some is left out
    size_t n_output;
    uint64_t printed; // bytes it printed
    void *tag;
} sc_verdict;

void sc_verdict_drop(sc_verdict *v);

/**
 * Starts the workers and lets each attack itself; the level is what held.
 *
 * Owns:   the caller closes *out with sc_box_close.
 * Errors: SC_E_SANDBOX when the level asked for does not hold, SC_E_NOTFOUND without the guest
 *         program, SC_E_IO, SC_E_NOMEM
 */
sc_code sc_box_open(const sc_box_opts *o, sc_box **out, sc_err *err) SC_CHECKED;

/** Kills what runs and ends the workers. */
void sc_box_close(sc_box *b);

sc_box_level sc_box_level_of(const sc_box *b);

/** Why the level is not a higher one; "" at full. Borrowed until the box is closed. */
const char *sc_box_level_why(const sc_box *b);

/**
 * How much longer than on the machine that the limits are meant for a fixed loop took at the start.
 * From 2 on the limits on time of every job are that many times as long (the fraction is left out),
 * so that a slow machine does not change verdicts.
 */
double sc_box_slowness(const sc_box *b);

/** The interpreter's version; borrowed until the box is closed. */
const char *sc_box_python(const sc_box *b);

unsigned sc_box_jobs(const sc_box *b);

/** The control group that was handed over; NULL: none. Borrowed until the box is closed. */
const char *sc_box_cgroup(const sc_box *b);

/** How many jobs are handed in and not yet given back. */
size_t sc_box_pending(const sc_box *b);

/** Hands in a job. Errors: SC_E_LIMIT for texts beyond 64 MiB, SC_E_NOMEM */
sc_code sc_box_submit(sc_box *b, const sc_job *job, sc_err *err) SC_CHECKED;

/**
 * Waits up to `timeout_ms` (-1: as long as it takes) for a verdict; *got says whether there is one.
 *
 * Owns:   the caller drops *out with sc_verdict_drop.
 * Errors: SC_E_SANDBOX when the box does not hold any more, SC_E_NOMEM
 */
sc_code sc_box_poll(sc_box *b, int timeout_ms, sc_verdict *out, bool *got, sc_err *err) SC_CHECKED;

/** Runs one job alone. Errors: as above */
sc_code sc_box_run(sc_box *b, const sc_job *job, sc_verdict *out, sc_err *err) SC_CHECKED;

/**
 * Asks the tools of a box opened with `tools`: one JSON text in, one out (guest/py/tools.py).
 *
 * Owns:   the caller frees *out with sc_free.
 * Errors: SC_E_SANDBOX, SC_E_LIMIT for an answer beyond 32 MiB or a tool that takes too long
 */
sc_code sc_box_tool(sc_box *b, sc_str request, double cpu_s, char **out, size_t *n,
                    sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_box, sc_box_close);
SC_AUTO_DEFINE_VALUE(sc_verdict, sc_verdict_drop);

#endif
