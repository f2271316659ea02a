// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * GPT-2: learned positions, matrices stored [in, out].
 * Source: transformers, models/gpt2.
 */
static void defaults(sc_config *c)
{
    c->vocab = 50257;
    c->hidden = 768;
    c->layers = 12;
    c->heads = 12;
    c->ctx = 1024;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->act = SC_ACT_GELU_TANH;
    c->learned_pos = true;
    c->tied = true;
    c->qkv_bias = c->out_bias = c->mlp_bias = SC_BIAS_YES;
    c->bos = 50256;
    c->eos[c->n_eos++] = 50256;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_gpt_keys(o, c, err));
    return sc_json_get_bool(o, "scale_attn_by_inverse_layer_idx", &c->scale_by_layer, err);
}

const sc_arch sc_arch_gpt2 = {
    .name = "gpt2",
    .hf = {"gpt2"},
    .gguf = {"gpt2"},
    .read_hf = read_hf,
    .defaults = defaults,
    .qkv = SC_QKV_CONCAT,
    .qkv_gguf = SC_QKV_CONCAT,
    .conv1d = true,
    .names = {SC_NAMES_GPT2},
};
