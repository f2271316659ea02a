/**
 * judge.h - many completions through the sandbox, and the timeouts once more alone.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_JUDGE_H
#define SC_SCORE_JUDGE_H

#include "score/program.h"

#include <stdatomic.h>

/** One completion and what became of it. */
typedef struct sc_judged {
    const sc_task *task; // borrowed
    sc_str text;         // borrowed: the completion
    bool whole;          // it is a whole program
    double cpu_s;        // its own CPU limit, the wall limit in proportion; 0: the common one
    bool no_code;        // nothing to run: not handed to the sandbox, counted as not passed
    void *tag;           // the caller's
    // set by sc_judge_all:
    bool done;
    bool recovered;     // timed out beside others, but not alone
    sc_verdict verdict; // owned: sc_verdict_drop
} sc_judged;

typedef struct sc_judge_count {
    size_t n, done, passed, no_code, timeouts, recovered, again, single;
    size_t kind[SC_BOX_NOT_MEASURED + 1];
} sc_judge_count;

typedef struct sc_judge_opts {
    sc_box_limits limits;
    bool retry;              // run timeouts again alone at the end
    const atomic_bool *stop; // NULL: cannot be stopped
    /** Called after each verdict, in the order they come; NULL: nobody looks. */
    void (*each)(void *ctx, const sc_judged *one, const sc_judge_count *so_far);
    void *ctx;
} sc_judge_opts;

enum { SC_JUDGE_AGAIN_MIN = 32, SC_JUDGE_AGAIN_SHARE = 20 }; // at most 32 or a 20th is run again

/**
 * Runs the n completions of `item`. Those that are `done` already (a resumed run) are counted only.
 *
 * Errors: as sc_box_poll; SC_E_INTERRUPTED when asked to stop (what is done stays)
 */
sc_code sc_judge_all(sc_box *box, sc_judged *item, size_t n, const sc_judge_opts *o,
                     sc_judge_count *out, sc_err *err) SC_CHECKED;

#endif
