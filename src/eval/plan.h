/**
 * plan.h - which tasks a run has: suites opened, filtered, checked against each other.
 *
 * Threads: immutable after opening.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_PLAN_H
#define SC_EVAL_PLAN_H

#include "base/json.h"
#include "base/sha256.h"
#include "task/suite.h"

typedef struct sc_plan_task {
    const sc_task *task;   // borrowed from its suite
    const sc_suite *suite; // borrowed from the plan
    char prompt_sha[SC_SHA256_HEX];
    uint64_t hash; // of the prompt: what the seeds of its samples come from
} sc_plan_task;

typedef struct sc_plan sc_plan;

typedef struct sc_plan_opts {
    const char *const *suites; // names or files; several may stand in one text, with commas
    size_t n_suites;
    const char *limit;    // "5", "10%" or NULL
    const char *ids;      // a shell pattern for names, or NULL
    const char *data_dir; // of published data; NULL: the usual places
} sc_plan_opts;

/**
 * Opens the suites and chooses the tasks.
 *
 * Owns:   the caller closes *out with sc_plan_close.
 * Errors: as sc_suite_open; SC_E_USAGE for a limit that is none, a suite named twice or a task name
 *         that two suites have; SC_E_NOTFOUND when no task is left
 */
sc_code sc_plan_open(const sc_plan_opts *opts, sc_plan **out, sc_err *err) SC_CHECKED;
void sc_plan_close(sc_plan *p);

/** The tasks in order; *n is their count, at least one. Borrowed until close. */
const sc_plan_task *sc_plan_tasks(const sc_plan *p, size_t *n);

/** The suites for the report: [{name, path, sha256, tasks, list}]. NULL when memory is out. */
json_t *sc_plan_json(const sc_plan *p);

SC_AUTO_DEFINE(sc_plan, sc_plan_close);

#endif
