// SPDX-License-Identifier: MIT
#include "model/export_keys.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* An architecture that llama.cpp lacks is written as one that computes the same function: Phi-2 is
 * CodeGen with three matrices for q, k and v and rotary on halves, which is an order of rows. */
const char *sc_export_arch(const sc_arch *a)
{
    static const char *const as_llama[] = {"smallcoder", "mistral", "mixtral"};
    if (a->gguf[0])
        return a->gguf[0];
    for (size_t i = 0; i < SC_LEN(as_llama); i++)
        if (strcmp(a->name, as_llama[i]) == 0)
            return "llama";
    return strcmp(a->name, "codegen") == 0 ? "phi2" : NULL;
}

bool sc_export_permutes(const char *gguf_arch)
{
    return strcmp(gguf_arch, "llama") == 0 || strcmp(gguf_arch, "granite") == 0;
}

static bool is(const char *arch, const char *name)
{
    return strcmp(arch, name) == 0;
}

static sc_code refuse(const char *what, sc_err *err)
{
    return sc_fail(err, SC_E_UNSUPPORTED, "llama.cpp does not do %s", what);
}

static sc_code check_rope(const sc_config *c, sc_err *err)
{
    const sc_rope_conf *r = &c->rope;
    switch (r->kind) {
    case SC_ROPE_YARN:
        if (r->mscale > 0 || r->mscale_all_dim > 0 || !r->truncate)
            return refuse("YaRN with mscale or without truncate", err);
        return SC_OK;
    case SC_ROPE_PLAIN:
    case SC_ROPE_LINEAR:
    case SC_ROPE_DYNAMIC: // plain up to the original context, which is what is written
    case SC_ROPE_LLAMA3:
    case SC_ROPE_LONG:
        return SC_OK;
    }
    return SC_OK;
}

bool sc_export_gelu_differs(const sc_config *c, const char *gguf_arch)
{
    return c->act == SC_ACT_GELU && !(is(gguf_arch, "gptneox") && c->parallel);
}

/* The activation that llama.cpp has for the architecture, one GELU for the other. */
static sc_code check_act(const sc_config *c, const char *arch, sc_err *err)
{
    const bool gelu = !c->gated || is(arch, "gemma");
    const bool same =
        gelu ? c->act == SC_ACT_GELU || c->act == SC_ACT_GELU_TANH : c->act == SC_ACT_SILU;
    return same ? SC_OK : refuse("this activation in this architecture", err);
}

static sc_code check_experts(const sc_config *c, const char *arch, sc_err *err)
{
    if (!c->experts)
        return SC_OK;
    for (uint32_t l = 0; l < c->layers; l++)
        if (!sc_config_bit(c->sparse, l))
            return refuse("a mixture with plain layers between", err);
    if (!c->experts_renorm)
        return refuse("a mixture whose weights are not renormalised", err);
    return is(arch, "llama") || is(arch, "qwen3moe") ? SC_OK : refuse("a mixture here", err);
}

sc_code sc_export_check(const sc_config *c, const char *gguf_arch, uint32_t *ctx, sc_err *err)
{
    const bool granite = is(gguf_arch, "granite");
    const bool gemma = is(gguf_arch, "gemma");
    SC_TRY(check_rope(c, err));
    SC_TRY(check_act(c, gguf_arch, err));
    SC_TRY(check_experts(c, gguf_arch, err));
    if (c->qk_norm == SC_QK_LAYER)
        return refuse("layer norms on q and k with this architecture", err);
    const bool scales = fabsf(c->residual_scale - 1) > 0 || fabsf(c->logit_scale - 1) > 0 ||
                        (!gemma && fabsf(c->embed_scale - 1) > 0);
    if (!granite && scales)
        return refuse("its multipliers of embedding, residual or logits", err);
    *ctx = c->ctx;
    if (c->rope.kind == SC_ROPE_DYNAMIC && c->rope.orig_ctx < *ctx)
        *ctx = c->rope.orig_ctx;
    for (uint32_t l = 0; l < c->layers; l++) {
        const uint32_t window = sc_config_window(c, l);
        if (window && window < *ctx && !is(gguf_arch, "phi3"))
            *ctx = window;
    }
    return SC_OK;
}

/* The writer with the prefix of the architecture's keys. */
typedef struct sink {
    sc_gguf_writer *w;
    const char *arch;
} sink;

static void put_u32(const sink *s, const char *name, uint32_t v)
{
    char key[128];
    (void)snprintf(key, sizeof key, "%s.%s", s->arch, name); // our names are short
    sc_gguf_put_u32(s->w, key, v);
}

static void put_f32(const sink *s, const char *name, double v)
{
    char key[128];
    (void)snprintf(key, sizeof key, "%s.%s", s->arch, name);
    sc_gguf_put_f32(s->w, key, (float)v);
}

static void put_str(const sink *s, const char *name, const char *v)
{
    char key[128];
    (void)snprintf(key, sizeof key, "%s.%s", s->arch, name);
    sc_gguf_put_str(s->w, key, sc_str_c(v));
}

