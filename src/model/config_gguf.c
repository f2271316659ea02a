/*
 * config_gguf.c - the configuration from the keys of a GGUF file.
 *
 * Source: llama.cpp, gguf-py/gguf/constants.py and src/llama-model.cpp.
 */
// SPDX-License-Identifier: MIT
#include "base/attr.h"
#include "fmt/weights.h"
#include "model/arch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = 128 };

/* A GGUF file and the prefix of its architecture's keys. */
typedef struct source {
    const sc_gguf *g;
    sc_str arch;
} source;

static void key_of(const source *s, const char *name, char key[KEY_SIZE])
{
    (void)snprintf(key, KEY_SIZE, "%.*s.%s", (int)(s->arch.n > 40 ? 40 : s->arch.n), s->arch.p,
                   name); // our names are short
}

/* A number, or an array of one number for each layer when they are all the same. */
static sc_code get_u32(const source *s, const char *name, uint32_t high, uint32_t *out, sc_err *err)
{
    char key[KEY_SIZE];
    key_of(s, name, key);
    const sc_gguf_kv *kv = sc_gguf_find_kv(s->g, key);
    if (kv && kv->is_array && kv->n > 0 && kv->type != SC_GGUF_STR && kv->type != SC_GGUF_F32 &&
        kv->type != SC_GGUF_F64) {
        const int64_t first = sc_gguf_int_at(kv, 0);
        for (uint64_t i = 1; i < kv->n; i++)
            if (sc_gguf_int_at(kv, i) != first)
                return sc_fail(err, SC_E_UNSUPPORTED, "%s: differs from layer to layer", key);
        if (first < 0 || first > (int64_t)high)
            return sc_fail(err, SC_E_FORMAT, "%s: %" PRId64, key, first);
        *out = (uint32_t)first;
        return SC_OK;
    }
    int64_t v = *out;
    SC_TRY(sc_gguf_get_int(s->g, key, 0, high, &v, err));
    *out = (uint32_t)v;
    return SC_OK;
}

static sc_code get_f32(const source *s, const char *name, float *out, sc_err *err)
{
    char key[KEY_SIZE];
    key_of(s, name, key);
    float v = *out;
    SC_TRY(sc_gguf_get_f32(s->g, key, &v, err));
    if (!(fabsf(v) < 1e30f))
        return sc_fail(err, SC_E_FORMAT, "%s: not a usable number", key);
    *out = v;
    return SC_OK;
}

static sc_code get_f64(const source *s, const char *name, double *out, sc_err *err)
{
    float v = (float)*out;
    char key[KEY_SIZE];
    key_of(s, name, key);
    if (!sc_gguf_find_kv(s->g, key))
        return SC_OK;
    SC_TRY(get_f32(s, name, &v, err));
    *out = (double)v;
    return SC_OK;
}

/* Keys that change the arithmetic in ways we do not have. */
static sc_code refuse_others(const source *s, sc_err *err)
{
    static const char *const keys[] = {
        "attn_logit_softcapping",   "final_logit_softcapping",
        "attention.max_alibi_bias", "attention.clamp_kqv",
        "expert_shared_count",      "attention.sliding_window_pattern",
        "logit_softcapping",        "rope.scaling.yarn_log_multiplier",
    };
    for (size_t i = 0; i < SC_LEN(keys); i++) {
        char key[KEY_SIZE];
        key_of(s, keys[i], key);
        const sc_gguf_kv *kv = sc_gguf_find_kv(s->g, key);
        const bool zero =
            kv && !kv->is_array && kv->type != SC_GGUF_STR && !(fabs(sc_gguf_num_at(kv, 0)) > 0);
        if (kv && !zero)
            return sc_fail(err, SC_E_UNSUPPORTED, "%s: this program does not do what it asks for",
                           key);
    }
    char key[KEY_SIZE];
    key_of(s, "attention.causal", key);
    bool causal = true;
    SC_TRY(sc_gguf_get_bool(s->g, key, &causal, err));
    if (!causal)
        return sc_fail(err, SC_E_UNSUPPORTED, "%s: false: not a generating model", key);
    return SC_OK;
}

