/**
 * run_exec.h - the part of `run` that executes completions: opens the box, listens to the run's
 * events, writes exec.jsonl and says what passed.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_RUN_EXEC_H
#define SC_CLI_RUN_EXEC_H

#include "cli/sandbox.h"
#include "eval/eval.h"
#include "eval/execute.h"

typedef struct sc_run_exec {
    sc_cli *cli;          // borrowed
    sc_box *box;          // owned
    sc_execute *execute;  // owned; NULL: nothing is executed
    sc_eval_events inner; // whom the events are passed on to
    sc_err absent;        // why there is no sandbox; SC_OK: there is one, or it has been said
    bool told;            // what the references gave was said
    sc_err err;           // the first failure; raised by sc_run_exec_finish
} sc_run_exec;

/**
 * Opens the box and runs the reference solutions, if the run's tasks have tests and --no-exec was
 * not given. Without a sandbox the run goes on, with a warning once a model is ready, unless
 * --level insists on one.
 *
 * Owns:   the caller drops *x with sc_run_exec_drop.
 * Errors: SC_E_SANDBOX
 */
sc_code sc_run_exec_open(sc_run_exec *x, sc_cli *cli, const sc_plan_opts *tasks,
                         const sc_protocol *protocol, sc_err *err) SC_CHECKED;

void sc_run_exec_drop(sc_run_exec *x);

/** Events that execute finished samples and pass everything on to `inner`. */
sc_eval_events sc_run_exec_events(sc_run_exec *x, const sc_eval_events *inner);

/** Waits for what still runs, writes exec.jsonl into the run's folder, shows the rates. */
sc_code sc_run_exec_finish(sc_run_exec *x, const sc_eval_result *result, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_run_exec, sc_run_exec_drop);

#endif
