/**
 * execute.h - the completions of a run in the sandbox, while the next ones are written.
 *
 * Finished samples are handed in as they come and looked at between tokens; at the end the rest is
 * waited for, samples of a resumed run that have no verdict yet are run, and timeouts run once more
 * alone. Verdicts go to exec.jsonl in the run's folder.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_EXECUTE_H
#define SC_EVAL_EXECUTE_H

#include "eval/plan.h"
#include "score/judge.h"
#include "score/references.h"
#include "store/record.h"

typedef struct sc_execute sc_execute;

/** Pointers are borrowed for sc_execute_new, `stop` until sc_execute_free. */
typedef struct sc_execute_opts {
    sc_box_limits limits;        // of a program
    double per_ref;              // or so many times its reference's CPU time, if that is more
    const char *reference_cache; // references.h; NULL: nothing is remembered
    const atomic_bool *stop;     // NULL: cannot be stopped
} sc_execute_opts;

/**
 * Chooses the tasks that have tests and runs their reference solutions.
 *
 * Owns:   the caller frees *out; `box` outlives it.
 * Errors: as sc_plan_open; SC_E_SANDBOX when a reference fails; SC_E_NOTFOUND: no task has tests
 */
sc_code sc_execute_new(const sc_plan_opts *tasks, sc_box *box, const sc_execute_opts *opts,
                       sc_execute **out, sc_err *err) SC_CHECKED;

/** How many references there are, and were known to pass. */
sc_reference_count sc_execute_references(const sc_execute *x);

void sc_execute_free(sc_execute *x);

/** Hands in a finished sample; one without tests is passed over. */
sc_code sc_execute_add(sc_execute *x, const sc_record *r, sc_err *err) SC_CHECKED;

/** Takes the verdicts that are there, without waiting. */
sc_code sc_execute_look(sc_execute *x, sc_err *err) SC_CHECKED;

/** Runs what has no verdict yet and waits for all of it. Errors: SC_E_INTERRUPTED */
sc_code sc_execute_finish(sc_execute *x, const sc_records *all, sc_err *err) SC_CHECKED;

/** A line for each sample; the fields are those of `scbench sandbox run --json`. */
void sc_execute_lines(const sc_execute *x, json_t *(*verdict)(const sc_verdict *), sc_buf *out);

/** Of one model: {samples, tasks, passed, pass_at_1, verdicts, timeouts...}; NULL: no memory. */
json_t *sc_execute_summary(const sc_execute *x, sc_str model);

SC_AUTO_DEFINE(sc_execute, sc_execute_free);

#endif