/* What cos and sin of longrope are multiplied by when the configuration leaves it open. */
static double long_factor(const sc_config *c)
{
    const sc_rope_conf *r = &c->rope;
    if (r->attention_factor > 0)
        return r->attention_factor;
    const double factor = r->orig_ctx ? (double)c->ctx / r->orig_ctx : 1;
    return factor <= 1 ? 1 : sqrt(1 + log(factor) / log((double)r->orig_ctx));
}

static void put_rope(const sink *s, const sc_config *c)
{
    const sc_rope_conf *r = &c->rope;
    if (r->dim == 0)
        return;
    put_u32(s, "rope.dimension_count", r->dim);
    put_f32(s, "rope.freq_base", r->theta);
    if (r->kind == SC_ROPE_LINEAR) {
        put_str(s, "rope.scaling.type", "linear");
        put_f32(s, "rope.scaling.factor", r->factor);
    } else if (r->kind == SC_ROPE_YARN) {
        put_str(s, "rope.scaling.type", "yarn");
        put_f32(s, "rope.scaling.factor", r->factor);
        put_u32(s, "rope.scaling.original_context_length", r->orig_ctx);
        put_f32(s, "rope.scaling.yarn_beta_fast", r->beta_fast);
        put_f32(s, "rope.scaling.yarn_beta_slow", r->beta_slow);
        if (r->attention_factor > 0)
            put_f32(s, "rope.scaling.attn_factor",
                    r->attention_factor / (0.1 * log(r->factor) + 1));
    } else if (r->kind == SC_ROPE_LONG) {
        put_str(s, "rope.scaling.type", "longrope");
        put_u32(s, "rope.scaling.original_context_length", r->orig_ctx);
        put_f32(s, "rope.scaling.attn_factor", long_factor(c));
    }
}

void sc_export_keys(sc_gguf_writer *w, const sc_config *c, const char *gguf_arch, uint32_t ctx)
{
    const sink s = {.w = w, .arch = gguf_arch};
    put_u32(&s, "vocab_size", c->vocab);
    put_u32(&s, "context_length", ctx);
    put_u32(&s, "embedding_length", c->hidden);
    put_u32(&s, "block_count", c->layers);
    put_u32(&s, "feed_forward_length",
            c->experts && strcmp(gguf_arch, "llama") == 0 ? c->expert_inter : c->inter);
    put_u32(&s, "attention.head_count", c->heads);
    put_u32(&s, "attention.head_count_kv", c->kv_heads);
    put_u32(&s, "attention.key_length", c->head_dim);
    put_u32(&s, "attention.value_length", c->head_dim);
    put_f32(&s,
            c->norm == SC_NORM_RMS ? "attention.layer_norm_rms_epsilon"
                                   : "attention.layer_norm_epsilon",
            (double)c->norm_eps);
    put_rope(&s, c);
    if (is(gguf_arch, "phi3") && c->window)
        put_u32(&s, "attention.sliding_window", c->window);
    if (is(gguf_arch, "gptneox") || is(gguf_arch, "stablelm")) {
        char key[128];
        (void)snprintf(key, sizeof key, "%s.use_parallel_residual", gguf_arch);
        sc_gguf_put_bool(w, key, c->parallel);
    }
    if (c->experts) {
        put_u32(&s, "expert_count", c->experts);
        put_u32(&s, "expert_used_count", c->experts_used);
        put_u32(&s, "expert_feed_forward_length", c->expert_inter);
    }
    if (is(gguf_arch, "granite")) {
        if (c->attn_scale > 0)
            put_f32(&s, "attention.scale", (double)c->attn_scale);
        put_f32(&s, "embedding_scale", (double)c->embed_scale);
        put_f32(&s, "residual_scale", (double)c->residual_scale);
        put_f32(&s, "logit_scale", 1 / (double)c->logit_scale);
    }
}

void sc_export_llama3_divisors(const sc_rope_conf *r, float *out)
{
    const double low = r->orig_ctx / r->low_freq_factor;
    const double high = r->orig_ctx / r->high_freq_factor;
    for (uint32_t i = 0; i < r->dim / 2; i++) {
        const double wave = 2 * 3.14159265358979323846 * pow(r->theta, 2.0 * i / r->dim);
        if (wave < high) {
            out[i] = 1;
        } else if (wave > low) {
            out[i] = (float)r->factor;
        } else {
            const double smooth = (r->orig_ctx / wave - r->low_freq_factor) /
                                  (r->high_freq_factor - r->low_freq_factor);
            out[i] = (float)(1 / ((1 - smooth) / r->factor + smooth));
        }
    }
}

uint32_t sc_export_file_type(sc_dtype t)
{
    static const struct {
        sc_dtype type;
        uint32_t number;
    } numbers[] = {
        {SC_F32, 0},   {SC_F16, 1},     {SC_Q4_0, 2},    {SC_Q4_1, 3},
        {SC_Q8_0, 7},  {SC_Q5_0, 8},    {SC_Q5_1, 9},    {SC_Q2_K, 10},
        {SC_Q3_K, 11}, {SC_Q4_K, 14},   {SC_Q5_K, 16},   {SC_Q6_K, 18},
        {SC_BF16, 32}, {SC_IQ4_NL, 25}, {SC_IQ4_XS, 30}, {SC_MXFP4, 38},
    };
    for (size_t i = 0; i < SC_LEN(numbers); i++)
        if (numbers[i].type == t)
            return numbers[i].number;
    return 1024; // "guessed" there
}
