/**
 * eval.h - a run: every model completes every task, is scored and measured, sample by sample.
 *
 * Models are loaded one after the other. Each finished sample goes into the journal of the run's
 * folder at once, so an interrupted run is continued without making a sample twice. A model that
 * cannot be had, or fails, is recorded and the others go on. The result is the run document (what
 * becomes run.json, see docs/REPORTS.md) and the samples; writing reports is the caller's.
 *
 * Threads: one thread at a time; events come on the caller's thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_EVAL_H
#define SC_EVAL_EVAL_H

#include "eval/engine.h"
#include "eval/plan.h"
#include "store/run.h"
#include "task/protocol.h"

#include <stdatomic.h>

typedef sc_code sc_engine_open_fn(const sc_eval_model *spec, const sc_engine_opts *opts,
                                  sc_engine **out, sc_err *err);

/** All pointers are borrowed for the call. */
typedef struct sc_eval_opts {
    const sc_eval_model *models; // [n_models]
    size_t n_models;
    sc_plan_opts tasks;
    const sc_protocol *protocol;
    sc_prompt_mode prompt_mode;
    const char *system;      // a message before the user's in chat; NULL: none
    sc_sample_params params; // the rule is the model's own
    uint32_t samples;        // of each task
    uint32_t max_tokens;     // 0: what the protocol says
    uint64_t seed;
    const sc_str *stops; // [n_stops], besides a task's own
    size_t n_stops;
    uint32_t warmup; // samples that are thrown away first
    sc_engine_opts engine;
    bool no_memory;          // do not measure it
    const char *out_dir;     // the run's folder is made in it
    const char *resume;      // continue the run in this folder; NULL: a new run
    json_t *config;          // what repeats the run; recorded
    json_t *program;         // version and build; recorded
    json_t *command;         // the exact command line; recorded
    json_t *labels;          // {note, tags}; recorded
    const char *hash_cache;  // file that remembers hashes, or NULL
    sc_engine_open_fn *open; // NULL: sc_engine_open_local
    const atomic_bool *stop; // true: end soon, with what is done saved; may be NULL
} sc_eval_opts;

/** What happens meanwhile; any function may be NULL. */
typedef struct sc_eval_events {
    void (*start)(void *ctx, const char *run_dir, const json_t *run);
    void (*loading)(void *ctx, const sc_eval_model *m);
    /** `info` describes the model; its "prompt" is {mode, why, forms}. */
    void (*ready)(void *ctx, const sc_eval_model *m, const json_t *info, double load_s);
    void (*failed)(void *ctx, const sc_eval_model *m, const sc_err *err);
    /** A piece of text came; `done` of `total` samples are finished. */
    void (*pulse)(void *ctx, uint64_t done, uint64_t total);
    void (*sample)(void *ctx, const sc_record *s, uint64_t done, uint64_t total);
    void *ctx;
} sc_eval_events;

typedef struct sc_eval_result {
    json_t *run;        // owned: the run document, without summaries
    sc_records samples; // owned: of all models, those of a resumed run included
    sc_run folder;      // owned; dir is NULL when no model could be loaded
    size_t n_models;    // that were measured
    size_t n_failed;    // that were not, without the optional ones
    bool interrupted;
} sc_eval_result;

/**
 * Runs. When no model could be loaded, nothing is written and out->folder.dir is NULL.
 *
 * Owns:   the caller drops *out.
 * Errors: as sc_plan_open; SC_E_USAGE when a resumed run was another one; SC_E_IO of the journal;
 *         SC_E_NOMEM. What a model does wrong is not an error: see `failed`.
 */
sc_code sc_eval_run(const sc_eval_opts *opts, const sc_eval_events *events, sc_eval_result *out,
                    sc_err *err) SC_CHECKED;

void sc_eval_result_drop(sc_eval_result *r);

SC_AUTO_DEFINE_VALUE(sc_eval_result, sc_eval_result_drop);

#endif
