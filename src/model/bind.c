/*
 * bind.c - from named tensors to a sc_net: shapes are checked, rows are put into the decoder's
 * order and packed.
 */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "kern/dequant.h"
#include "kern/half.h"
#include "model/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A plain linear layer with its bias. */
static sc_code bind_plain(sc_binder *b, const char *base, uint32_t layer, size_t rows, size_t cols,
                          sc_bias_kind bias, sc_linear *out, sc_err *err)
{
    SC_AUTO(sc_matrix) m = {0};
    SC_AUTO(sc_group) g = {0};
    SC_TRY(sc_bind_matrix(b, base, layer, 0, rows, cols, &m, err));
    SC_TRY(sc_group_init(&g, m.dtype, rows, false, err));
    for (size_t r = 0; r < rows; r++)
        g.row[r] = m.data + r * m.row_size;
    SC_TRY(sc_bind_linear(b, &g, 1, cols, out, err));
    SC_TRY(sc_bind_vector(b, base, layer, 0, ".bias", bias, rows, &out->bias[0], err));
    sc_bind_forget(b, &m);
    return SC_OK;
}

static sc_code bind_norm(sc_binder *b, const char *base, uint32_t layer, size_t width, bool bias,
                         sc_norm *out, sc_err *err)
{
    SC_TRY(sc_bind_vector(b, base, layer, 0, ".weight", SC_BIAS_YES, width, &out->w, err));
    return sc_bind_vector(b, base, layer, 0, ".bias", bias ? SC_BIAS_YES : SC_BIAS_NO, width,
                          &out->b, err);
}

size_t sc_arch_fused_row(const sc_config *c, sc_qkv_kind kind, unsigned which, size_t r)
{
    const size_t d = c->head_dim, q = (size_t)c->heads * d, kv = (size_t)c->kv_heads * d;
    if (kind == SC_QKV_HEADS && c->heads == c->kv_heads)
        return r / d * 3 * d + which * d + r % d;
    if (kind == SC_QKV_CODEGEN) {
        // Four blocks, each the q, then the v, then the k of a quarter of the heads.
        const size_t quarter = q / 4, block = r / quarter;
        const size_t place = which == 0 ? 0 : which == 1 ? 2 : 1;
        return block * 3 * quarter + place * quarter + r % quarter;
    }
    return r + (which == 0 ? 0 : which == 1 ? q : q + kv);
}

/* Where row `r` of q or k stands when the converter has permuted each head for adjacent pairs. */
static size_t permuted_row(size_t d, size_t r)
{
    const size_t head = r / d, in = r % d;
    return head * d + 2 * (in % (d / 2)) + in / (d / 2);
}

/* q, k, v as three groups of rows out of one matrix or three. */
static sc_code bind_qkv(sc_binder *b, uint32_t layer, sc_linear *out, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    const size_t d = c->head_dim, rows[3] = {c->heads * d, c->kv_heads * d, c->kv_heads * d};
    const char *const bases[3] = {names->q, names->k, names->v};
    const bool fused = !names->q || (b->names.gguf && sc_finder_find(&b->names, names->qkv, layer,
                                                                     0, ".weight", NULL));
    const sc_qkv_kind kind = b->names.gguf ? b->names.arch->qkv_gguf : b->names.arch->qkv;
    const bool permuted = b->names.gguf && b->names.arch->gguf_permuted && !fused && d % 2 == 0;

    sc_matrix m[3] = {{0}};
    float *bias[3] = {NULL};
    sc_group g[3] = {{0}};
    sc_code code = SC_OK;
    for (unsigned w = 0; w < 3 && code == SC_OK; w++) {
        if (fused && w == 0) {
            const size_t all = rows[0] + rows[1] + rows[2];
            code = sc_bind_matrix(b, names->qkv, layer, 0, all, c->hidden, &m[0], err);
            if (code == SC_OK)
                code = sc_bind_vector(b, names->qkv, layer, 0, ".bias", c->qkv_bias, all, &bias[0],
                                      err);
        } else if (!fused) {
            code = sc_bind_matrix(b, bases[w], layer, 0, rows[w], c->hidden, &m[w], err);
            if (code == SC_OK)
                code = sc_bind_vector(b, bases[w], layer, 0, ".bias", c->qkv_bias, rows[w],
                                      &bias[w], err);
        }
        const unsigned from = fused ? 0 : w;
        if (code == SC_OK)
            code = sc_group_init(&g[w], m[from].dtype, rows[w], bias[from] != NULL, err);
        for (size_t r = 0; r < rows[w] && code == SC_OK; r++) {
            const size_t src = fused               ? sc_arch_fused_row(c, kind, w, r)
                               : permuted && w < 2 ? permuted_row(d, r)
                                                   : r;
            g[w].row[r] = m[from].data + src * m[from].row_size;
            if (bias[from])
                g[w].bias[r] = bias[from][src];
        }
    }
    if (code == SC_OK)
        code = sc_bind_linear(b, g, 3, c->hidden, out, err);
    for (unsigned w = 0; w < 3; w++) {
        if (code == SC_OK)
            sc_bind_forget(b, &m[w]);
        sc_matrix_drop(&m[w]);
        sc_group_drop(&g[w]);
    }
    return code;
}

