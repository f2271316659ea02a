// SPDX-License-Identifier: MIT
#include "model/arch.h"

#include <inttypes.h>

/*
 * CodeGen: one norm feeds attention and MLP side by side; rotary on adjacent pairs; q, v, k in four
 * blocks (the original's model parallelism, in every size).
 * Source: transformers, models/codegen; salesforce/CodeGen.
 */
static void defaults(sc_config *c)
{
    c->vocab = 50400;
    c->hidden = 4096;
    c->layers = 28;
    c->heads = 16;
    c->ctx = 2048;
    c->norm = SC_NORM_LAYER;
    c->norm_eps = 1e-5f;
    c->act = SC_ACT_GELU_TANH;
    c->parallel = c->one_norm = true;
    c->mlp_bias = c->head_bias = SC_BIAS_YES;
    c->rope.style = SC_ROPE_INTERLEAVED;
    c->rope.dim = 64;
    c->bos = 50256;
    c->eos[c->n_eos++] = 50256;
}

static sc_code read_hf(const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_gpt_keys(o, c, err));
    c->attn_scale = 0; // the class scales whatever scale_attn_weights says
    if (json_is_null(json_object_get(o, "rotary_dim")))
        return sc_fail(err, SC_E_UNSUPPORTED, "rotary_dim: null: this program does not do that");
    SC_TRY(sc_config_u32(o, "rotary_dim", 2, 1024, &c->rope.dim, err));
    if (c->heads % 4)
        return sc_fail(err, SC_E_FORMAT, "n_head: %" PRIu32 " is no multiple of 4", c->heads);
    return SC_OK;
}

const sc_arch sc_arch_codegen = {
    .name = "codegen",
    .hf = {"codegen"},
    .read_hf = read_hf,
    .defaults = defaults,
    .qkv = SC_QKV_CODEGEN,
    .names = {.prefix = "transformer.",
              .embed = "wte",
              .norm = "ln_f",
              .head = "lm_head",
              .norm1 = "h.%u.ln_1",
              .qkv = "h.%u.attn.qkv_proj",
              .o = "h.%u.attn.out_proj",
              .up = "h.%u.mlp.fc_in",
              .down = "h.%u.mlp.fc_out"},
};
