// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Granite 3: Llama with four multipliers.
 * Source: transformers, models/granite.
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
    c->attn_scale = 1;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_arch_llama.read_hf(o, c, err));
    float divisor = 1;
    SC_TRY(sc_config_f32(o, "embedding_multiplier", &c->embed_scale, err));
    SC_TRY(sc_config_f32(o, "residual_multiplier", &c->residual_scale, err));
    SC_TRY(sc_config_f32(o, "attention_multiplier", &c->attn_scale, err));
    SC_TRY(sc_config_f32(o, "logits_scaling", &divisor, err));
    c->logit_scale = 1 / divisor;
    return SC_OK;
}

const sc_arch sc_arch_granite = {
    .name = "granite",
    .hf = {"granite"},
    .gguf = {"granite"},
    .read_hf = read_hf,
    .defaults = defaults,
    .gguf_permuted = true,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP},
};
