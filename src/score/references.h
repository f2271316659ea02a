/**
 * references.h - runs the reference solutions before anything is scored, and remembers which pass.
 *
 * A reference that does not pass means that tests, data or sandbox are wrong, and no score means
 * anything. What passed is remembered by the digest of the suite, the interpreter and the level of
 * the sandbox, with its CPU time, which may raise a task's limit; `scbench tasks validate` runs
 * them always.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_REFERENCES_H
#define SC_SCORE_REFERENCES_H

#include "score/judge.h"

/** A task of a suite; one without a reference or without tests is passed over. */
typedef struct sc_reference {
    const sc_task *task;      // borrowed
    const char *suite_sha256; // borrowed
    double cpu_s;             // set: of the reference; 0 when it has none
} sc_reference;

typedef struct sc_reference_count {
    size_t n;     // that have one
    size_t known; // of them, passed before
} sc_reference_count;

/**
 * Runs the references of item[n] that are not known to pass. `cache_file` may be NULL; one that
 * cannot be read is an empty one.
 *
 * Errors: SC_E_SANDBOX, naming the first that does not pass; as sc_judge_all
 */
sc_code sc_references_run(sc_box *box, sc_reference *item, size_t n, const char *cache_file,
                          const atomic_bool *stop, sc_reference_count *out, sc_err *err) SC_CHECKED;

#endif
