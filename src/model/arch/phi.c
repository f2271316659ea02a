// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Phi-1, Phi-1.5, Phi-2: one norm feeds attention and MLP side by side; the head has a bias.
 * Source: transformers, models/phi.
 */
static void defaults(sc_config *c)
{
    c->vocab = 51200;
    c->hidden = 2048;
    c->inter = 8192;
    c->layers = 24;
    c->heads = 32;
    c->ctx = 2048;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->act = SC_ACT_GELU_TANH;
    c->parallel = c->one_norm = true;
    c->qkv_bias = c->out_bias = c->mlp_bias = c->head_bias = SC_BIAS_YES;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    bool qk_norm = false;
    SC_TRY(sc_json_get_bool(o, "qk_layernorm", &qk_norm, err));
    c->qk_norm = qk_norm ? SC_QK_LAYER : SC_QK_NONE;
    return sc_config_rope_keys(o, 0.5, c, err);
}

const sc_arch sc_arch_phi = {
    .name = "phi",
    .hf = {"phi"},
    .gguf = {"phi2"},
    .read_hf = read_hf,
    .defaults = defaults,
    .qkv_gguf = SC_QKV_CONCAT, // in older files
    .names = {.prefix = "model.",
              .embed = "embed_tokens",
              .norm = "final_layernorm",
              .head = "lm_head",
              .norm1 = "layers.%u.input_layernorm",
              .q = "layers.%u.self_attn.q_proj",
              .k = "layers.%u.self_attn.k_proj",
              .v = "layers.%u.self_attn.v_proj",
              .o = "layers.%u.self_attn.dense",
              .q_norm = "layers.%u.self_attn.q_layernorm",
              .k_norm = "layers.%u.self_attn.k_layernorm",
              .up = "layers.%u.mlp.fc1",
              .down = "layers.%u.mlp.fc2"},
};