/* The rows of gate and up in panels of 16 and 16; NULL rows fill the last panel up. */
static sc_code make_paired(sc_binder *b, const uint8_t *gate, const uint8_t *up, sc_dtype dtype,
                           size_t row_size, size_t inter, const float *gate_bias,
                           const float *up_bias, sc_linear *out, sc_err *err)
{
    const size_t half = SC_PANEL / 2, panels = (inter + half - 1) / half;
    SC_AUTO(sc_group) g = {0};
    SC_TRY(sc_group_init(&g, dtype, panels * SC_PANEL, gate_bias || up_bias, err));
    for (size_t r = 0; r < inter; r++) {
        const size_t at = r / half * SC_PANEL + r % half;
        g.row[at] = gate + r * row_size;
        g.row[at + half] = up + r * row_size;
        if (gate_bias)
            g.bias[at] = gate_bias[r];
        if (up_bias)
            g.bias[at + half] = up_bias[r];
    }
    SC_TRY(sc_bind_linear(b, &g, 1, b->c->hidden, out, err));
    out->paired = true;
    out->rows = (uint32_t)(panels * half);
    return SC_OK;
}

/* Gate and up when they are stored in two types: one after the other. */
static sc_code make_unpaired(sc_binder *b, const sc_matrix *gate, const sc_matrix *up,
                             const float *const bias[2], sc_linear *out, sc_err *err)
{
    sc_group g[2] = {{0}};
    sc_code code = SC_OK;
    for (unsigned w = 0; w < 2 && code == SC_OK; w++) {
        const sc_matrix *m = w ? up : gate;
        code = sc_group_init(&g[w], m->dtype, m->rows, bias[w] != NULL, err);
        for (size_t r = 0; r < m->rows && code == SC_OK; r++)
            g[w].row[r] = m->data + r * m->row_size;
        if (code == SC_OK && bias[w])
            memcpy(g[w].bias, bias[w], m->rows * sizeof(float));
    }
    if (code == SC_OK)
        code = sc_bind_linear(b, g, 2, gate->cols, out, err);
    sc_group_drop(&g[0]);
    sc_group_drop(&g[1]);
    return code;
}

static sc_code bind_gated(sc_binder *b, uint32_t layer, sc_linear *out, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    const bool fused =
        names->gate_up ||
        (b->names.gguf && !sc_finder_find(&b->names, names->gate, layer, 0, ".weight", NULL));
    if (fused) {
        const char *base = names->gate_up ? names->gate_up : names->up;
        SC_AUTO(sc_matrix) m = {0};
        float *bias = NULL;
        SC_TRY(sc_bind_matrix(b, base, layer, 0, 2 * (size_t)c->inter, c->hidden, &m, err));
        SC_TRY(sc_bind_vector(b, base, layer, 0, ".bias", c->mlp_bias, 2 * (size_t)c->inter, &bias,
                              err));
        SC_TRY(make_paired(b, m.data, m.data + c->inter * m.row_size, m.dtype, m.row_size, c->inter,
                           bias, bias ? bias + c->inter : NULL, out, err));
        sc_bind_forget(b, &m);
        return SC_OK;
    }
    SC_AUTO(sc_matrix) gate = {0};
    SC_AUTO(sc_matrix) up = {0};
    float *bias[2] = {NULL};
    SC_TRY(sc_bind_matrix(b, names->gate, layer, 0, c->inter, c->hidden, &gate, err));
    SC_TRY(sc_bind_matrix(b, names->up, layer, 0, c->inter, c->hidden, &up, err));
    SC_TRY(sc_bind_vector(b, names->gate, layer, 0, ".bias", c->mlp_bias, c->inter, &bias[0], err));
    SC_TRY(sc_bind_vector(b, names->up, layer, 0, ".bias", c->mlp_bias, c->inter, &bias[1], err));
    if (gate.dtype == up.dtype)
        SC_TRY(make_paired(b, gate.data, up.data, gate.dtype, gate.row_size, c->inter, bias[0],
                           bias[1], out, err));
    else
        SC_TRY(make_unpaired(b, &gate, &up, (const float *const *)bias, out, err));
    sc_bind_forget(b, &gate);
    sc_bind_forget(b, &up);
    return SC_OK;
}

