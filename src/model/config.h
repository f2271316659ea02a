/**
 * config.h - what a decoder-only model is, in numbers: one struct for every architecture.
 *
 * It is filled from a Hugging Face config.json (version 4 and version 5 of the library write RoPE
 * differently, both are read), from the `config` dict of a SmallCoder checkpoint, or from GGUF
 * keys. Keys that are missing take the default of the architecture's class. What a file asks for
 * and the decoder does not do is SC_E_UNSUPPORTED and names the key.
 *
 * Threads: immutable after filling.
 * Source:  transformers, models/NAME/configuration_NAME.py and modeling_rope_utils.py; llama.cpp,
 *          gguf-py/gguf/constants.py.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_CONFIG_H
#define SC_MODEL_CONFIG_H

#include "base/err.h"
#include "base/json.h"
#include "fmt/weights.h"
#include "kern/kern.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SC_CONFIG_MAX_LAYERS = 1024,
    SC_CONFIG_MAX_ROPE = 256, // most pairs of a head that RoPE turns
    SC_CONFIG_MAX_EOS = 16,
};

typedef enum sc_norm_kind { SC_NORM_RMS, SC_NORM_LAYER } sc_norm_kind;

typedef enum sc_bias_kind {
    SC_BIAS_NO,
    SC_BIAS_YES,
    SC_BIAS_FOUND, // as the tensors have it: a GGUF file does not say
} sc_bias_kind;

typedef enum sc_qk_norm_kind {
    SC_QK_NONE,
    SC_QK_RMS,         // one weight of head_dim for all heads
    SC_QK_LAYER,       // one weight and bias of head_dim for all heads
    SC_QK_LAYER_HEADS, // a weight of head_dim for each head, no bias
} sc_qk_norm_kind;

typedef enum sc_rope_kind {
    SC_ROPE_PLAIN,
    SC_ROPE_LINEAR,
    SC_ROPE_DYNAMIC, // frequencies depend on the length of the sequence
    SC_ROPE_LLAMA3,
    SC_ROPE_YARN,
    SC_ROPE_LONG, // two tables of divisors, chosen by the length of the sequence
} sc_rope_kind;

typedef struct sc_rope_conf {
    sc_rope_kind kind;
    sc_rope style;
    uint32_t dim; // rotated part of a head, even; 0: no rotary embedding
    double theta;
    double factor;           // 1: none
    uint32_t orig_ctx;       // the context that the factor stretches
    double low_freq_factor;  // llama3
    double high_freq_factor; // llama3
    double beta_fast;        // yarn
    double beta_slow;        // yarn
    double attention_factor; // yarn, longrope: on cos and sin; 0: from the factor
    double mscale, mscale_all_dim;
    bool truncate; // yarn: floor and ceil of the correction range
    uint32_t n_divisors;
    float short_div[SC_CONFIG_MAX_ROPE]; // longrope; [dim / 2]
    float long_div[SC_CONFIG_MAX_ROPE];
} sc_rope_conf;

typedef struct sc_config {
    const char *arch; // name of the row in the architecture table; a literal

    uint32_t hidden;
    uint32_t inter; // of the plain MLP
    uint32_t layers;
    uint32_t heads;
    uint32_t kv_heads;
    uint32_t head_dim; // of q, k and v
    uint32_t vocab;
    uint32_t ctx; // most positions

    sc_norm_kind norm;
    float norm_eps;
    bool norm_plus_one; // stored norm weights lack the 1 (Gemma in its own files)
    sc_act act;
    bool gated;    // down(act(gate) * up); else down(act(up))
    bool parallel; // x + attn(norm1) + mlp(norm2); else one after the other
    bool one_norm; // parallel and norm2 is norm1
    bool tied;     // the head is the embedding
    sc_bias_kind qkv_bias, out_bias, mlp_bias, head_bias;
    sc_qk_norm_kind qk_norm;

    bool learned_pos; // position embeddings [ctx, hidden] are added
    sc_rope_conf rope;
    uint32_t window;                              // most keys a query sees in a windowed layer; 0
    uint64_t windowed[SC_CONFIG_MAX_LAYERS / 64]; // bit set: the layer has the window
    bool scale_by_layer;                          // scores also / (layer + 1)

    uint32_t experts; // 0: no mixture
    uint32_t experts_used;
    uint32_t expert_inter;
    bool experts_renorm;                        // weights of the chosen experts sum to 1
    uint64_t sparse[SC_CONFIG_MAX_LAYERS / 64]; // bit set: the layer's MLP is a mixture

    float embed_scale;    // 1: none
    bool embed_scale_low; // round the scale to the embedding's stored type (Gemma)
    float residual_scale;
    float attn_scale;  // of q.k; 0: 1 / sqrt(head_dim)
    float logit_scale; // logits are multiplied by it

    int32_t bos;                    // -1: not said
    int32_t eos[SC_CONFIG_MAX_EOS]; // ids that end a text, as the config says
    uint32_t n_eos;
} sc_config;

static inline bool sc_config_bit(const uint64_t *set, uint32_t layer)
{
    return set[layer / 64] >> (layer % 64) & 1;
}

/** The window of `layer`: 0 when it sees everything. */
static inline uint32_t sc_config_window(const sc_config *c, uint32_t layer)
{
    return sc_config_bit(c->windowed, layer) ? c->window : 0;
}

/**
 * Reads the config.json object `o`.
 *
 * Errors: SC_E_FORMAT       a key has another type or a value that cannot be
 *         SC_E_UNSUPPORTED  an architecture, rope type, activation, quantisation we do not do
 */
sc_code sc_config_read_hf(const json_t *o, sc_config *out, sc_err *err) SC_CHECKED;

/**
 * Reads the `config` dict of a SmallCoder checkpoint; NULL, or one without sizes, gives the
 * defaults of the original (the binder then takes the sizes from the tensors).
 *
 * Errors: as sc_config_read_hf
 */
sc_code sc_config_read_smallcoder(const json_t *o, sc_config *out, sc_err *err) SC_CHECKED;

/**
 * Reads the keys of a GGUF file (its first part, if it is split), and from its tensors' names what
 * the keys do not say.
 *
 * Errors: as sc_config_read_hf; the message names the key or tensor
 */
sc_code sc_config_read_gguf(const sc_weights *w, sc_config *out, sc_err *err) SC_CHECKED;

/**
 * Adds the ids that the generation_config.json object `o` ends a text with; instruction-tuned
 * models often name more there than in config.json.
 *
 * Errors: SC_E_FORMAT for what is no list of ids; they are at most SC_CONFIG_MAX_EOS together
 */
sc_code sc_config_read_generation(const json_t *o, sc_config *c, sc_err *err) SC_CHECKED;

/** Refuses numbers that do not fit together. Errors: SC_E_FORMAT, names the key. */
sc_code sc_config_check(const sc_config *c, sc_err *err) SC_CHECKED;

/** How many weights the model has, tied ones once; for estimates. */
uint64_t sc_config_params(const sc_config *c);

#endif
