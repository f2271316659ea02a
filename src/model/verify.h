/**
 * verify.h - whether a model's files say what they should, without running it.
 *
 * Three questions, each on its own so that a caller can go on after a no: does every tensor have
 * the shape that the configuration asks for, is every value a number, does the tokenizer fit.
 *
 * Threads: one thread at a time; values are looked at on a team of threads.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_VERIFY_H
#define SC_MODEL_VERIFY_H

#include "base/pool.h"
#include "fmt/weights.h"
#include "model/config.h"
#include "tok/tok.h"

#include <stdatomic.h>

/**
 * Opens the model at `path`, reads its configuration into *c and holds every tensor against it.
 *
 * Errors: as sc_weights_open, sc_net_config and sc_net_bind: the message names file and tensor
 */
sc_code sc_verify_shapes(const char *path, sc_pool *pool, const atomic_bool *stop, sc_config *c,
                         sc_err *err) SC_CHECKED;

/** What a look at every value found. */
typedef struct sc_verify_values {
    uint64_t tensors;       // that were looked at
    uint64_t values;        // in them
    uint64_t nan;           // no numbers
    uint64_t inf;           // infinite
    uint64_t bad;           // tensors with either
    const sc_tensor *first; // the first of those; borrowed from the weights; NULL: none
} sc_verify_values;

/**
 * Looks at every value of every tensor of `w` that holds weights, the scales of blocks included.
 *
 * Errors: as sc_weights_data; SC_E_INTERRUPTED when *stop became true
 */
sc_code sc_verify_values_of(sc_weights *w, sc_pool *pool, const atomic_bool *stop,
                            sc_verify_values *out, sc_err *err) SC_CHECKED;

/**
 * Whether each token that `t` can give has a row in the embedding of `c`.
 *
 * Errors: SC_E_FORMAT with both numbers
 */
sc_code sc_verify_tokens(const sc_tok *t, const sc_config *c, sc_err *err) SC_CHECKED;

#endif
