// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Llama, Code Llama, DeepSeek-Coder v1, Granite-Code 3B and 8B, Yi-Coder, TinyLlama.
 * Source: transformers, models/llama.
 */
static void defaults(sc_config *c)
{
    c->vocab = 32000;
    c->hidden = 4096;
    c->inter = 11008;
    c->layers = 32;
    c->heads = 32;
    c->ctx = 2048;
    c->gated = true;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    bool attention = false, mlp = false;
    SC_TRY(sc_json_get_bool(o, "attention_bias", &attention, err));
    SC_TRY(sc_json_get_bool(o, "mlp_bias", &mlp, err));
    c->qkv_bias = c->out_bias = sc_config_bias(attention);
    c->mlp_bias = sc_config_bias(mlp);
    return sc_config_rope_keys(o, 0, c, err);
}

const sc_arch sc_arch_llama = {
    .name = "llama",
    .hf = {"llama"},
    .gguf = {"llama"},
    .read_hf = read_hf,
    .defaults = defaults,
    .gguf_permuted = true,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP},
};
