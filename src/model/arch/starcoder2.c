// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * StarCoder2: Llama's shape with LayerNorm, biases and a plain MLP.
 * Source: transformers, models/starcoder2.
 */
static void defaults(sc_config *c)
{
    c->vocab = 49152;
    c->hidden = 3072;
    c->inter = 12288;
    c->layers = 30;
    c->heads = 24;
    c->kv_heads = 2;
    c->ctx = 4096;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->act = SC_ACT_GELU_TANH;
    c->tied = true;
    c->bos = 50256;
    c->eos[c->n_eos++] = 50256;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_f32(o, "norm_epsilon", &c->norm_eps, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    bool bias = true;
    SC_TRY(sc_json_get_bool(o, "use_bias", &bias, err));
    c->qkv_bias = c->out_bias = c->mlp_bias = sc_config_bias(bias);
    SC_TRY(sc_config_window_key(o, "sliding_window", &c->window, err));
    SC_TRY(sc_config_window_layers(o, 0, c, err));
    return sc_config_rope_keys(o, 0, c, err);
}

const sc_arch sc_arch_starcoder2 = {
    .name = "starcoder2",
    .hf = {"starcoder2"},
    .gguf = {"starcoder2"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {SC_NAMES_LLAMA_ATTENTION, .up = "layers.%u.mlp.c_fc", .down = "layers.%u.mlp.c_proj"},
};
