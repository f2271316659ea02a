/**
 * rope.h - the angles of rotary position embeddings, in every variant of config.h.
 *
 * Threads: immutable after sc_rope_init.
 * Source:  transformers, modeling_rope_utils.py.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_ROPE_H
#define SC_MODEL_ROPE_H

#include "model/config.h"

typedef struct sc_rope_table {
    sc_rope_conf conf;
    float inv[SC_CONFIG_MAX_ROPE];      // inverse frequencies, [conf.dim / 2]
    float inv_long[SC_CONFIG_MAX_ROPE]; // longrope past the original context
    float scale;                        // of cos and sin
} sc_rope_table;

void sc_rope_init(sc_rope_table *t, const sc_config *c);

/**
 * cos and sin [conf.dim / 2] of position `pos` in a sequence of `len` tokens, in float as the
 * reference does: angle = pos * inverse frequency.
 */
void sc_rope_angles(const sc_rope_table *t, uint32_t pos, uint32_t len, float *cos_out,
                    float *sin_out);

#endif
