// SPDX-License-Identifier: MIT
#include "model/export_plan.h"

#include "base/mem.h"
#include "kern/dequant.h"
#include "model/export_keys.h"
#include "model/net.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_ITEMS = 1 << 20 };

void sc_plan_drop(sc_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        sc_free(p->item[i].src);
        sc_free(p->item[i].values);
    }
    sc_free(p->item);
    sc_finder_drop(&p->names);
    sc_weights_close(p->w);
}

/* The type for rows that are not whole blocks of `t`. */
static sc_dtype other_type(sc_dtype t)
{
    switch ((int)t) {
    case SC_Q4_K:
        return SC_Q5_0;
    case SC_Q5_K:
        return SC_Q5_1;
    case SC_Q6_K:
        return SC_Q8_0;
    case SC_Q2_K:
    case SC_Q3_K:
    case SC_IQ4_XS:
        return sc_quant_has(SC_IQ4_NL) ? SC_IQ4_NL : SC_Q4_0;
    default:
        return SC_F16;
    }
}

static bool ends(const char *name, const char *tail)
{
    return sc_str_ends(sc_str_c(name), sc_str_c(tail));
}

/* As llama-quantize: vectors, routers and positions stay exact, the head gets a better type. */
static sc_dtype type_for(sc_plan *p, const sc_item *it)
{
    if (it->n_dims < 2 || !ends(it->name, ".weight") || ends(it->name, "_norm.weight") ||
        ends(it->name, "ffn_gate_inp.weight") || strcmp(it->name, "position_embd.weight") == 0)
        return SC_F32;
    sc_dtype t = p->type;
    const bool head = strcmp(it->name, "output.weight") == 0 ||
                      (p->c.tied && strcmp(it->name, "token_embd.weight") == 0);
    if (head && sc_dtype_info(t)->block > 1 && t != SC_Q8_0)
        t = sc_quant_has(SC_Q6_K) ? SC_Q6_K : SC_Q8_0;
    const sc_dtype wanted = t;
    while (it->cols % sc_dtype_info(t)->block)
        t = other_type(t);
    p->n_other += t != wanted;
    return t;
}

static sc_code add_item(sc_plan *p, sc_item *it, sc_err *err)
{
    if (!sc_grow(&p->item, &p->cap, p->n, MAX_ITEMS, sizeof *p->item)) {
        sc_free(it->src);
        sc_free(it->values);
        return sc_fail_nomem(err);
    }
    it->dtype = it->values ? SC_F32 : type_for(p, it);
    p->item[p->n++] = *it;
    return SC_OK;
}

/* The source has `src_rows` rows of `cols`, or is a vector of them when cols is 1. */
static sc_code check_shape(const sc_item *it, const sc_tensor *t, sc_err *err)
{
    const size_t d0 = it->turned ? it->cols : it->src_rows;
    const size_t d1 = it->turned ? it->src_rows : it->cols;
    const bool vector = t->n_dims == 1 && t->dims[0] == it->src_rows && it->cols == 1;
    if (!vector && !(t->n_dims == 2 && t->dims[0] == d0 && t->dims[1] == d1)) {
        char shape[96];
        sc_tensor_format_shape(t, shape, sizeof shape);
        return sc_fail(err, SC_E_FORMAT, "tensor %.*s: shape %s, [%zu, %zu] expected",
                       SC_STRF(t->name), shape, d0, d1);
    }
    if (!sc_dtype_info(t->dtype)->weights)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: stored as %s, which is no weight type",
                       SC_STRF(t->name), sc_dtype_info(t->dtype)->name);
    if (it->turned && sc_dtype_info(t->dtype)->block > 1)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: blocks cannot be transposed",
                       SC_STRF(t->name));
    return SC_OK;
}

/* `to` with its %u replaced by the layer; our own short names. */
static void name_item(sc_item *it, const char *to, uint32_t layer, const char *suffix)
{
    const char *hole = strstr(to, "%u");
    if (hole)
        (void)snprintf(it->name, sizeof it->name, "%.*s%" PRIu32 "%s%s", (int)(hole - to), to,
                       layer, hole + 2, suffix);
    else
        (void)snprintf(it->name, sizeof it->name, "%s%s", to, suffix);
}

