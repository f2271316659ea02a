// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Qwen3: Qwen2 without its biases, with an RMS norm of q and k in each head.
 * Source: transformers, models/qwen3.
 */
static void defaults(sc_config *c)
{
    c->vocab = 151936;
    c->hidden = 4096;
    c->inter = 22016;
    c->layers = 32;
    c->heads = 32;
    c->kv_heads = 32;
    c->head_dim = 128;
    c->ctx = 32768;
    c->gated = true;
    c->qk_norm = SC_QK_RMS;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_arch_qwen2.read_hf(o, c, err));
    bool attention = false;
    SC_TRY(sc_json_get_bool(o, "attention_bias", &attention, err));
    c->qkv_bias = c->out_bias = sc_config_bias(attention);
    return SC_OK;
}

const sc_arch sc_arch_qwen3 = {
    .name = "qwen3",
    .hf = {"qwen3"},
    .gguf = {"qwen3"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP, .q_norm = "layers.%u.self_attn.q_norm",
              .k_norm = "layers.%u.self_attn.k_norm"},
};