/* One matrix of one expert: a tensor of its own, or a slice of one tensor for all. */
static sc_code expert_matrix(sc_binder *b, const char *base, const char *single, uint32_t layer,
                             uint32_t e, size_t rows, size_t cols, sc_matrix *out, sc_err *err)
{
    const sc_tensor *t = sc_finder_find(&b->names, base, layer, e, ".weight", NULL);
    if (!b->names.gguf || !t)
        return sc_bind_matrix(b, b->names.gguf ? single : base, layer, e, rows, cols, out, err);
    char expected[96];
    (void)snprintf(expected, sizeof expected, "[%" PRIu32 ", %zu, %zu]", b->c->experts, rows,
                   cols); // fits
    if (t->n_dims != 3 || t->dims[0] != b->c->experts || t->dims[1] != rows || t->dims[2] != cols)
        return sc_bind_wrong_shape(b, t, expected, err);
    SC_TRY(sc_bind_check_type(t, err));
    uint64_t row_size = 0;
    if (!sc_dtype_row_size(t->dtype, cols, &row_size))
        return sc_bind_wrong_shape(b, t, expected, err);
    const void *data = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &data, err));
    *out = (sc_matrix){.t = t,
                       .dtype = t->dtype,
                       .rows = rows,
                       .cols = cols,
                       .row_size = row_size,
                       .data = (const uint8_t *)data + (size_t)e * rows * row_size};
    return SC_OK;
}

static sc_code bind_expert(sc_binder *b, uint32_t layer, uint32_t e, sc_expert *x, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    SC_AUTO(sc_matrix) gate = {0};
    SC_AUTO(sc_matrix) up = {0};
    SC_AUTO(sc_matrix) down = {0};
    SC_AUTO(sc_group) g = {0};
    SC_TRY(expert_matrix(b, names->x_gate, "blk.%u.ffn_gate.%u", layer, e, c->expert_inter,
                         c->hidden, &gate, err));
    SC_TRY(expert_matrix(b, names->x_up, "blk.%u.ffn_up.%u", layer, e, c->expert_inter, c->hidden,
                         &up, err));
    SC_TRY(expert_matrix(b, names->x_down, "blk.%u.ffn_down.%u", layer, e, c->hidden,
                         c->expert_inter, &down, err));
    const float *const none[2] = {NULL, NULL};
    if (gate.dtype == up.dtype)
        SC_TRY(make_paired(b, gate.data, up.data, gate.dtype, gate.row_size, c->expert_inter, NULL,
                           NULL, &x->up, err));
    else
        SC_TRY(make_unpaired(b, &gate, &up, none, &x->up, err));
    SC_TRY(sc_group_init(&g, down.dtype, down.rows, false, err));
    for (size_t r = 0; r < down.rows; r++)
        g.row[r] = down.data + r * down.row_size;
    SC_TRY(sc_bind_linear(b, &g, 1, down.cols, &x->down, err));
    if (!b->names.gguf || e + 1 == c->experts) { // a shared tensor goes with its last expert
        sc_bind_forget(b, &gate);
        sc_bind_forget(b, &up);
        sc_bind_forget(b, &down);
    }
    return SC_OK;
}