static sc_code read_sizes(const source *s, sc_config *c, sc_err *err)
{
    const struct {
        const char *name;
        uint32_t *v;
    } keys[] = {
        {"embedding_length", &c->hidden},
        {"block_count", &c->layers},
        {"feed_forward_length", &c->inter},
        {"attention.head_count", &c->heads},
        {"attention.head_count_kv", &c->kv_heads},
        {"context_length", &c->ctx},
        {"attention.key_length", &c->head_dim},
        {"attention.sliding_window", &c->window},
        {"expert_count", &c->experts},
        {"expert_used_count", &c->experts_used},
        {"expert_feed_forward_length", &c->expert_inter},
    };
    c->kv_heads = c->head_dim = c->window = c->experts = c->expert_inter = 0;
    for (size_t i = 0; i < SC_LEN(keys); i++)
        SC_TRY(get_u32(s, keys[i].name, INT32_MAX, keys[i].v, err));
    if (!c->kv_heads)
        c->kv_heads = c->heads;
    if (!c->head_dim && c->heads)
        c->head_dim = c->hidden / c->heads;
    uint32_t value_dim = c->head_dim;
    SC_TRY(get_u32(s, "attention.value_length", INT32_MAX, &value_dim, err));
    if (value_dim != c->head_dim)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "%.*s.attention.value_length: differs from key_length", SC_STRF(s->arch));
    if (c->experts)
        c->experts_renorm = true;
    return get_f32(s,
                   c->norm == SC_NORM_RMS ? "attention.layer_norm_rms_epsilon"
                                          : "attention.layer_norm_epsilon",
                   &c->norm_eps, err);
}

static sc_code read_scales(const source *s, sc_config *c, sc_err *err)
{
    float divisor = 1;
    if (c->attn_scale > 0)
        c->attn_scale = 0; // a class default that the file says, if it holds
    SC_TRY(get_f32(s, "attention.scale", &c->attn_scale, err));
    SC_TRY(get_f32(s, "embedding_scale", &c->embed_scale, err));
    SC_TRY(get_f32(s, "residual_scale", &c->residual_scale, err));
    SC_TRY(get_f32(s, "logit_scale", &divisor, err));
    c->logit_scale = 1 / divisor;
    return SC_OK;
}

static sc_code read_rope(const source *s, bool tables, sc_config *c, sc_err *err)
{
    sc_rope_conf *r = &c->rope;
    r->style = SC_ROPE_HALF; // after un-permuting
    r->dim = c->head_dim;
    SC_TRY(get_u32(s, "rope.dimension_count", INT32_MAX, &r->dim, err));
    SC_TRY(get_f64(s, "rope.freq_base", &r->theta, err));
    char key[KEY_SIZE];
    key_of(s, "rope.scaling.type", key);
    sc_str type = {0};
    SC_TRY(sc_gguf_get_str(s->g, key, &type, err));
    SC_TRY(get_f64(s, "rope.scaling.factor", &r->factor, err));
    // The converter of Phi-3 writes the tables and no type.
    if (sc_str_is(type, "longrope") || (tables && (!type.p || sc_str_is(type, "none"))))
        r->kind = SC_ROPE_LONG;
    else if (sc_str_is(type, "yarn"))
        r->kind = SC_ROPE_YARN;
    else if (sc_str_is(type, "linear"))
        r->kind = SC_ROPE_LINEAR;
    else if (type.p && !sc_str_is(type, "none"))
        return sc_fail(err, SC_E_UNSUPPORTED, "%s: unknown type \"%.*s\"", key, SC_STRF(type));
    char old[KEY_SIZE];
    key_of(s, "rope.scale_linear", old);
    if (!type.p && sc_gguf_find_kv(s->g, old)) {
        r->kind = SC_ROPE_LINEAR;
        SC_TRY(get_f64(s, "rope.scale_linear", &r->factor, err));
    }
    r->orig_ctx = c->ctx;
    SC_TRY(get_u32(s, "rope.scaling.original_context_length", INT32_MAX, &r->orig_ctx, err));
    if (r->orig_ctx == 0)
        r->orig_ctx = c->ctx;
    SC_TRY(get_f64(s, "rope.scaling.yarn_beta_fast", &r->beta_fast, err));
    SC_TRY(get_f64(s, "rope.scaling.yarn_beta_slow", &r->beta_slow, err));
    double factor = 0;
    SC_TRY(get_f64(s, "rope.scaling.attn_factor", &factor, err));
    if (r->kind == SC_ROPE_LONG)
        r->attention_factor = factor;
    else if (r->kind == SC_ROPE_YARN && factor > 0) // there on top of the usual one
        r->attention_factor = factor * (0.1 * log(r->factor > 1 ? r->factor : 1) + 1);
    if (!(r->factor >= 1e-3 && r->factor <= 1e6) || !(r->theta > 1 && r->theta < 1e15))
        return sc_fail(err, SC_E_FORMAT, "rope.scaling.factor %g, rope.freq_base %g", r->factor,
                       r->theta);
    return SC_OK;
}

