/*
 * bind.c - from named tensors to a sc_net: shapes are checked, rows are put into the decoder's
 * order and packed.
 *
 * A matrix is handled as a list of pointers to its rows, so that regrouping q, k and v, pairing
 * gate with up and undoing a converter's permutation are all the same thing: another order of
 * pointers.
 */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "kern/dequant.h"
#include "kern/half.h"
#include "kern/pack.h"
#include "model/finder.h"
#include "model/net.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct binder {
    sc_net *net;             // borrowed
    const sc_config *c;      // borrowed from net
    sc_finder names;         // owned
    sc_pool *pool;           // borrowed
    bool upright;            // the matrix at hand is never stored [in, out]
    const atomic_bool *stop; // borrowed, or NULL
} binder;

/* A tensor as a matrix whose rows lie in memory. */
typedef struct matrix {
    const sc_tensor *t;
    sc_dtype dtype;
    const uint8_t *data;
    size_t rows, cols, row_size;
    uint8_t *temp; // owned, when it had to be transposed
} matrix;

static void matrix_drop(matrix *m)
{
    sc_free(m->temp);
    m->temp = NULL;
}
SC_AUTO_DEFINE_VALUE(matrix, matrix_drop);

/* Rows in the decoder's order, all of one type, and their bias. */
typedef struct group {
    sc_dtype dtype;
    size_t n;
    const void **row; // owned, [n]
    float *bias;      // owned, [n], or NULL
} group;

static void group_drop(group *g)
{
    sc_free(g->row);
    sc_free(g->bias);
    g->row = NULL;
    g->bias = NULL;
}
SC_AUTO_DEFINE_VALUE(group, group_drop);

/* A block of floats that lives as long as the net. */
static float *keep_floats(sc_net *n, size_t count)
{
    if (!sc_grow(&n->kept, &n->cap_kept, n->n_kept, 1u << 24, sizeof *n->kept))
        return NULL;
    float *p = sc_alloc(count, sizeof *p);
    if (p)
        n->kept[n->n_kept++] = p;
    return p;
}

static sc_code wrong_shape(const binder *b, const sc_tensor *t, const char *expected, sc_err *err)
{
    char found[96];
    size_t n = 0;
    const sc_weights_file *files = sc_weights_files(b->net->weights, &n);
    sc_tensor_format_shape(t, found, sizeof found);
    return sc_fail(err, SC_E_FORMAT, "%s: tensor %.*s: shape %s, %s expected",
                   t->file < n ? files[t->file].path : "", SC_STRF(t->name), found, expected);
}

static sc_code missing(const binder *b, const char *name, sc_err *err)
{
    size_t n = 0;
    const sc_weights_file *files = sc_weights_files(b->net->weights, &n);
    return sc_fail(err, SC_E_FORMAT, "%s: tensor %s: missing; the configuration asks for it",
                   n ? files[0].path : "", name);
}

static sc_code check_type(const sc_tensor *t, sc_err *err)
{
    if (!sc_dtype_info(t->dtype)->weights)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: stored as %s, which is no weight type",
                       SC_STRF(t->name), sc_dtype_info(t->dtype)->name);
    return SC_OK;
}

/* A vector of `n` floats; absent gives NULL unless `kind` demands it. */
static sc_code get_vector(binder *b, const char *base, uint32_t i, uint32_t j, const char *suffix,
                          sc_bias_kind kind, size_t n, float **out, sc_err *err)
{
    char name[SC_FINDER_NAME];
    *out = NULL;
    if (kind == SC_BIAS_NO)
        return SC_OK;
    const sc_tensor *t = sc_finder_find(&b->names, base, i, j, suffix, name);
    if (!t)
        return kind == SC_BIAS_YES ? missing(b, name, err) : SC_OK;
    char expected[32];
    (void)snprintf(expected, sizeof expected, "[%zu]", n); // fits
    if (t->n_dims != 1 || t->dims[0] != n)
        return wrong_shape(b, t, expected, err);
    SC_TRY(check_type(t, err));
    if (sc_dtype_info(t->dtype)->block > 1)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: a vector in blocks", SC_STRF(t->name));
    const void *data = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &data, err));
    float *v = keep_floats(b->net, n);
    if (!v)
        return sc_fail_nomem(err);
    sc_dequant_row(t->dtype, v, data, n);
    *out = v;
    return SC_OK;
}

