/**
 * run_screen.h - what a run shows: the lines before, the progress, the final screen; or JSON lines.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_RUN_SCREEN_H
#define SC_CLI_RUN_SCREEN_H

#include "cli/command.h"
#include "eval/eval.h"
#include "report/report.h"

typedef struct sc_run_screen {
    sc_cli *cli;       // borrowed
    const char *label; // borrowed: the model at work
    uint64_t pieces;   // of text that came, of the model at work
    uint64_t tokens;   // of its finished samples
    double share;      // sum of their keyword scores
    uint64_t n;        // how many are finished
    uint64_t errors;
    double rate;       // of the last sample
    uint64_t start_ns; // of the model's first piece
    sc_code code;      // a failed write of --json
    sc_err err;
} sc_run_screen;

/** The events that feed the screen. */
sc_eval_events sc_run_screen_events(sc_run_screen *s);

/** The final screen on cli->out, or the line {"event":"done"}. Errors: SC_E_IO, SC_E_NOMEM */
sc_code sc_run_screen_finish(sc_run_screen *s, const sc_report *r, const sc_eval_result *result,
                             const char *const *files, size_t n_files, sc_err *err) SC_CHECKED;

#endif
