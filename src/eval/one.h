/**
 * one.h - the part of a run that belongs to one model. Private to src/eval.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_ONE_H
#define SC_EVAL_ONE_H

#include "eval/ask.h"
#include "eval/eval.h"
#include "eval/hashes.h"

typedef struct sc_one {
    const sc_eval_opts *opts;     // borrowed
    const sc_eval_events *events; // borrowed
    const sc_plan *plan;          // borrowed
    const sc_eval_model *spec;    // borrowed
    sc_records *samples;          // borrowed: those there are; new ones are added
    sc_engine *engine;            // owned
    sc_ask *ask;                  // owned
    struct sc_work *work;         // owned: what is to be made
    double load_s;
    bool interrupted;
    bool failed; // the model was loaded but could not be run to the end
    sc_err why;  // of a failure
} sc_one;

/**
 * Loads the model and turns every prompt into tokens, so that what cannot work fails before a file
 * is written.
 *
 * Errors: as sc_engine_open_local, sc_ask_new and sc_ask_task; SC_E_LIMIT when a prompt and the new
 * tokens are longer than the context
 */
sc_code sc_one_open(sc_one *o, sc_err *err) SC_CHECKED;

/**
 * What tells the model's files apart from others: [{path, bytes, mtime_ns}], of an opened model.
 *
 * Owns:   the caller drops *out.
 * Errors: SC_E_NOMEM
 */
sc_code sc_one_files(const sc_one *o, json_t **out, sc_err *err) SC_CHECKED;

/**
 * Generates, scores and records what the journal lacks, then describes the model: *entry is its
 * part of the run document.
 *
 * Owns:   the caller drops *entry.
 * Errors: of the journal; SC_E_NOMEM
 */
sc_code sc_one_run(sc_one *o, const sc_run *folder, sc_hashes *hashes, json_t **entry,
                   sc_err *err) SC_CHECKED;

void sc_one_drop(sc_one *o);

#endif
