// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * SmallCoder: Llama with a tied head. A step checkpoint has no config: the binder then takes the
 * sizes from the tensors, the heads from here.
 * Source: smallLLM, model.py and model_variants.py.
 */
static void defaults(sc_config *c)
{
    c->vocab = 32000;
    c->hidden = 1152;
    c->inter = 3328;
    c->layers = 18;
    c->heads = 16;
    c->kv_heads = 4;
    c->ctx = 4096;
    c->gated = true;
    c->tied = true;
    c->bos = 1;
    c->eos[c->n_eos++] = 2;
    c->rope.dim = 72;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_llama_keys(o, c, err));
    SC_TRY(sc_config_refuse(o, "rope_scaling", err));
    return sc_config_rope_keys(o, 0, c, err);
}

const sc_arch sc_arch_smallcoder = {
    .name = "smallcoder",
    .hf = {"smallcoder"},
    .read_hf = read_hf,
    .defaults = defaults,
    .names = {SC_NAMES_LLAMA_ATTENTION, SC_NAMES_LLAMA_MLP},
};
