/**
 * model.h - a loaded decoder: tokens in, logits out, for many sequences at once.
 *
 * Keys and values live in pages of 16 positions. Sequences that were forked share the pages of
 * their common beginning; a page is copied when one of them writes into it. A step takes rows of
 * any sequences in any mixture: one row of each for decoding, many rows of one for a prompt.
 *
 * A row's result depends on its sequence alone, bit for bit: not on the batch, its place in it, the
 * number of threads, or into which blocks a prompt was cut. A step allocates nothing.
 *
 * Threads: one thread at a time; inside, a step runs on the model's own pool.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_MODEL_H
#define SC_MODEL_MODEL_H

#include "base/pool.h"
#include "fmt/weights.h"
#include "kern/kern.h"
#include "model/config.h"

#include <stdatomic.h>

typedef struct sc_model sc_model;

/** A sequence: a small number, 0 or more. */
typedef int32_t sc_seq;

typedef enum sc_kv_type {
    SC_KV_AUTO, // f32 with compute f32; bf16 with int8, bf16, and auto when most weights are bf16;
                // else f16
    SC_KV_F32,
    SC_KV_F16,
    SC_KV_BF16,
    SC_KV_Q8_0, // 8 bits and a scale for each 32 values of a head
} sc_kv_type;

/** All zero is the default. */
typedef struct sc_model_opts {
    unsigned threads;      // 0: as many as the process may use
    const char *cpu_level; // "ref", "avx2", "avx512"; NULL: the best there is
    sc_compute compute;
    sc_kv_type kv_type;
    uint32_t ctx;            // positions a sequence may have; 0: what the model was made for
    uint32_t max_seqs;       // sequences at a time; 0: 256
    uint32_t max_rows;       // rows of a step; 0: 512
    uint64_t kv_size;        // bytes of keys and values at most; 0: what max_seqs need, or fits
    bool pack_now;           // pack weights while loading, not when they are first needed
    bool hidden;             // keep the hidden states of a step
    const atomic_bool *stop; // borrowed; true makes loading or a step end with SC_E_INTERRUPTED;
                             // may be NULL
} sc_model_opts;

/** One token to feed. Rows of one sequence follow each other in order. */
typedef struct sc_row {
    sc_seq seq;
    int32_t token;
    bool want_logits;
} sc_row;

/** Bytes; virtual memory that was never touched is not counted in `resident`. */
typedef struct sc_model_memory {
    uint64_t mapped;    // weights used from the file's mapping
    uint64_t packed;    // weights repacked into our memory
    uint64_t kv;        // pages of keys and values in use
    uint64_t kv_most;   // and their ceiling
    uint64_t workspace; // of the largest step so far
} sc_model_memory;

/** What a run needs, found without reading a weight. */
typedef struct sc_model_need {
    uint64_t weights;  // bytes in the files
    uint64_t params;   // how many weights
    uint64_t kv_token; // bytes of keys and values a position
    uint64_t kv_seq;   // of a sequence as long as the context
    uint64_t workspace;
    uint64_t total;     // weights, one sequence, workspace
    uint64_t available; // memory the system could give; 0: unknown
} sc_model_need;

/**
 * Opens the model at `path` (as sc_weights_open) and gets it ready to run.
 *
 * A model that does not fit into the memory that is free is refused before loading.
 *
 * Owns:   the caller closes *out with sc_model_close
 * Errors: SC_E_IO, SC_E_NOTFOUND, SC_E_FORMAT, SC_E_UNSUPPORTED, SC_E_LIMIT, SC_E_NOMEM;
 *         SC_E_USAGE for options that make no sense. The message names file, tensor or key.
 */
sc_code sc_model_open(const char *path, const sc_model_opts *opts, sc_model **out,
                      sc_err *err) SC_CHECKED;
void sc_model_close(sc_model *m);

/** What `path` would need with these options. Reads directories and configs only. */
sc_code sc_model_estimate(const char *path, const sc_model_opts *opts, sc_config *config,
                          sc_model_need *out, sc_err *err) SC_CHECKED;

