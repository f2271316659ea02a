// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * Mistral and Codestral: Llama, in older versions with a sliding window.
 * Source: transformers, models/mistral.
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
    c->gated = true;
    c->window = 4096;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_act(o, "hidden_act", &c->act, err));
    SC_TRY(sc_config_window_key(o, "sliding_window", &c->window, err));
    SC_TRY(sc_config_window_layers(o, 0, c, err));
    return sc_config_rope_keys(o, 0, c, err);
}

// Its GGUF files say "llama".
const sc_arch sc_arch_mistral = {
    .name = "mistral",
    .hf = {"mistral"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP},
};
