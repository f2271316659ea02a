// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * SmallCoder: Llama with a tied head. A step checkpoint has no config: the binder then takes the
 * sizes from the tensors, the heads from here.
 * Source: smallLLM, model.py and model_variants.py.
 */
static void defaults(sc_config *c)
{
    c->vocab = 32000;
    c->hidden = 1152;
    c->inter = 3328;
    c->layers = 18;
    c->heads = 16;
    c->kv_heads = 4;
    c->ctx = 4096;
    c->gated = true;
    c->tied = true;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
    c->rope.dim = 72;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_refuse(o, "rope_scaling", err));
    return sc_config_rope_keys(o, 1, c, err);
}

const sc_arch sc_arch_smallcoder = {
    .name = "smallcoder",
    .hf = {"smallcoder"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {.prefix = "model.",
              .embed = "embed_tokens",
              .norm = "norm",
              .head = "lm_head",
              .norm1 = "layers.%u.input_layernorm",
              .norm2 = "layers.%u.post_attention_layernorm",
              .q = "layers.%u.self_attn.q_proj",
              .k = "layers.%u.self_attn.k_proj",
              .v = "layers.%u.self_attn.v_proj",
              .o = "layers.%u.self_attn.o_proj",
              .gate = "layers.%u.mlp.gate_proj",
              .up = "layers.%u.mlp.up_proj",
              .down = "layers.%u.mlp.down_proj"},
};
