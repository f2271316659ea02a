// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Qwen2 and Qwen2.5(-Coder): Llama with biases on q, k and v; the window only when it is asked for.
 * Source: transformers, models/qwen2.
 */
static void defaults(sc_config *c)
{
    c->vocab = 151936;
    c->hidden = 4096;
    c->inter = 22016;
    c->layers = 32;
    c->heads = 32;
    c->kv_heads = 32;
    c->ctx = 32768;
    c->gated = true;
    c->qkv_bias = SC_BIAS_YES;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    bool use = false;
    uint32_t window = 4096, from = 28;
    SC_TRY(sc_json_get_bool(o, "use_sliding_window", &use, err));
    SC_TRY(sc_config_window_key(o, "sliding_window", &window, err));
    SC_TRY(sc_config_u32(o, "max_window_layers", 0, UINT32_MAX, &from, err));
    c->window = use ? window : 0;
    SC_TRY(sc_config_window_layers(o, from, c, err));
    return sc_config_rope_keys(o, 0, c, err);
}

const sc_arch sc_arch_qwen2 = {
    .name = "qwen2",
    .hf = {"qwen2"},
    .gguf = {"qwen2"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP},
};