/* Turns a [cols, rows] matrix of plain numbers into [rows, cols]. */
static sc_code transpose(matrix *m, const uint8_t *data, sc_err *err)
{
    const size_t size = sc_dtype_info(m->dtype)->size;
    if (sc_dtype_info(m->dtype)->block > 1)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: blocks cannot be transposed",
                       SC_STRF(m->t->name));
    m->temp = sc_alloc(m->rows * m->cols, size);
    if (!m->temp)
        return sc_fail_nomem(err);
    for (size_t c0 = 0; c0 < m->cols; c0 += 16) // tiles, so that both sides stay in cache
        for (size_t r = 0; r < m->rows; r++)
            for (size_t c = c0; c < m->cols && c < c0 + 16; c++)
                memcpy(m->temp + (r * m->cols + c) * size, data + (c * m->rows + r) * size, size);
    m->data = m->temp;
    return SC_OK;
}

/* The matrix of a tensor that was found; rows and cols are what the configuration says. */
static sc_code as_matrix(binder *b, const sc_tensor *t, size_t rows, size_t cols, matrix *out,
                         sc_err *err)
{
    const bool turned = b->names.arch->conv1d && !b->names.gguf && !b->upright;
    char expected[64];
    const size_t d0 = turned ? cols : rows, d1 = turned ? rows : cols;
    (void)snprintf(expected, sizeof expected, "[%zu, %zu]", d0, d1); // fits
    if (t->n_dims != 2 || t->dims[0] != d0 || t->dims[1] != d1)
        return wrong_shape(b, t, expected, err);
    SC_TRY(check_type(t, err));
    uint64_t row_size = 0;
    if (!sc_dtype_row_size(t->dtype, cols, &row_size))
        return sc_fail(err, SC_E_FORMAT, "tensor %.*s: rows of %zu are no whole %s blocks",
                       SC_STRF(t->name), cols, sc_dtype_info(t->dtype)->name);
    matrix m = {.t = t, .dtype = t->dtype, .rows = rows, .cols = cols, .row_size = row_size};
    const void *data = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &data, err));
    m.data = data;
    if (turned)
        SC_TRY(transpose(&m, data, err));
    *out = m;
    return SC_OK;
}

static sc_code get_matrix(binder *b, const char *base, uint32_t i, uint32_t j, size_t rows,
                          size_t cols, matrix *out, sc_err *err)
{
    char name[SC_FINDER_NAME];
    const sc_tensor *t = sc_finder_find(&b->names, base, i, j, ".weight", name);
    if (!t)
        return missing(b, name, err);
    return as_matrix(b, t, rows, cols, out, err);
}

static sc_code group_init(group *g, sc_dtype dtype, size_t n, bool bias, sc_err *err)
{
    g->dtype = dtype;
    g->n = n;
    g->row = sc_alloc(n, sizeof *g->row);
    g->bias = bias ? sc_alloc(n, sizeof *g->bias) : NULL;
    return g->row && (g->bias || !bias) ? SC_OK : sc_fail_nomem(err);
}

typedef struct pack_job {
    sc_dtype dtype;
    size_t cols, n, panel_size;
    const void *const *row;
    uint8_t *dst;
} pack_job;

static void pack_share(const sc_worker *me, void *arg)
{
    const pack_job *j = arg;
    size_t from = 0, to = 0;
    sc_pool_share(me, sc_panels(j->n), 1, &from, &to);
    for (size_t p = from; p < to; p++) {
        const void *rows[SC_PANEL] = {NULL};
        for (size_t r = 0; r < SC_PANEL && p * SC_PANEL + r < j->n; r++)
            rows[r] = j->row[p * SC_PANEL + r];
        sc_panel_pack(j->dtype, j->dst + p * j->panel_size, rows, j->cols);
    }
}

/* Packs `n` rows; a NULL row is zeros. */
static sc_code pack(binder *b, sc_dtype dtype, size_t cols, const void *const *row, size_t n,
                    sc_mat *out, sc_err *err)
{
    sc_net *net = b->net;
    const size_t panel = sc_panel_size(dtype, cols);
    size_t size = 0;
    if (!sc_mul_size(panel, sc_panels(n), &size) || size > net->arena_size - net->arena_used)
        return sc_fail(err, SC_E_LIMIT, "packed weights outgrow their estimate");
    pack_job job = {.dtype = dtype,
                    .cols = cols,
                    .n = n,
                    .panel_size = panel,
                    .row = row,
                    .dst = net->arena + net->arena_used};
    sc_pool_run(b->pool, pack_share, &job);
    net->arena_used += size;
    *out = sc_mat_of(dtype, n, cols, job.dst);
    return SC_OK;
}