static sc_code bind_mlp(sc_binder *b, uint32_t l, sc_layer *layer, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    if (!sc_config_bit(c->sparse, l) || !c->experts) {
        if (c->gated)
            SC_TRY(bind_gated(b, l, &layer->up, err));
        else
            SC_TRY(bind_plain(b, names->up, l, c->inter, c->hidden, c->mlp_bias, &layer->up, err));
        return bind_plain(b, names->down, l, c->hidden, c->inter, c->mlp_bias, &layer->down, err);
    }
    SC_TRY(bind_plain(b, names->router, l, c->experts, c->hidden, SC_BIAS_NO, &layer->router, err));
    layer->expert = sc_alloc(c->experts, sizeof *layer->expert);
    if (!layer->expert)
        return sc_fail_nomem(err);
    for (uint32_t e = 0; e < c->experts; e++)
        SC_TRY(bind_expert(b, l, e, &layer->expert[e], err));
    return SC_OK;
}

/* The norm of q or k: a weight for all heads, or one for each. */
static sc_code bind_head_norm(sc_binder *b, const char *base, uint32_t l, uint32_t heads,
                              sc_norm *out, sc_err *err)
{
    const sc_config *c = b->c;
    if (c->qk_norm != SC_QK_LAYER_HEADS)
        return bind_norm(b, base, l, c->head_dim, c->qk_norm == SC_QK_LAYER, out, err);
    const size_t d = c->head_dim;
    if (b->names.gguf) { // stacked, [heads, head_dim]
        SC_AUTO(sc_matrix) m = {0};
        SC_TRY(sc_bind_matrix(b, base, l, 0, heads, d, &m, err));
        out->w = sc_bind_floats(b->net, heads * d);
        if (!out->w)
            return sc_fail_nomem(err);
        for (uint32_t h = 0; h < heads; h++)
            sc_dequant_row(m.dtype, out->w + h * d, m.data + h * m.row_size, d);
        return SC_OK;
    }
    out->w = sc_bind_floats(b->net, heads * d);
    if (!out->w)
        return sc_fail_nomem(err);
    for (uint32_t h = 0; h < heads; h++) {
        float *w = NULL;
        SC_TRY(sc_bind_vector(b, base, l, h, ".weight", SC_BIAS_YES, d, &w, err));
        memcpy(out->w + h * d, w, d * sizeof *w);
    }
    return SC_OK;
}

static sc_code bind_layer(sc_binder *b, uint32_t l, sc_layer *layer, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    const bool ln = c->norm == SC_NORM_LAYER;
    SC_TRY(bind_norm(b, names->norm1, l, c->hidden, ln, &layer->norm1, err));
    if (!c->one_norm)
        SC_TRY(bind_norm(b, names->norm2, l, c->hidden, ln, &layer->norm2, err));
    SC_TRY(bind_qkv(b, l, &layer->qkv, err));
    if (c->qk_norm != SC_QK_NONE) {
        SC_TRY(bind_head_norm(b, names->q_norm, l, c->heads, &layer->q_norm, err));
        SC_TRY(bind_head_norm(b, names->k_norm, l, c->kv_heads, &layer->k_norm, err));
    }
    SC_TRY(bind_plain(b, names->o, l, c->hidden, (size_t)c->heads * c->head_dim, c->out_bias,
                      &layer->out, err));
    return bind_mlp(b, l, layer, err);
}

/* Rows of a table that are read one at a time, from the mapping. */
static sc_code bind_table(sc_binder *b, const char *base, size_t rows, const uint8_t **data,
                          sc_dtype *type, size_t *row_size, sc_err *err)
{
    char name[SC_FINDER_NAME];
    const sc_tensor *t = sc_finder_find(&b->names, base, 0, 0, ".weight", name);
    if (!t)
        return sc_bind_missing(b, name, err);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "[%zu, %" PRIu32 "]", rows, b->c->hidden); // fits
    uint64_t size = 0;
    if (t->n_dims != 2 || t->dims[0] != rows || t->dims[1] != b->c->hidden)
        return sc_bind_wrong_shape(b, t, expected, err);
    SC_TRY(sc_bind_check_type(t, err));
    if (!sc_dtype_row_size(t->dtype, b->c->hidden, &size))
        return sc_bind_wrong_shape(b, t, expected, err);
    const void *p = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &p, err));
    *data = p;
    *type = t->dtype;
    *row_size = size;
    b->net->mapped += t->size;
    return SC_OK;
}

