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
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP,
              .q_norm = "layers.%u.self_attn.q_layernorm.norms.%u",
              .k_norm = "layers.%u.self_attn.k_layernorm.norms.%u"},
};
