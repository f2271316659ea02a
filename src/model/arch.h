/**
 * arch.h - an architecture as data: where its config keeps the numbers, what its tensors are
 * called. One row of sc_archs, one file in arch/.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_ARCH_H
#define SC_MODEL_ARCH_H

#include "model/config.h"

#include <stddef.h>

/** How the rows of a fused q, k, v matrix lie. */
typedef enum sc_qkv_kind {
    SC_QKV_SPLIT,  // three matrices
    SC_QKV_CONCAT, // all q, all k, all v
    SC_QKV_HEADS,  // per head: q, k, v
    SC_QKV_CODEGEN // four blocks of q, v, k, each a quarter of the heads
} sc_qkv_kind;

/**
 * Names of the tensors without ".weight" and ".bias"; NULL: the model has none. %u is the layer;
 * in the expert names the second %u is the expert.
 */
typedef struct sc_arch_names {
    const char *prefix; // "model.": may be missing in a file
    const char *embed, *pos, *norm, *head;
    const char *norm1, *norm2;
    const char *q, *k, *v, *qkv, *o;
    const char *q_norm, *k_norm;
    const char *gate, *up, *gate_up, *down;
    const char *router, *x_gate, *x_up, *x_down;
} sc_arch_names;

// Names that many architectures share: initialisers of sc_arch_names, put together in a row.
#define SC_NAMES_LLAMA_ATTENTION                                                                   \
    .prefix = "model.", .embed = "embed_tokens", .norm = "norm", .head = "lm_head",                \
    .norm1 = "layers.%u.input_layernorm", .norm2 = "layers.%u.post_attention_layernorm",           \
    .q = "layers.%u.self_attn.q_proj", .k = "layers.%u.self_attn.k_proj",                          \
    .v = "layers.%u.self_attn.v_proj", .o = "layers.%u.self_attn.o_proj"
#define SC_NAMES_LLAMA_MLP                                                                         \
    .gate = "layers.%u.mlp.gate_proj", .up = "layers.%u.mlp.up_proj",                              \
    .down = "layers.%u.mlp.down_proj"
#define SC_NAMES_GPT2                                                                              \
    .prefix = "transformer.", .embed = "wte", .pos = "wpe", .norm = "ln_f", .head = "lm_head",     \
    .norm1 = "h.%u.ln_1", .norm2 = "h.%u.ln_2", .qkv = "h.%u.attn.c_attn",                         \
    .o = "h.%u.attn.c_proj", .up = "h.%u.mlp.c_fc", .down = "h.%u.mlp.c_proj"

typedef struct sc_arch {
    const char *name;
    const char *hf[4];   // model_type values, NULL-terminated
    const char *gguf[4]; // general.architecture values, NULL-terminated
    sc_code (*read_hf)(const json_t *o, sc_config *c, sc_err *err); // over the defaults
    void (*defaults)(sc_config *c);
    void (*gguf_fix)(sc_config *c); // what a GGUF file of this architecture implies; may be NULL
    sc_arch_names names;            // in Hugging Face and torch files
    sc_qkv_kind qkv;                // in those files
    sc_qkv_kind qkv_gguf;
    bool long_rope;     // its rope_scaling is longrope, under that name and older ones
    bool conv1d;        // matrices are stored [in, out] in those files
    bool gguf_permuted; // q and k rows of a GGUF file are permuted for interleaved rotary
} sc_arch;

/** Every architecture, NULL at the end. */
extern const sc_arch *const sc_archs[];

/** The row called `name` in the table, by our name; NULL. */
const sc_arch *sc_arch_find(const char *name);
/** The row for a `model_type`, or for a `general.architecture`; NULL. */
const sc_arch *sc_arch_find_hf(sc_str model_type);
const sc_arch *sc_arch_find_gguf(sc_str architecture);

/** Where row `r` of q (0), k (1) or v (2) stands in a fused matrix of that kind. */
size_t sc_arch_fused_row(const sc_config *c, sc_qkv_kind kind, unsigned which, size_t r);

/** Fails with the list of what is known. */
sc_code sc_arch_unknown(sc_str name, bool gguf, sc_err *err) SC_CHECKED;

extern const sc_arch sc_arch_smallcoder, sc_arch_llama, sc_arch_granite, sc_arch_mistral,
    sc_arch_mixtral, sc_arch_qwen2, sc_arch_qwen3, sc_arch_qwen3_moe, sc_arch_codegen,
    sc_arch_gpt_bigcode, sc_arch_starcoder2, sc_arch_gpt2, sc_arch_gpt_neox, sc_arch_phi,
    sc_arch_phi3, sc_arch_stablelm, sc_arch_gemma;

// What the read_hf functions are made of (config.c).

/** What every class has unless its row says otherwise, then the row's defaults. */
void sc_config_init(sc_config *c, const sc_arch *a);
/** Sizes that follow from others, then sc_config_check. */
sc_code sc_config_finish(sc_config *c, sc_err *err) SC_CHECKED;

/** The keys of Llama-like configs: hidden_size, num_attention_heads, ... */
sc_code sc_config_llama_keys(const json_t *o, sc_config *c, sc_err *err) SC_CHECKED;
/** The keys of GPT-2-like configs: n_embd, n_head, ... */
sc_code sc_config_gpt_keys(const json_t *o, sc_config *c, sc_err *err) SC_CHECKED;
/**
 * RoPE in both forms; the rotated part is `head_dim` times partial_rotary_factor, which is
 * `partial` unless the file says it; 0: the class has no such key and turns the whole head.
 * c->rope.orig_ctx may hold the class's default of original_max_position_embeddings.
 */
sc_code sc_config_rope_keys(const json_t *o, double partial, sc_config *c, sc_err *err) SC_CHECKED;
/** The activation under `key`. */
sc_code sc_config_act(const json_t *o, const char *key, sc_act *out, sc_err *err) SC_CHECKED;
/** `key` as a number of keys seen: absent keeps *window, null is none. */
sc_code sc_config_window_key(const json_t *o, const char *key, uint32_t *window,
                             sc_err *err) SC_CHECKED;
/** layer_types, or else every layer from `from` on has the window. */
sc_code sc_config_window_layers(const json_t *o, uint32_t from, sc_config *c,
                                sc_err *err) SC_CHECKED;
sc_code sc_config_u32(const json_t *o, const char *key, uint32_t low, uint32_t high, uint32_t *out,
                      sc_err *err) SC_CHECKED;
sc_code sc_config_f32(const json_t *o, const char *key, float *out, sc_err *err) SC_CHECKED;
/** Refuses `key` unless it is absent, null, or false. */
sc_code sc_config_refuse(const json_t *o, const char *key, sc_err *err) SC_CHECKED;

static inline sc_bias_kind sc_config_bias(bool has)
{
    return has ? SC_BIAS_YES : SC_BIAS_NO;
}

#endif