/** Borrowed until sc_model_close, all of them. */
const sc_config *sc_model_config(const sc_model *m);
const sc_weights *sc_model_weights(const sc_model *m);
const sc_kern *sc_model_kern(const sc_model *m);
sc_pool *sc_model_pool(sc_model *m);

/** Positions a sequence may have, and rows a step may have. */
uint32_t sc_model_ctx(const sc_model *m);
uint32_t sc_model_max_rows(const sc_model *m);
uint32_t sc_model_max_seqs(const sc_model *m);

/** The level, compute mode and KV type in use, for reports: "avx512+vnni", "auto", "f16". */
const char *sc_model_level(const sc_model *m);
const char *sc_model_compute(const sc_model *m);
const char *sc_model_kv(const sc_model *m);

sc_model_memory sc_model_memory_get(const sc_model *m);

/** A step as far as its cost goes. */
typedef struct sc_step_shape {
    double rows;   // tokens fed
    double logits; // rows that want logits
    double seqs;   // sequences among the rows
    double keys;   // positions that a row looks at, on average
    double length; // of a sequence at the end
    double shared; // positions at their beginning that are the same pages for all of them
} sc_step_shape;

typedef struct sc_cost {
    double macs[SC_ACTS_KIND_N]; // multiply-adds, by the encoding of the inputs
    double bytes;                // read from memory
} sc_cost;

/**
 * What a step must do at least: every weight it needs is read once, and the keys and values of
 * every sequence, shared ones once for all. Behind the last layer's keys only rows that want logits
 * count; of a mixture's experts those that the rows choose, taken as evenly spread.
 */
sc_cost sc_model_cost(const sc_model *m, const sc_step_shape *s);

/** An empty sequence. Errors: SC_E_LIMIT when max_seqs are open */
sc_code sc_model_seq_new(sc_model *m, sc_seq *out, sc_err *err) SC_CHECKED;

/** A sequence with all tokens of `from`, whose pages it shares. Errors: as sc_model_seq_new */
sc_code sc_model_seq_fork(sc_model *m, sc_seq from, sc_seq *out, sc_err *err) SC_CHECKED;

/** Forgets all but the first `n` tokens. Needs: n <= sc_model_seq_len */
void sc_model_seq_cut(sc_model *m, sc_seq s, uint32_t n);

void sc_model_seq_free(sc_model *m, sc_seq s);

/** Tokens in the sequence. */
uint32_t sc_model_seq_len(const sc_model *m, sc_seq s);

/**
 * Says that the tokens up to the length `n` are one prompt. Only RoPE whose frequencies depend on
 * the length (dynamic, longrope) looks at it: then every token of a prompt sees the prompt's whole
 * length, in whatever blocks it comes, and a later token the length up to itself.
 */
void sc_model_seq_expect(sc_model *m, sc_seq s, uint32_t n);

/** How many positions, in whole pages, the cache has room for yet. */
uint64_t sc_model_room(const sc_model *m);

/**
 * Feeds `n` rows; afterwards each row's token is part of its sequence.
 *
 * Errors: SC_E_USAGE       a token outside the vocabulary, more rows than max_rows
 *         SC_E_LIMIT       a sequence would be longer than the context, or no page is free
 *         SC_E_INTERRUPTED opts.stop became true
 *         and then every sequence is as before
 */
sc_code sc_model_step(sc_model *m, const sc_row *rows, size_t n, sc_err *err) SC_CHECKED;

/**
 * The logits [vocab] of row `i` of the last step; the caller may use them as scratch. Borrowed
 * until the next step. Needs: the row had want_logits
 */
float *sc_model_logits(sc_model *m, size_t i);

/**
 * The hidden state [hidden] of row `i` of the last step: l = 0 is the embedding, l = layers comes
 * after the final norm. Needs: opts.hidden, l <= layers. Borrowed until the next step.
 */
const float *sc_model_hidden(const sc_model *m, uint32_t l, size_t i);

SC_AUTO_DEFINE(sc_model, sc_model_close);

#endif