/* What a tensor of the model is to become; see add. */
typedef struct part {
    const char *from; // name in the model's files, with %u for the layer
    const char *to;   // in GGUF
    size_t rows;
    size_t src_rows; // 0: rows
    size_t cols;     // 1: a vector
    sc_item_order order;
    unsigned which; // for SC_ITEM_PART
    float scale;    // of the first `scaled` rows
    size_t scaled;
    bool needed;
    bool plus_one;
    bool upright; // never stored [in, out]
    bool zeros;   // a bias that is absent is written as zeros
} part;

static sc_code add_values(sc_plan *p, const char *name, const float *v, size_t n, sc_err *err);

/* One tensor, .weight or .bias; absent is fine unless it is needed. */
static sc_code add(sc_plan *p, const part *a, uint32_t layer, const char *suffix, sc_err *err)
{
    char full[SC_FINDER_NAME];
    const sc_tensor *t = sc_finder_find(&p->names, a->from, layer, 0, suffix, full);
    const bool vector = a->cols == 1 || suffix[1] == 'b';
    sc_item it = {.n_dims = vector ? 1u : 2u,
                  .dims = {a->rows, vector ? (size_t)1 : a->cols},
                  .n_src = 1,
                  .rows = a->rows,
                  .src_rows = a->src_rows ? a->src_rows : a->rows,
                  .cols = vector ? (size_t)1 : a->cols,
                  .order = a->order,
                  .which = a->which,
                  .turned = !vector && p->arch->conv1d && !a->upright,
                  .plus_one = a->plus_one,
                  .scale = a->scale,
                  .scaled = a->scaled};
    name_item(&it, a->to, layer, suffix);
    if (!t && a->needed)
        return sc_fail(err, SC_E_FORMAT, "tensor %s: missing; the configuration asks for it", full);
    if (!t)
        return a->zeros ? add_values(p, it.name, NULL, a->rows, err) : SC_OK;
    SC_TRY(check_shape(&it, t, err));
    it.src = sc_alloc(1, sizeof *it.src);
    if (!it.src)
        return sc_fail_nomem(err);
    it.src[0] = t;
    return add_item(p, &it, err);
}

/* A matrix and, if there, its bias; or a norm with its weight and bias. */
static sc_code add_both(sc_plan *p, part a, uint32_t layer, sc_err *err)
{
    SC_TRY(add(p, &a, layer, ".weight", err));
    a.needed = false;
    a.plus_one = false;
    return add(p, &a, layer, ".bias", err);
}

static part norm_part(const sc_plan *p, const char *from, const char *to, size_t n)
{
    return (part){.from = from,
                  .to = to,
                  .rows = n,
                  .cols = 1,
                  .needed = true,
                  .plus_one = p->c.norm_plus_one};
}

static sc_code add_norm(sc_plan *p, const char *from, const char *to, uint32_t layer, size_t n,
                        sc_err *err)
{
    return add_both(p, norm_part(p, from, to, n), layer, err);
}

/* Sources side by side in one tensor [n, rows, cols]: experts, or the norms of heads. */
static sc_code add_stack(sc_plan *p, const char *from, const char *to, uint32_t layer, size_t n,
                         size_t rows, size_t cols, float scale, sc_err *err)
{
    sc_item it = {.n_dims = rows > 1 ? 3u : 2u, .n_src = n, .rows = rows, .cols = cols};
    it.dims[0] = n;
    it.dims[1] = rows > 1 ? rows : cols;
    it.dims[2] = cols;
    if (rows == 1) { // vectors: rows of the one matrix
        it.rows = cols;
        it.cols = 1;
        it.scale = scale;
        it.scaled = it.rows;
    }
    it.src_rows = it.rows;
    name_item(&it, to, layer, ".weight");
    it.src = sc_alloc(n, sizeof *it.src);
    if (!it.src)
        return sc_fail_nomem(err);
    sc_code code = SC_OK;
    for (size_t i = 0; i < n && code == SC_OK; i++) {
        char full[SC_FINDER_NAME];
        it.src[i] = sc_finder_find(&p->names, from, layer, (uint32_t)i, ".weight", full);
        if (it.src[i])
            code = check_shape(&it, it.src[i], err);
        else
            code = sc_fail(err, SC_E_FORMAT, "tensor %s: missing", full);
    }
    if (code != SC_OK) {
        sc_free(it.src);
        return code;
    }
    return add_item(p, &it, err);
}

