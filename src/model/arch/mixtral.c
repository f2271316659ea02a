// SPDX-License-Identifier: MIT
#include "model/arch.h"

#include <string.h>

/*
 * Mixtral: Mistral whose every MLP is a mixture of experts.
 * Source: transformers, models/mixtral.
 */
static void defaults(sc_config *c)
{
    c->vocab = 32000;
    c->hidden = 4096;
    c->inter = 14336;
    c->layers = 32;
    c->heads = 32;
    c->kv_heads = 8;
    c->ctx = 131072;
    c->norm_eps = 1e-5f;
    c->rope.theta = 1e6;
    c->gated = true;
    c->experts = 8;
    c->experts_used = 2;
    c->experts_renorm = true;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    SC_TRY(sc_config_u32(o, "num_experts", 1, 4096, &c->experts, err)); // version 5 takes it too
    SC_TRY(sc_config_u32(o, "num_local_experts", 1, 4096, &c->experts, err));
    SC_TRY(sc_config_u32(o, "num_experts_per_tok", 1, 4096, &c->experts_used, err));
    SC_TRY(sc_config_window_key(o, "sliding_window", &c->window, err));
    SC_TRY(sc_config_window_layers(o, 0, c, err));
    memset(c->sparse, 0xff, sizeof c->sparse);
    return sc_config_rope_keys(o, 0, c, err);
}

// Its GGUF files say "llama" and have an expert count.
const sc_arch sc_arch_mixtral = {
    .name = "mixtral",
    .hf = {"mixtral"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {SC_NAMES_LLAMA_ATTENTION, .router = "layers.%u.block_sparse_moe.gate",
              .x_gate = "layers.%u.block_sparse_moe.experts.%u.w1",
              .x_up = "layers.%u.block_sparse_moe.experts.%u.w3",
              .x_down = "layers.%u.block_sparse_moe.experts.%u.w2"},
};
