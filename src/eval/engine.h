/**
 * engine.h - a model that is ready to complete prompts, whatever it is made of.
 *
 * An engine is a generation backend plus what a run must know of it: how a prompt becomes tokens,
 * which tokens end a text, what stands in the report.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_ENGINE_H
#define SC_EVAL_ENGINE_H

#include "base/err.h"
#include "base/json.h"
#include "gen/gen.h"
#include "hub/resolve.h"
#include "model/model.h"
#include "tok/tok.h"

/** A model of a run, as the user named it. */
typedef struct sc_eval_model {
    const char *arg;       // file, folder, short name, org/name
    const char *label;     // in reports
    const char *tokenizer; // file, folder, org/name; NULL: what belongs to the model
    const char *fallback;  // tokenizer to try when none lies beside the model; NULL: none
    const char *model_id;  // of a comparison model in the original's files; NULL: a checkpoint
    bool optional;         // when it cannot be had, the run is not a failure
} sc_eval_model;

/** How a local engine computes. All-zero is the default. */
typedef struct sc_engine_opts {
    sc_model_opts model;
    uint32_t batch;              // samples decoded together at most; 0: chosen
    sc_hub_pull_when pull;       // whether a missing model may be downloaded
    const sc_hub_pull_opts *how; // borrowed; progress of a download; NULL: silent
} sc_engine_opts;

typedef struct sc_engine sc_engine;

typedef struct sc_engine_ops {
    /* Appends the tokens of a text; `flags` as of sc_tok_encode. */
    sc_code (*encode)(void *self, sc_str text, unsigned flags, sc_ids *out, sc_err *err);
    /* What stands in the report: architecture, files (without hashes), tokenizer, how it computes.
     */
    sc_code (*describe)(void *self, json_t **out, sc_err *err);
    /* Memory by part, in bytes; NULL when the engine cannot say. */
    json_t *(*memory)(void *self);
    void (*close)(void *self);
} sc_engine_ops;

struct sc_engine {
    const sc_engine_ops *ops;
    void *self;              // owned
    sc_gen *gen;             // owned
    const int32_t *stop_ids; // borrowed from self
    size_t n_stop_ids;
    const sc_tok *tok; // borrowed from self; NULL: not known, and only raw prompts can be asked
    uint32_t ctx;      // tokens a sequence may have; 0: not known
    sc_sample_rule rule;
};

/**
 * Opens a model of our own engine with its tokenizer.
 *
 * Owns:   the caller closes *out with sc_engine_close; `spec` is borrowed for the call.
 * Errors: as sc_hub_resolve, sc_model_open, sc_tok_open, sc_tok_find_beside; SC_E_FORMAT when the
 *         tokenizer is not the model's
 */
sc_code sc_engine_open_local(const sc_eval_model *spec, const sc_engine_opts *opts, sc_engine **out,
                             sc_err *err) SC_CHECKED;

/**
 * As above, of the tokenizer alone: prompts can be made, but not completed (`gen` is NULL).
 *
 * Errors: as sc_hub_resolve, sc_tok_open, sc_tok_find_beside
 */
sc_code sc_engine_open_tok(const sc_eval_model *spec, const sc_engine_opts *opts, sc_engine **out,
                           sc_err *err) SC_CHECKED;

void sc_engine_close(sc_engine *e);

SC_AUTO_DEFINE(sc_engine, sc_engine_close);

#endif
