// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * StableLM 2, StableCode: Llama's shape with LayerNorm and partial rotary; some norm q and k head
 * by head, some put attention and MLP side by side behind one norm. Source: transformers,
 * models/stablelm.
 */
static void defaults(sc_config *c)
{
    c->vocab = 50304;
    c->hidden = 2560;
    c->inter = 6912;
    c->layers = 32;
    c->heads = 32;
    c->kv_heads = 32;
    c->ctx = 4096;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->gated = true;
    c->bos = 0;
    c->eos[c->n_eos++] = 0;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    bool bias = false, qk_norm = false;
    SC_TRY(sc_json_get_bool(o, "use_qkv_bias", &bias, err));
    SC_TRY(sc_json_get_bool(o, "qk_layernorm", &qk_norm, err));
    SC_TRY(sc_json_get_bool(o, "use_parallel_residual", &c->parallel, err));
    c->one_norm = c->parallel;
    c->qkv_bias = sc_config_bias(bias);
    c->qk_norm = qk_norm ? SC_QK_LAYER_HEADS : SC_QK_NONE;
    return sc_config_rope_keys(o, 0.25, c, err);
}

const sc_arch sc_arch_stablelm = {
    .name = "stablelm",
    .hf = {"stablelm"},
    .gguf = {"stablelm"},
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
              .q_norm = "layers.%u.self_attn.q_layernorm.norms.%u",
              .k_norm = "layers.%u.self_attn.k_layernorm.norms.%u",
              .gate = "layers.%u.mlp.gate_proj",
              .up = "layers.%u.mlp.up_proj",
              .down = "layers.%u.mlp.down_proj"},
};
