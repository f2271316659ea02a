// SPDX-License-Identifier: MIT
#include "model/arch.h"

/*
 * GPTBigCode: SantaCoder, StarCoder(Base), Granite-Code 20B and 34B. With multi_query all heads
 * share one k and v. Its matrices are not transposed, unlike GPT-2's.
 * Source: transformers, models/gpt_bigcode.
 */
static void defaults(sc_config *c)
{
    c->vocab = 50257;
    c->hidden = 768;
    c->layers = 12;
    c->heads = 12;
    c->ctx = 1024;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->act = SC_ACT_GELU_TANH;
    c->learned_pos = true;
    c->tied = true;
    c->qkv_bias = c->out_bias = c->mlp_bias = SC_BIAS_YES;
    c->bos = 50256;
    c->eos[c->n_eos++] = 50256;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_gpt_keys(o, c, err));
    bool multi_query = true;
    SC_TRY(sc_json_get_bool(o, "multi_query", &multi_query, err));
    c->kv_heads = multi_query ? 1 : c->heads;
    return SC_OK;
}

const sc_arch sc_arch_gpt_bigcode = {
    .name = "gpt_bigcode",
    .hf = {"gpt_bigcode"},
    .gguf = {"starcoder"},
    .read_hf = read_hf,
    .defaults = defaults,
    .qkv = SC_QKV_HEADS, // with one k and v head this is "all q, k, v"
    .qkv_gguf = SC_QKV_CONCAT,
    .names = {SC_NAMES_GPT2},
};
