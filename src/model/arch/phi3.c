// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Phi-3: Llama with q, k, v in one matrix and gate, up in another.
 * Source: transformers, models/phi3.
 */
static void defaults(sc_config *c)
{
    c->vocab = 32064;
    c->hidden = 3072;
    c->inter = 8192;
    c->layers = 32;
    c->heads = 32;
    c->ctx = 4096;
    c->rope.orig_ctx = 4096;
    c->norm_eps = 1e-5f;
    c->gated = true;
    c->bos = 1;
    c->eos[c->n_eos++] = 32000;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    SC_TRY(sc_config_window_key(o, "sliding_window", &c->window, err));
    SC_TRY(sc_config_window_layers(o, 0, c, err));
    return sc_config_rope_keys(o, 1, c, err);
}

const sc_arch sc_arch_phi3 = {
    .name = "phi3",
    .hf = {"phi3"},
    .gguf = {"phi3"},
    .long_rope = true,
    .read_hf = read_hf,
    .defaults = defaults,
    .qkv = SC_QKV_CONCAT,
    .qkv_gguf = SC_QKV_CONCAT,
    .names = {.prefix = "model.",
              .embed = "embed_tokens",
              .norm = "norm",
              .head = "lm_head",
              .norm1 = "layers.%u.input_layernorm",
              .norm2 = "layers.%u.post_attention_layernorm",
              .qkv = "layers.%u.self_attn.qkv_proj",
              .o = "layers.%u.self_attn.o_proj",
              .gate_up = "layers.%u.mlp.gate_up_proj",
              .down = "layers.%u.mlp.down_proj"},
};
