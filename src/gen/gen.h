/**
 * gen.h - "complete these prompts": requests in, finished samples out, whatever does the work.
 *
 * A backend is a row of functions; the local one decodes all samples of all requests together,
 * prefills a prompt once for all its samples and refills a free place at every step. What a sample
 * becomes depends on its request and its seed alone.
 *
 * What the model did (a stop, a limit, broken logits) is a result; an error is a failure of ours.
 *
 * Threads: one thread at a time per backend. Callbacks come on the caller's thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GEN_GEN_H
#define SC_GEN_GEN_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "model/sample.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_gen sc_gen;

/** One prompt and how its samples are drawn. All pointers are borrowed until sc_gen_run returns. */
typedef struct sc_gen_request {
    const char *name;      // for messages: the task
    const int32_t *prompt; // [n_prompt] ids, at least one
    size_t n_prompt;
    const uint64_t *seeds; // [n_samples]
    uint32_t n_samples;    // at least one
    uint32_t max_tokens;   // new tokens, at least one
    bool may_clip;         // the context may end the text before max_tokens does
    sc_sample_params params;
    const int32_t *stop_ids; // [n_stop_ids]
    size_t n_stop_ids;
    const sc_str *stop_texts; // [n_stop_texts], none empty
    size_t n_stop_texts;
    void *user; // the caller's own
} sc_gen_request;

typedef enum sc_finish {
    SC_FINISH_STOP_ID,     // a stop id came; it is the last of the ids
    SC_FINISH_STOP_TEXT,   // a stop text came; the text ends before it
    SC_FINISH_LENGTH,      // max_tokens
    SC_FINISH_CONTEXT,     // the model's context is full
    SC_FINISH_INTERRUPTED, // asked to stop
    SC_FINISH_ERROR,       // the model gave no usable logits; see `error`
} sc_finish;

/** "stop_id", "stop_text", "length", "context", "interrupted", "error". */
const char *sc_finish_name(sc_finish f);

/** A finished sample. Everything is borrowed for the callback. */
typedef struct sc_gen_result {
    const sc_gen_request *request;
    size_t request_index;
    uint32_t sample;
    uint64_t seed;
    sc_finish finish;
    const sc_err *error; // of SC_FINISH_ERROR, else NULL
    sc_str text;         // the completion, cut at the stop text; any bytes that are UTF-8
    sc_str full_text;    // as it came, the stop text and what its last token brought included
    const int32_t *ids;  // [n_ids] new tokens
    size_t n_ids;
    const uint64_t *token_ns; // [n_ids] when each came, since start_ns
    uint64_t queue_ns;        // from the call to start_ns
    uint64_t start_ns;        // the clock when work on this sample began
    uint64_t prefill_ns;      // reading the prompt, up to its logits
    bool shared_prefill;      // another sample of this request had the prompt read already
    uint32_t batch_peak;      // most samples that were decoded together with this one
} sc_gen_result;

/** Where results go; any function may be NULL. */
typedef struct sc_gen_sink {
    /** A piece of a sample's text that will not be taken back; `piece` is borrowed for the call. */
    void (*piece)(void *ctx, const sc_gen_request *r, uint32_t sample, sc_str piece);
    /** A finished sample. A failure ends the run with that error. */
    sc_code (*done)(void *ctx, const sc_gen_result *result, sc_err *err);
    void *ctx;
} sc_gen_sink;

typedef struct sc_gen_ops {
    const char *name;
    sc_code (*run)(void *self, const sc_gen_request *r, size_t n, const sc_gen_sink *sink,
                   const atomic_bool *stop, sc_err *err);
    void (*close)(void *self);
} sc_gen_ops;

struct sc_gen {
    const sc_gen_ops *ops;
    void *self; // owned
};

/**
 * Completes all requests; returns when every sample was handed to the sink.
 *
 * `stop` (may be NULL) ends the work after the current step: samples in flight are handed over as
 * SC_FINISH_INTERRUPTED.
 *
 * Errors: SC_E_LIMIT       a prompt and its max_tokens exceed the context; nothing was started
 *         SC_E_USAGE       a request makes no sense
 *         SC_E_INTERRUPTED `stop` was set
 *         as the sink's `done`; SC_E_NOMEM
 */
sc_code sc_gen_run(sc_gen *g, const sc_gen_request *r, size_t n, const sc_gen_sink *sink,
                   const atomic_bool *stop, sc_err *err) SC_CHECKED;

void sc_gen_close(sc_gen *g);

SC_AUTO_DEFINE(sc_gen, sc_gen_close);

#endif