/* Notes that a layer is a mixture: it has a "blk.N.ffn_gate_inp.weight". */
static void mark_sparse(sc_str name, sc_config *c)
{
    if (!sc_str_starts(name, SC_STR("blk.")) || !sc_str_ends(name, SC_STR(".ffn_gate_inp.weight")))
        return;
    uint32_t l = 0;
    size_t i = 4;
    for (; i < name.n && name.p[i] >= '0' && name.p[i] <= '9' && l < SC_CONFIG_MAX_LAYERS; i++)
        l = l * 10 + (uint32_t)(name.p[i] - '0');
    if (i > 4 && name.p[i] == '.' && l < SC_CONFIG_MAX_LAYERS)
        c->sparse[l / 64] |= (uint64_t)1 << (l % 64);
}

/* What the tensors, of all parts of a split model, say and the keys do not. */
static sc_code read_tensors(const sc_weights *w, sc_config *c, sc_err *err)
{
    const sc_tensor *embed = sc_weights_find(w, SC_STR("token_embd.weight"));
    if (!embed || embed->n_dims != 2 || embed->dims[0] == 0 || embed->dims[0] > 1u << 24)
        return sc_fail(err, SC_E_FORMAT, "token_embd.weight: [vocabulary, width] expected");
    c->vocab = (uint32_t)embed->dims[0];
    c->tied = !sc_weights_find(w, SC_STR("output.weight"));
    c->qkv_bias = c->out_bias = c->mlp_bias = c->head_bias = SC_BIAS_FOUND;
    if (!sc_weights_find(w, SC_STR("blk.0.attn_q_norm.weight")))
        c->qk_norm = SC_QK_NONE;
    else if (strcmp(c->arch, "stablelm") == 0)
        c->qk_norm = SC_QK_LAYER_HEADS;
    c->one_norm = c->parallel && !sc_weights_find(w, SC_STR("blk.0.ffn_norm.weight"));
    memset(c->sparse, 0, sizeof c->sparse);
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(w, &n);
    for (size_t i = 0; c->experts && i < n; i++)
        mark_sparse(t[i].name, c);
    return SC_OK;
}

static sc_code read_ids(const sc_gguf *g, sc_config *c, sc_err *err)
{
    int64_t bos = c->bos, eos = c->n_eos ? c->eos[0] : -1;
    SC_TRY(sc_gguf_get_int(g, "tokenizer.ggml.bos_token_id", 0, INT32_MAX, &bos, err));
    SC_TRY(sc_gguf_get_int(g, "tokenizer.ggml.eos_token_id", 0, INT32_MAX, &eos, err));
    c->bos = (int32_t)bos;
    c->n_eos = eos >= 0;
    c->eos[0] = (int32_t)eos;
    return SC_OK;
}

sc_code sc_config_read_gguf(const sc_weights *w, sc_config *out, sc_err *err)
{
    const sc_gguf *g = sc_weights_gguf(w); // a split model has its keys in the first part
    source s = {.g = g};
    SC_TRY(sc_gguf_get_str(g, "general.architecture", &s.arch, err));
    if (!s.arch.p)
        return sc_fail(err, SC_E_FORMAT, "general.architecture: missing");
    const sc_arch *a = sc_arch_find_gguf(s.arch);
    if (!a)
        return sc_arch_unknown(s.arch, true, err);
    sc_config c;
    sc_config_init(&c, a);
    SC_TRY(refuse_others(&s, err));
    SC_TRY(read_sizes(&s, &c, err));
    SC_TRY(read_scales(&s, &c, err));
    char key[KEY_SIZE];
    key_of(&s, "use_parallel_residual", key);
    SC_TRY(sc_gguf_get_bool(g, key, &c.parallel, err));
    if (!c.learned_pos)
        SC_TRY(
            read_rope(&s, sc_weights_find(w, SC_STR("rope_factors_long.weight")) != NULL, &c, err));
    SC_TRY(read_tensors(w, &c, err));
    SC_TRY(read_ids(g, &c, err));
    if (c.window)
        for (uint32_t l = 0; l < c.layers && l < SC_CONFIG_MAX_LAYERS; l++)
            c.windowed[l / 64] |= (uint64_t)1 << (l % 64);
    if (a->gguf_fix)
        a->gguf_fix(&c);
    SC_TRY(sc_config_finish(&c, err));
    *out = c;
    return SC_OK;
}
