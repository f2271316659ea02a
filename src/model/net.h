/**
 * net.h - a model's weights, checked, packed and in the order the decoder uses them.
 *
 * Threads: immutable after binding, but for the sources (source.h).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_NET_H
#define SC_MODEL_NET_H

#include "base/ahead.h"
#include "base/pool.h"
#include "fmt/weights.h"
#include "kern/kern.h"
#include "model/config.h"
#include "model/source.h"

#include <stdatomic.h>

enum { SC_LINEAR_PARTS = 3 };

/** y = W x + b, where W may be stored in several types: parts of its rows, one after the other. */
typedef struct sc_linear {
    uint32_t n_parts;
    sc_mat part[SC_LINEAR_PARTS];
    uint32_t at[SC_LINEAR_PARTS];       // where its rows stand in y
    float *bias[SC_LINEAR_PARTS];       // owned by the net; [rows of the part] or NULL
    sc_source *source[SC_LINEAR_PARTS]; // owned by the net; NULL: packed while loading
    uint32_t rows;                      // of y
    bool paired;                        // gate and up in one: 16 rows of each in a panel
} sc_linear;

typedef struct sc_norm {
    float *w; // owned by the net; [width]
    float *b; // or NULL
} sc_norm;

typedef struct sc_expert {
    sc_linear up; // gate and up
    sc_linear down;
} sc_expert;

typedef struct sc_layer {
    sc_norm norm1, norm2;   // norm2.w is NULL where one norm serves both
    sc_norm q_norm, k_norm; // [heads, head_dim] or [head_dim]; w NULL: none
    sc_linear qkv, out, up, down, router;
    sc_expert *expert; // owned; [experts] in a sparse layer, else NULL
} sc_layer;

typedef struct sc_net {
    sc_config config;
    sc_weights *weights; // owned
    sc_layer *layer;     // owned, [layers]
    sc_norm norm;
    sc_linear head;
    const uint8_t *embed;     // rows in the mapping; NULL: rows of the head
    const uint8_t *positions; // rows in the mapping, or NULL
    sc_dtype embed_type, positions_type;
    size_t embed_row, positions_row; // bytes
    float embed_scale;
    uint8_t *arena;                // owned pages: packed matrices
    size_t arena_size, arena_used; // `used` counts the places of matrices yet to be packed
    uint64_t packed;               // bytes that were packed while loading
    void **kept;                   // owned: blocks of floats
    size_t n_kept, cap_kept;
    sc_source **source; // owned, each of them too
    size_t n_sources, cap_sources;
    uint64_t mapped; // bytes of weights used from the mapping
} sc_net;

/**
 * Reads the configuration of `w`, whatever its kind.
 *
 * Errors: as sc_config_read_hf; SC_E_NOTFOUND when weights that need a config have none
 */
sc_code sc_net_config(sc_weights *w, sc_config *out, sc_err *err) SC_CHECKED;

/** What binding works with; borrowed. */
typedef struct sc_bind_how {
    sc_pool *pool;
    const sc_kern *kern;
    bool now;                // pack while loading, not when a matrix is first needed
    const atomic_bool *stop; // or NULL
} sc_bind_how;

/**
 * Checks every tensor against the configuration. Matrices in the file's mapping are packed when
 * they are needed (source.h), others at once on the pool.
 *
 * Owns:   takes *w, also on failure; the caller frees *out with sc_net_free
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED, SC_E_NOMEM; names file, tensor, and both shapes;
 *         SC_E_INTERRUPTED when *how->stop became true
 */
sc_code sc_net_bind(sc_weights **w, const sc_config *c, const sc_bind_how *how, sc_net **out,
                    sc_err *err) SC_CHECKED;
void sc_net_free(sc_net *n);

/** Bytes of weights that are packed, and that are used from the mapping, by now. */
void sc_net_sizes(const sc_net *n, uint64_t *packed, uint64_t *mapped);

/** Starts to walk through what will be packed when it is needed, layer by layer; may be NULL. */
sc_ahead *sc_net_walk_ahead(const sc_net *n);

/** Upper bound of the bytes that packing will take. */
uint64_t sc_net_packed_most(const sc_weights *w);

/** Writes the embedding of `token` (below the vocabulary) into x [hidden], not scaled. */
void sc_net_embed(const sc_net *n, int32_t token, float *x);

SC_AUTO_DEFINE(sc_net, sc_net_free);

#endif