/* What q is multiplied by, because llama.cpp only ever divides scores by the root of head_dim. */
static float q_scale(const sc_plan *p, uint32_t l)
{
    const sc_config *c = &p->c;
    double scale = 1;
    if (c->attn_scale > 0 && strcmp(p->gguf, "granite") != 0)
        scale = (double)c->attn_scale * sqrt((double)c->head_dim);
    if (fabs(scale - 1) < 1e-6) // the usual one, rounded
        scale = 1;
    return (float)(c->scale_by_layer ? scale / (l + 1) : scale);
}

/* One matrix of q, k and v. */
static sc_code add_fused(sc_plan *p, uint32_t l, float scale, sc_err *err)
{
    const sc_config *c = &p->c;
    const size_t q = (size_t)c->heads * c->head_dim;
    const size_t kv = (size_t)c->kv_heads * c->head_dim;
    const bool apart = p->arch->qkv == SC_QKV_HEADS && c->heads == c->kv_heads;
    return add_both(p,
                    (part){.from = p->arch->names.qkv,
                           .to = "blk.%u.attn_qkv",
                           .rows = q + 2 * kv,
                           .cols = c->hidden,
                           .order = apart ? SC_ITEM_FUSED : SC_ITEM_SAME,
                           .scale = scale,
                           .scaled = q,
                           .needed = true},
                    l, err);
}

static sc_code add_qk_norms(sc_plan *p, uint32_t l, float scale, sc_err *err)
{
    const sc_config *c = &p->c;
    const sc_arch_names *n = &p->arch->names;
    if (c->qk_norm == SC_QK_RMS) {
        part a = norm_part(p, n->q_norm, "blk.%u.attn_q_norm", c->head_dim);
        a.scale = scale;
        a.scaled = a.rows;
        SC_TRY(add_both(p, a, l, err));
        return add_norm(p, n->k_norm, "blk.%u.attn_k_norm", l, c->head_dim, err);
    }
    SC_TRY(add_stack(p, n->q_norm, "blk.%u.attn_q_norm", l, c->heads, 1, c->head_dim, scale, err));
    return add_stack(p, n->k_norm, "blk.%u.attn_k_norm", l, c->kv_heads, 1, c->head_dim, 1, err);
}

static sc_code add_qkv(sc_plan *p, uint32_t l, sc_err *err)
{
    const sc_config *c = &p->c;
    const sc_arch_names *n = &p->arch->names;
    const size_t q = (size_t)c->heads * c->head_dim;
    const size_t kv = (size_t)c->kv_heads * c->head_dim;
    const bool codegen = p->arch->qkv == SC_QKV_CODEGEN; // written as Phi-2, which has three
    const bool normed = c->qk_norm != SC_QK_NONE;
    const float scale = q_scale(p, l);
    if (!n->q && !codegen)
        return add_fused(p, l, scale, err);
    const sc_item_order turned = codegen                       ? SC_ITEM_HALVES
                                 : sc_export_permutes(p->gguf) ? SC_ITEM_PERMUTED
                                                               : SC_ITEM_SAME;
    const part parts[] = {
        {.from = n->q, .to = "blk.%u.attn_q", .rows = q, .order = turned, .scaled = normed ? 0 : q},
        {.from = n->k, .to = "blk.%u.attn_k", .rows = kv, .order = turned},
        {.from = n->v,
         .to = "blk.%u.attn_v",
         .rows = kv,
         .order = codegen ? SC_ITEM_PART : SC_ITEM_SAME},
    };
    for (unsigned i = 0; i < SC_LEN(parts); i++) {
        part a = parts[i];
        a.cols = c->hidden;
        a.needed = true;
        a.scale = scale;
        if (codegen) {
            a.from = n->qkv;
            a.src_rows = q + 2 * kv;
            a.which = i;
            a.zeros = true;
        }
        SC_TRY(add_both(p, a, l, err));
    }
    return normed ? add_qk_norms(p, l, scale, err) : SC_OK;
}

