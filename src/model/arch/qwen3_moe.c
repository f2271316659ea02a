// SPDX-License-Identifier: MIT
#include "model/arch.h"

#include <string.h>

/*
 * Qwen3-MoE (Qwen3-Coder): Qwen3 whose MLPs are mixtures of experts, but for those the config
 * leaves plain.
 * Source: transformers, models/qwen3_moe.
 */
static void defaults(sc_config *c)
{
    c->vocab = 151936;
    c->hidden = 2048;
    c->inter = 6144;
    c->layers = 24;
    c->heads = 32;
    c->kv_heads = 4;
    c->ctx = 32768;
    c->gated = true;
    c->qk_norm = SC_QK_RMS;
    c->experts = 128;
    c->experts_used = 8;
    c->expert_inter = 768;
}

/* Every decoder_sparse_step-th layer is a mixture, those of mlp_only_layers never. */
static sc_code read_layers(const json_t *o, sc_config *c, sc_err *err)
{
    uint32_t step = 1;
    SC_TRY(sc_config_u32(o, "decoder_sparse_step", 1, UINT32_MAX, &step, err));
    for (uint32_t l = 0; l < c->layers; l++)
        if ((l + 1) % step == 0)
            c->sparse[l / 64] |= (uint64_t)1 << (l % 64);
    const json_t *plain = json_object_get(o, "mlp_only_layers");
    for (size_t i = 0; i < json_array_size(plain); i++) {
        const json_int_t l = json_integer_value(json_array_get(plain, i));
        if (l < 0 || l >= (json_int_t)c->layers)
            return sc_fail(err, SC_E_FORMAT, "mlp_only_layers: no layer %" JSON_INTEGER_FORMAT, l);
        c->sparse[l / 64] &= ~((uint64_t)1 << (l % 64));
    }
    return SC_OK;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    bool attention = false, use = false;
    SC_TRY(sc_json_get_bool(o, "attention_bias", &attention, err));
    c->qkv_bias = c->out_bias = sc_config_bias(attention);
    SC_TRY(sc_config_u32(o, "num_local_experts", 1, 4096, &c->experts, err)); // version 5
    SC_TRY(sc_config_u32(o, "num_experts", 1, 4096, &c->experts, err));
    SC_TRY(sc_config_u32(o, "num_experts_per_tok", 1, 4096, &c->experts_used, err));
    SC_TRY(sc_config_u32(o, "moe_intermediate_size", 1, 1 << 20, &c->expert_inter, err));
    SC_TRY(sc_json_get_bool(o, "norm_topk_prob", &c->experts_renorm, err));
    SC_TRY(sc_json_get_bool(o, "use_sliding_window", &use, err));
    uint32_t window = 4096;
    SC_TRY(sc_config_window_key(o, "sliding_window", &window, err));
    c->window = use ? window : 0;
    SC_TRY(sc_config_window_layers(o, 0, c, err));
    SC_TRY(read_layers(o, c, err));
    return sc_config_rope_keys(o, 0, c, err);
}

static void gguf_fix(sc_config *c)
{
    c->experts_renorm = true; // the format cannot say otherwise
}

const sc_arch sc_arch_qwen3_moe = {
    .name = "qwen3_moe",
    .hf = {"qwen3_moe"},
    .gguf = {"qwen3moe"},
    .read_hf = read_hf,
    .defaults = defaults,
    .gguf_fix = gguf_fix,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP, .q_norm = "layers.%u.self_attn.q_norm",
              .k_norm = "layers.%u.self_attn.k_norm", .router = "layers.%u.mlp.gate",
              .x_gate = "layers.%u.mlp.experts.%u.gate_proj",
              .x_up = "layers.%u.mlp.experts.%u.up_proj",
              .x_down = "layers.%u.mlp.experts.%u.down_proj"},
};
