// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * GPT-NeoX: Pythia, StableLM-alpha, PolyCoder. Attention and MLP side by side, each with its norm.
 * Source: transformers, models/gpt_neox.
 */
static void defaults(sc_config *c)
{
    c->vocab = 50432;
    c->hidden = 6144;
    c->inter = 24576;
    c->layers = 44;
    c->heads = 64;
    c->ctx = 2048;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->act = SC_ACT_GELU;
    c->parallel = true;
    c->qkv_bias = c->out_bias = c->mlp_bias = SC_BIAS_YES;
    c->bos = 0;
    c->eos[c->n_eos++] = 2;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    SC_TRY(sc_json_get_bool(o, "use_parallel_residual", &c->parallel, err));
    bool bias = true;
    SC_TRY(sc_json_get_bool(o, "attention_bias", &bias, err));
    c->qkv_bias = c->out_bias = sc_config_bias(bias);
    double part = 0.25;
    SC_TRY(sc_json_get_num(o, "rotary_pct", &part, err));
    SC_TRY(sc_json_get_num(o, "rotary_emb_base", &c->rope.theta, err));
    return sc_config_rope_keys(o, part, c, err);
}

/*
 * A GGUF file does not say which GELU. Models with the parallel residual (Pythia) use the exact
 * one; for the others we do as llama.cpp does.
 */
static void gguf_fix(sc_config *c)
{
    if (!c->parallel)
        c->act = SC_ACT_GELU_TANH;
}

const sc_arch sc_arch_gpt_neox = {
    .name = "gpt_neox",
    .hf = {"gpt_neox"},
    .gguf = {"gptneox"},
    .read_hf = read_hf,
    .defaults = defaults,
    .gguf_fix = gguf_fix,
    .qkv = SC_QKV_HEADS,
    .qkv_gguf = SC_QKV_CONCAT,
    .names = {.prefix = "gpt_neox.",
              .embed = "embed_in",
              .norm = "final_layer_norm",
              .head = "embed_out",
              .norm1 = "layers.%u.input_layernorm",
              .norm2 = "layers.%u.post_attention_layernorm",
              .qkv = "layers.%u.attention.query_key_value",
              .o = "layers.%u.attention.dense",
              .up = "layers.%u.mlp.dense_h_to_4h",
              .down = "layers.%u.mlp.dense_4h_to_h"},
};