static sc_code add_mlp(sc_plan *p, uint32_t l, sc_err *err)
{
    const sc_config *c = &p->c;
    const sc_arch_names *n = &p->arch->names;
    if (c->experts) {
        const size_t inter = c->expert_inter;
        SC_TRY(add_both(p,
                        (part){.from = n->router,
                               .to = "blk.%u.ffn_gate_inp",
                               .rows = c->experts,
                               .cols = c->hidden,
                               .needed = true},
                        l, err));
        SC_TRY(add_stack(p, n->x_gate, "blk.%u.ffn_gate_exps", l, c->experts, inter, c->hidden, 1,
                         err));
        SC_TRY(
            add_stack(p, n->x_up, "blk.%u.ffn_up_exps", l, c->experts, inter, c->hidden, 1, err));
        return add_stack(p, n->x_down, "blk.%u.ffn_down_exps", l, c->experts, c->hidden, inter, 1,
                         err);
    }
    const bool fused = n->gate_up != NULL; // gate above up, in both worlds
    if (c->gated && !fused)
        SC_TRY(add_both(p,
                        (part){.from = n->gate,
                               .to = "blk.%u.ffn_gate",
                               .rows = c->inter,
                               .cols = c->hidden,
                               .needed = true},
                        l, err));
    SC_TRY(add_both(p,
                    (part){.from = fused ? n->gate_up : n->up,
                           .to = "blk.%u.ffn_up",
                           .rows = fused ? 2 * (size_t)c->inter : c->inter,
                           .cols = c->hidden,
                           .needed = true},
                    l, err));
    return add_both(p,
                    (part){.from = n->down,
                           .to = "blk.%u.ffn_down",
                           .rows = c->hidden,
                           .cols = c->inter,
                           .needed = true},
                    l, err);
}

static sc_code add_layer(sc_plan *p, uint32_t l, sc_err *err)
{
    const sc_config *c = &p->c;
    const sc_arch_names *n = &p->arch->names;
    SC_TRY(add_norm(p, n->norm1, "blk.%u.attn_norm", l, c->hidden, err));
    if (!c->one_norm)
        SC_TRY(add_norm(p, n->norm2, "blk.%u.ffn_norm", l, c->hidden, err));
    SC_TRY(add_qkv(p, l, err));
    SC_TRY(add_both(p,
                    (part){.from = n->o,
                           .to = "blk.%u.attn_output",
                           .rows = c->hidden,
                           .cols = (size_t)c->heads * c->head_dim,
                           .needed = true,
                           .zeros = strcmp(p->gguf, "phi2") == 0},
                    l, err));
    return add_mlp(p, l, err);
}

/* A vector that is no tensor of the model; `v` NULL: zeros. */
static sc_code add_values(sc_plan *p, const char *name, const float *v, size_t n, sc_err *err)
{
    sc_item it = {.n_dims = 1, .dims = {n}, .rows = 1, .cols = n};
    (void)snprintf(it.name, sizeof it.name, "%s", name);
    it.values = sc_alloc(n, sizeof *it.values);
    if (!it.values)
        return sc_fail_nomem(err);
    if (v)
        memcpy(it.values, v, n * sizeof *v);
    return add_item(p, &it, err);
}

static sc_code add_rope(sc_plan *p, sc_err *err)
{
    const sc_rope_conf *r = &p->c.rope;
    if (r->kind == SC_ROPE_LLAMA3) {
        float div[SC_CONFIG_MAX_ROPE];
        sc_export_llama3_divisors(r, div);
        return add_values(p, "rope_freqs.weight", div, r->dim / 2, err);
    }
    if (r->kind != SC_ROPE_LONG)
        return SC_OK;
    SC_TRY(add_values(p, "rope_factors_long.weight", r->long_div, r->dim / 2, err));
    return add_values(p, "rope_factors_short.weight", r->short_div, r->dim / 2, err);
}

/* Architectures for which llama.cpp wants the head even when it is the embedding. */
static bool wants_head(const char *gguf)
{
    return strcmp(gguf, "gptneox") == 0 || strcmp(gguf, "phi2") == 0 ||
           strcmp(gguf, "stablelm") == 0;
}