/* One linear layer out of groups of rows; neighbours of one type become one part. */
static sc_code make_linear(binder *b, const group *g, size_t n, size_t cols, sc_linear *out,
                           sc_err *err)
{
    *out = (sc_linear){0};
    for (size_t i = 0; i < n;) {
        size_t last = i, rows = 0;
        bool bias = false;
        for (; last < n && g[last].dtype == g[i].dtype; last++) {
            rows += g[last].n;
            bias |= g[last].bias != NULL;
        }
        SC_AUTO(group) all = {0};
        SC_TRY(group_init(&all, g[i].dtype, rows, false, err));
        const uint32_t p = out->n_parts;
        if (bias && !(out->bias[p] = keep_floats(b->net, rows)))
            return sc_fail_nomem(err);
        size_t at = 0;
        for (; i < last; i++) {
            memcpy(all.row + at, g[i].row, g[i].n * sizeof *all.row);
            if (g[i].bias)
                memcpy(out->bias[p] + at, g[i].bias, g[i].n * sizeof(float));
            at += g[i].n;
        }
        SC_TRY(pack(b, all.dtype, cols, all.row, rows, &out->part[p], err));
        out->at[p] = out->rows;
        out->rows += (uint32_t)rows;
        out->n_parts++;
    }
    return SC_OK;
}

static void forget(binder *b, const matrix *m)
{
    if (m->t)
        sc_weights_forget(b->net->weights, m->t);
}

/* A plain linear layer with its bias. */
static sc_code bind_plain(binder *b, const char *base, uint32_t layer, size_t rows, size_t cols,
                          sc_bias_kind bias, sc_linear *out, sc_err *err)
{
    SC_AUTO(matrix) m = {0};
    SC_AUTO(group) g = {0};
    SC_TRY(get_matrix(b, base, layer, 0, rows, cols, &m, err));
    SC_TRY(group_init(&g, m.dtype, rows, false, err));
    for (size_t r = 0; r < rows; r++)
        g.row[r] = m.data + r * m.row_size;
    SC_TRY(make_linear(b, &g, 1, cols, out, err));
    SC_TRY(get_vector(b, base, layer, 0, ".bias", bias, rows, &out->bias[0], err));
    forget(b, &m);
    return SC_OK;
}

static sc_code bind_norm(binder *b, const char *base, uint32_t layer, size_t width, bool bias,
                         sc_norm *out, sc_err *err)
{
    SC_TRY(get_vector(b, base, layer, 0, ".weight", SC_BIAS_YES, width, &out->w, err));
    return get_vector(b, base, layer, 0, ".bias", bias ? SC_BIAS_YES : SC_BIAS_NO, width, &out->b,
                      err);
}

/* Where row `r` of q (0), k (1) or v (2) stands in a fused matrix. */
static size_t fused_row(const sc_config *c, sc_qkv_kind kind, unsigned which, size_t r)
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
static sc_code bind_qkv(binder *b, uint32_t layer, sc_linear *out, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    const size_t d = c->head_dim, rows[3] = {c->heads * d, c->kv_heads * d, c->kv_heads * d};
    const char *const bases[3] = {names->q, names->k, names->v};
    const bool fused = !names->q || (b->names.gguf && sc_finder_find(&b->names, names->qkv, layer,
                                                                     0, ".weight", NULL));
    const sc_qkv_kind kind = b->names.gguf ? b->names.arch->qkv_gguf : b->names.arch->qkv;
    const bool permuted = b->names.gguf && b->names.arch->gguf_permuted && !fused && d % 2 == 0;

    matrix m[3] = {{0}};
    float *bias[3] = {NULL};
    group g[3] = {{0}};
    sc_code code = SC_OK;
    for (unsigned w = 0; w < 3 && code == SC_OK; w++) {
        if (fused && w == 0) {
            const size_t all = rows[0] + rows[1] + rows[2];
            code = get_matrix(b, names->qkv, layer, 0, all, c->hidden, &m[0], err);
            if (code == SC_OK)
                code =
                    get_vector(b, names->qkv, layer, 0, ".bias", c->qkv_bias, all, &bias[0], err);
        } else if (!fused) {
            code = get_matrix(b, bases[w], layer, 0, rows[w], c->hidden, &m[w], err);
            if (code == SC_OK)
                code =
                    get_vector(b, bases[w], layer, 0, ".bias", c->qkv_bias, rows[w], &bias[w], err);
        }
        const unsigned from = fused ? 0 : w;
        if (code == SC_OK)
            code = group_init(&g[w], m[from].dtype, rows[w], bias[from] != NULL, err);
        for (size_t r = 0; r < rows[w] && code == SC_OK; r++) {
            const size_t src = fused               ? fused_row(c, kind, w, r)
                               : permuted && w < 2 ? permuted_row(d, r)
                                                   : r;
            g[w].row[r] = m[from].data + src * m[from].row_size;
            if (bias[from])
                g[w].bias[r] = bias[from][src];
        }
    }
    if (code == SC_OK)
        code = make_linear(b, g, 3, c->hidden, out, err);
    for (unsigned w = 0; w < 3; w++) {
        if (code == SC_OK)
            forget(b, &m[w]);
        matrix_drop(&m[w]);
        group_drop(&g[w]);
    }
    return code;
}