/* The one matrix of a tied model, under either name: the head's panels serve the embedding too. */
static sc_code bind_tied(sc_binder *b, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    const bool usual = sc_finder_find(&b->names, names->embed, 0, 0, ".weight", NULL);
    SC_TRY(bind_plain(b, usual ? names->embed : names->head, 0, c->vocab, c->hidden, SC_BIAS_NO,
                      &b->net->head, err));
    b->net->embed_type = b->net->head.part[0].dtype;
    return SC_OK;
}

/* The embedding, the positions, the last norm and the head. */
static sc_code bind_ends(sc_binder *b, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    sc_net *n = b->net;
    if (c->tied) {
        SC_TRY(bind_tied(b, err));
    } else {
        SC_TRY(
            bind_table(b, names->embed, c->vocab, &n->embed, &n->embed_type, &n->embed_row, err));
        SC_TRY(bind_plain(b, names->head, 0, c->vocab, c->hidden, SC_BIAS_NO, &n->head, err));
    }
    SC_TRY(sc_bind_vector(b, names->head, 0, 0, ".bias", c->head_bias, c->vocab, &n->head.bias[0],
                          err));
    n->embed_scale = c->embed_scale;
    if (c->embed_scale_low && n->embed_type == SC_BF16)
        n->embed_scale = sc_bf16_f32(sc_f32_bf16(n->embed_scale));
    if (c->embed_scale_low && n->embed_type == SC_F16)
        n->embed_scale = sc_f16_f32(sc_f32_f16(n->embed_scale));
    if (c->learned_pos)
        SC_TRY(bind_table(b, names->pos, c->ctx, &n->positions, &n->positions_type,
                          &n->positions_row, err));
    return bind_norm(b, names->norm, 0, c->hidden, c->norm == SC_NORM_LAYER, &n->norm, err);
}

static sc_code bind_all(sc_binder *b, sc_err *err)
{
    sc_net *n = b->net;
    const uint64_t most = sc_net_packed_most(n->weights);
    if (most > (uint64_t)1 << 46)
        return sc_fail(err, SC_E_LIMIT, "weights of %" PRIu64 " bytes", most);
    n->arena_size = (size_t)most;
    n->arena = sc_alloc_pages(n->arena_size ? n->arena_size : 64);
    n->layer = sc_alloc(b->c->layers, sizeof *n->layer);
    if (!n->arena || !n->layer)
        return sc_fail_nomem(err);
    b->upright = true;
    SC_TRY(bind_ends(b, err));
    b->upright = false;
    for (uint32_t l = 0; l < b->c->layers; l++) {
        if (b->stop && atomic_load_explicit(b->stop, memory_order_relaxed))
            return sc_fail(err, SC_E_INTERRUPTED, "interrupted while loading");
        SC_TRY(bind_layer(b, l, &n->layer[l], err));
    }
    if (b->names.gguf) // read with the configuration
        for (unsigned i = 0; i < 3; i++)
            (void)sc_finder_find(
                &b->names,
                (const char *[]){"rope_freqs", "rope_factors_long", "rope_factors_short"}[i], 0, 0,
                ".weight", NULL);
    return sc_finder_all_used(&b->names, b->c, err);
}

sc_code sc_net_bind(sc_weights **w, const sc_config *c, const sc_bind_how *how, sc_net **out,
                    sc_err *err)
{
    SC_AUTO(sc_weights) *weights = sc_take(*w);
    SC_AUTO(sc_net) *n = sc_new(sc_net);
    if (!n)
        return sc_fail_nomem(err);
    n->weights = sc_take(weights);
    n->config = *c;
    sc_binder b = {.net = n,
                   .c = &n->config,
                   .pool = how->pool,
                   .kern = how->kern,
                   .now = how->now,
                   .stop = how->stop};
    sc_code code = sc_finder_init(&b.names, n->weights, sc_arch_find(c->arch), err);
    if (code == SC_OK)
        code = bind_all(&b, err);
    sc_finder_drop(&b.names);
    if (code == SC_OK)
        *out = sc_take(n);
    return code;
}