static sc_code add_all(sc_plan *p, sc_err *err)
{
    const sc_config *c = &p->c;
    const sc_arch_names *n = &p->arch->names;
    part embed = {.from = n->embed,
                  .to = "token_embd",
                  .rows = c->vocab,
                  .cols = c->hidden,
                  .needed = true,
                  .upright = true};
    if (c->tied && !sc_finder_find(&p->names, n->embed, 0, 0, ".weight", NULL))
        embed.from = n->head; // saved under its other name
    SC_TRY(add(p, &embed, 0, ".weight", err));
    if (c->learned_pos)
        SC_TRY(add(p,
                   &(part){.from = n->pos,
                           .to = "position_embd",
                           .rows = c->ctx,
                           .cols = c->hidden,
                           .needed = true,
                           .upright = true},
                   0, ".weight", err));
    for (uint32_t l = 0; l < c->layers; l++)
        SC_TRY(add_layer(p, l, err));
    SC_TRY(add_norm(p, n->norm, "output_norm", 0, c->hidden, err));
    part head = embed;
    head.to = "output";
    if (!c->tied)
        head.from = n->head;
    if (!c->tied || wants_head(p->gguf))
        SC_TRY(add_both(p, head, 0, err));
    SC_TRY(add_rope(p, err));
    return sc_finder_all_used(&p->names, c, err);
}

size_t sc_plan_row(const sc_plan *p, const sc_item *it, size_t r)
{
    const sc_config *c = &p->c;
    const size_t d = c->head_dim;
    const size_t q = (size_t)c->heads * d;
    const size_t kv = (size_t)c->kv_heads * d;
    size_t in = r % d;
    switch (it->order) {
    case SC_ITEM_SAME:
        return r;
    case SC_ITEM_PERMUTED: // row 2j + h of a head was row h * d / 2 + j
        return r - in + in % 2 * (d / 2) + in / 2;
    case SC_ITEM_FUSED:
        if (r < q)
            return sc_arch_fused_row(c, p->arch->qkv, 0, r);
        return r < q + kv ? sc_arch_fused_row(c, p->arch->qkv, 1, r - q)
                          : sc_arch_fused_row(c, p->arch->qkv, 2, r - q - kv);
    case SC_ITEM_HALVES: // row h * dim / 2 + j of a head was row 2j + h
        if (in < c->rope.dim)
            in = in % (c->rope.dim / 2) * 2 + in / (c->rope.dim / 2);
        return sc_arch_fused_row(c, p->arch->qkv, it->which, r / d * d + in);
    case SC_ITEM_PART:
        return sc_arch_fused_row(c, p->arch->qkv, it->which, r);
    }
    return r;
}

/* A GGUF file keeps its tensors as they are, in other types. */
static sc_code add_copies(sc_plan *p, sc_err *err)
{
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(p->w, &n);
    for (size_t i = 0; i < n; i++) {
        sc_item it = {.n_dims = t[i].n_dims, .n_src = 1, .rows = 1, .cols = 1};
        if (t[i].name.n >= SC_ITEM_NAME || !sc_dtype_info(t[i].dtype)->weights)
            return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: cannot be written as another type",
                           SC_STRF(t[i].name));
        memcpy(it.name, t[i].name.p, t[i].name.n);
        for (uint32_t d = 0; d < t[i].n_dims; d++)
            it.dims[d] = t[i].dims[d];
        it.cols = t[i].n_dims ? (size_t)t[i].dims[t[i].n_dims - 1] : 1;
        it.rows = it.cols ? (size_t)(t[i].count / it.cols) : 0;
        it.src_rows = it.rows;
        it.src = sc_alloc(1, sizeof *it.src);
        if (!it.src)
            return sc_fail_nomem(err);
        it.src[0] = &t[i];
        SC_TRY(add_item(p, &it, err));
    }
    return SC_OK;
}

sc_code sc_plan_make(sc_plan *p, const char *in, sc_err *err)
{
    SC_TRY(sc_weights_open(in, &p->w, err));
    SC_TRY_IN(sc_net_config(p->w, &p->c, err), err, "%s", in);
    p->arch = sc_arch_find(p->c.arch);
    p->gguf = sc_export_arch(p->arch);
    if (!p->gguf)
        return sc_fail(err, SC_E_UNSUPPORTED, "%s: GGUF has no name for %s models", in, p->c.arch);
    SC_TRY(sc_finder_init(&p->names, p->w, p->arch, err));
    p->ctx = p->c.ctx;
    if (sc_weights_gguf(p->w)) {
        SC_TRY_IN(add_copies(p, err), err, "%s", in);
        return SC_OK;
    }
    SC_TRY_IN(sc_export_check(&p->c, p->gguf, &p->ctx, err), err, "%s", in);
    SC_TRY_IN(add_all(p, err), err, "%s", in);
    return SC_OK;
}