/* The rows of gate and up in panels of 16 and 16; NULL rows fill the last panel up. */
static sc_code make_paired(binder *b, const uint8_t *gate, const uint8_t *up, sc_dtype dtype,
                           size_t row_size, size_t inter, const float *gate_bias,
                           const float *up_bias, sc_linear *out, sc_err *err)
{
    const size_t half = SC_PANEL / 2, panels = (inter + half - 1) / half;
    SC_AUTO(group) g = {0};
    SC_TRY(group_init(&g, dtype, panels * SC_PANEL, gate_bias || up_bias, err));
    for (size_t r = 0; r < inter; r++) {
        const size_t at = r / half * SC_PANEL + r % half;
        g.row[at] = gate + r * row_size;
        g.row[at + half] = up + r * row_size;
        if (gate_bias)
            g.bias[at] = gate_bias[r];
        if (up_bias)
            g.bias[at + half] = up_bias[r];
    }
    SC_TRY(make_linear(b, &g, 1, b->c->hidden, out, err));
    out->paired = true;
    out->rows = (uint32_t)(panels * half);
    return SC_OK;
}

/* Gate and up when they are stored in two types: one after the other. */
static sc_code make_unpaired(binder *b, const matrix *gate, const matrix *up,
                             const float *const bias[2], sc_linear *out, sc_err *err)
{
    group g[2] = {{0}};
    sc_code code = SC_OK;
    for (unsigned w = 0; w < 2 && code == SC_OK; w++) {
        const matrix *m = w ? up : gate;
        code = group_init(&g[w], m->dtype, m->rows, bias[w] != NULL, err);
        for (size_t r = 0; r < m->rows && code == SC_OK; r++)
            g[w].row[r] = m->data + r * m->row_size;
        if (code == SC_OK && bias[w])
            memcpy(g[w].bias, bias[w], m->rows * sizeof(float));
    }
    if (code == SC_OK)
        code = make_linear(b, g, 2, gate->cols, out, err);
    group_drop(&g[0]);
    group_drop(&g[1]);
    return code;
}

static sc_code bind_gated(binder *b, uint32_t layer, sc_linear *out, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    const bool fused =
        names->gate_up ||
        (b->names.gguf && !sc_finder_find(&b->names, names->gate, layer, 0, ".weight", NULL));
    if (fused) {
        const char *base = names->gate_up ? names->gate_up : names->up;
        SC_AUTO(matrix) m = {0};
        float *bias = NULL;
        SC_TRY(get_matrix(b, base, layer, 0, 2 * (size_t)c->inter, c->hidden, &m, err));
        SC_TRY(
            get_vector(b, base, layer, 0, ".bias", c->mlp_bias, 2 * (size_t)c->inter, &bias, err));
        SC_TRY(make_paired(b, m.data, m.data + c->inter * m.row_size, m.dtype, m.row_size, c->inter,
                           bias, bias ? bias + c->inter : NULL, out, err));
        forget(b, &m);
        return SC_OK;
    }
    SC_AUTO(matrix) gate = {0};
    SC_AUTO(matrix) up = {0};
    float *bias[2] = {NULL};
    SC_TRY(get_matrix(b, names->gate, layer, 0, c->inter, c->hidden, &gate, err));
    SC_TRY(get_matrix(b, names->up, layer, 0, c->inter, c->hidden, &up, err));
    SC_TRY(get_vector(b, names->gate, layer, 0, ".bias", c->mlp_bias, c->inter, &bias[0], err));
    SC_TRY(get_vector(b, names->up, layer, 0, ".bias", c->mlp_bias, c->inter, &bias[1], err));
    if (gate.dtype == up.dtype)
        SC_TRY(make_paired(b, gate.data, up.data, gate.dtype, gate.row_size, c->inter, bias[0],
                           bias[1], out, err));
    else
        SC_TRY(make_unpaired(b, &gate, &up, (const float *const *)bias, out, err));
    forget(b, &gate);
    forget(b, &up);
    return SC_OK;
}

