// SPDX-License-Identifier: MIT
#include "model/arch.h"

#include <math.h>

/*
 * Gemma and CodeGemma: embeddings times the root of the width, norms that add 1 to their weight,
 * GELU in the gate.
 * Source: transformers, models/gemma.
 */
static void defaults(sc_config *c)
{
    c->vocab = 256000;
    c->hidden = 3072;
    c->inter = 24576;
    c->layers = 28;
    c->heads = 16;
    c->kv_heads = 16;
    c->head_dim = 256;
    c->ctx = 8192;
    c->gated = true;
    c->tied = true;
    c->act = SC_ACT_GELU_TANH;
    c->norm_plus_one = true;
    c->bos = 2;
    c->eos[c->n_eos++] = 1;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    if (c->act == SC_ACT_GELU)
        c->act = SC_ACT_GELU_TANH; // what the first files meant with "gelu"
    bool bias = false;
    SC_TRY(sc_json_get_bool(o, "attention_bias", &bias, err));
    c->qkv_bias = c->out_bias = sc_config_bias(bias);
    c->embed_scale = sqrtf((float)c->hidden);
    c->embed_scale_low = true;
    return sc_config_rope_keys(o, 0, c, err);
}

static void gguf_fix(sc_config *c)
{
    c->embed_scale = sqrtf((float)c->hidden);
    c->norm_plus_one = false; // the converter added it
}

const sc_arch sc_arch_gemma = {
    .name = "gemma",
    .hf = {"gemma"},
    .gguf = {"gemma"},
    .read_hf = read_hf,
    .defaults = defaults,
    .gguf_fix = gguf_fix,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP},
};