/* One matrix of one expert: a tensor of its own, or a slice of one tensor for all. */
static sc_code expert_matrix(binder *b, const char *base, const char *single, uint32_t layer,
                             uint32_t e, size_t rows, size_t cols, matrix *out, sc_err *err)
{
    const sc_tensor *t = sc_finder_find(&b->names, base, layer, e, ".weight", NULL);
    if (!b->names.gguf || !t)
        return get_matrix(b, b->names.gguf ? single : base, layer, e, rows, cols, out, err);
    char expected[96];
    (void)snprintf(expected, sizeof expected, "[%" PRIu32 ", %zu, %zu]", b->c->experts, rows,
                   cols); // fits
    if (t->n_dims != 3 || t->dims[0] != b->c->experts || t->dims[1] != rows || t->dims[2] != cols)
        return wrong_shape(b, t, expected, err);
    SC_TRY(check_type(t, err));
    uint64_t row_size = 0;
    if (!sc_dtype_row_size(t->dtype, cols, &row_size))
        return wrong_shape(b, t, expected, err);
    const void *data = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &data, err));
    *out = (matrix){.t = t,
                    .dtype = t->dtype,
                    .rows = rows,
                    .cols = cols,
                    .row_size = row_size,
                    .data = (const uint8_t *)data + (size_t)e * rows * row_size};
    return SC_OK;
}

static sc_code bind_expert(binder *b, uint32_t layer, uint32_t e, sc_expert *x, sc_err *err)
{
    const sc_config *c = b->c;
    const sc_arch_names *names = b->names.names;
    SC_AUTO(matrix) gate = {0};
    SC_AUTO(matrix) up = {0};
    SC_AUTO(matrix) down = {0};
    SC_AUTO(group) g = {0};
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
    SC_TRY(group_init(&g, down.dtype, down.rows, false, err));
    for (size_t r = 0; r < down.rows; r++)
        g.row[r] = down.data + r * down.row_size;
    SC_TRY(make_linear(b, &g, 1, down.cols, &x->down, err));
    if (!b->names.gguf || e + 1 == c->experts) { // a shared tensor goes with its last expert
        forget(b, &gate);
        forget(b, &up);
        forget(b, &down);
    }
    return SC_OK;
}

static sc_code bind_mlp(binder *b, uint32_t l, sc_layer *layer, sc_err *err)
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
static sc_code bind_head_norm(binder *b, const char *base, uint32_t l, uint32_t heads, sc_norm *out,
                              sc_err *err)
{
    const sc_config *c = b->c;
    if (c->qk_norm != SC_QK_LAYER_HEADS)
        return bind_norm(b, base, l, c->head_dim, c->qk_norm == SC_QK_LAYER, out, err);
    const size_t d = c->head_dim;
    if (b->names.gguf) { // stacked, [heads, head_dim]
        SC_AUTO(matrix) m = {0};
        SC_TRY(get_matrix(b, base, l, 0, heads, d, &m, err));
        out->w = keep_floats(b->net, heads * d);
        if (!out->w)
            return sc_fail_nomem(err);
        for (uint32_t h = 0; h < heads; h++)
            sc_dequant_row(m.dtype, out->w + h * d, m.data + h * m.row_size, d);
        return SC_OK;
    }
    out->w = keep_floats(b->net, heads * d);
    if (!out->w)
        return sc_fail_nomem(err);
    for (uint32_t h = 0; h < heads; h++) {
        float *w = NULL;
        SC_TRY(get_vector(b, base, l, h, ".weight", SC_BIAS_YES, d, &w, err));
        memcpy(out->w + h * d, w, d * sizeof *w);
    }
    return SC_OK;
}

static sc_code bind_layer(binder *b, uint32_t l, sc_layer *layer, sc_err *err)
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
static sc_code bind_table(binder *b, const char *base, size_t rows, const uint8_t **data,
                          sc_dtype *type, size_t *row_size, sc_err *err)
{
    char name[SC_FINDER_NAME];
    const sc_tensor *t = sc_finder_find(&b->names, base, 0, 0, ".weight", name);
    if (!t)
        return missing(b, name, err);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "[%zu, %" PRIu32 "]", rows, b->c->hidden); // fits
    uint64_t size = 0;
    if (t->n_dims != 2 || t->dims[0] != rows || t->dims[1] != b->c->hidden)
        return wrong_shape(b, t, expected, err);
    SC_TRY(check_type(t, err));
    if (!sc_dtype_row_size(t->dtype, b->c->hidden, &size))
        return wrong_shape(b, t, expected, err);
    const void *p = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &p, err));
    *data = p;
    *type = t->dtype;
    *row_size = size;
    b->net->mapped += t->size;
    return SC_OK;
}

/* The one matrix of a tied model, under either name: the head's panels serve the embedding too. */
static sc_code bind_tied(binder *b, sc_err *err)
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
static sc_code bind_ends(binder *b, sc_err *err)
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
    SC_TRY(
        get_vector(b, names->head, 0, 0, ".bias", c->head_bias, c->vocab, &n->head.bias[0], err));
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

uint64_t sc_net_packed_most(const sc_weights *w)
{
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(w, &n);
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (t[i].n_dims < 2 || !sc_dtype_info(t[i].dtype)->weights)
            continue;
        const uint64_t cols = t[i].dims[t[i].n_dims - 1], rows = t[i].dims[t[i].n_dims - 2];
        const uint64_t many = t[i].n_dims == 3 ? t[i].dims[0] : 1;
        uint64_t panel = 0, turned = 0, row = 0;
        // Two panels beyond the rows: where a part or a pair begins.
        if (rows < 1u << 26 && cols < 1u << 26 && many < 1u << 16 &&
            sc_dtype_row_size(t[i].dtype, cols, &row)) {
            panel = sc_panel_size(t[i].dtype, cols) * (sc_panels(rows) + 2);
            if (sc_dtype_info(t[i].dtype)->block == 1 && t[i].n_dims == 2)
                turned = sc_panel_size(t[i].dtype, rows) * (sc_panels(cols) + 2);
        }
        const uint64_t most = (panel > turned ? panel : turned) * many;
        if (__builtin_add_overflow(total, most, &total))
            return UINT64_MAX;
    }
    return total;
}

static sc_code bind_all(binder *b, sc_err *err)
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

sc_code sc_net_bind(sc_weights **w, const sc_config *c, sc_pool *pool, const atomic_bool *stop,
                    sc_net **out, sc_err *err)
{
    SC_AUTO(sc_weights) *weights = sc_take(*w);
    SC_AUTO(sc_net) *n = sc_new(sc_net);
    if (!n)
        return sc_fail_nomem(err);
    n->weights = sc_take(weights);
    n->config = *c;
    binder b = {.net = n, .c = &n->config, .pool = pool, .stop = stop};
    sc_code code = sc_finder_init(&b.names, n->weights, sc_arch_find(c->arch), err);
    if (code == SC_OK)
        code = bind_all(&b, err);
    sc_finder_drop(&b.names);
    if (code == SC_OK)
        *out = sc_take(n);
    return code;
}

void sc_net_free(sc_net *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_kept; i++)
        sc_free(n->kept[i]);
    sc_free(n->kept);
    for (uint32_t l = 0; n->layer && l < n->config.layers; l++)
        sc_free(n->layer[l].expert);
    sc_free(n->layer);
    if (n->arena)
        sc_free_pages(n->arena, n->arena_size ? n->arena_size : 64);
    sc_weights_close(n->weights);
    sc_free(n);
}

void sc_net_embed(const sc_net *n, int32_t token, float *x)
{
    const size_t id = (size_t)token;
    if (n->embed) {
        sc_dequant_row(n->embed_type, x, n->embed + id * n->embed_row, n->config.hidden);
        return;
    }
    sc_mat_row(&n->head.part[0], x, id);
}
