// SPDX-License-Identifier: MIT
#include "model/rows.h"

#include "base/mem.h"
#include "kern/dequant.h"
#include "kern/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void sc_matrix_drop(sc_matrix *m)
{
    sc_free(m->temp);
    m->temp = NULL;
}

void sc_group_drop(sc_group *g)
{
    sc_free(g->row);
    sc_free(g->bias);
    g->row = NULL;
    g->bias = NULL;
}

float *sc_bind_floats(sc_net *n, size_t count)
{
    if (!sc_grow(&n->kept, &n->cap_kept, n->n_kept, 1u << 24, sizeof *n->kept))
        return NULL;
    float *p = sc_alloc(count, sizeof *p);
    if (p)
        n->kept[n->n_kept++] = p;
    return p;
}

sc_code sc_bind_wrong_shape(const sc_binder *b, const sc_tensor *t, const char *expected,
                            sc_err *err)
{
    char found[96];
    size_t n = 0;
    const sc_weights_file *files = sc_weights_files(b->net->weights, &n);
    sc_tensor_format_shape(t, found, sizeof found);
    return sc_fail(err, SC_E_FORMAT, "%s: tensor %.*s: shape %s, %s expected",
                   t->file < n ? files[t->file].path : "", SC_STRF(t->name), found, expected);
}

sc_code sc_bind_missing(const sc_binder *b, const char *name, sc_err *err)
{
    size_t n = 0;
    const sc_weights_file *files = sc_weights_files(b->net->weights, &n);
    return sc_fail(err, SC_E_FORMAT, "%s: tensor %s: missing; the configuration asks for it",
                   n ? files[0].path : "", name);
}

sc_code sc_bind_check_type(const sc_tensor *t, sc_err *err)
{
    if (!sc_dtype_info(t->dtype)->weights)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: stored as %s, which is no weight type",
                       SC_STRF(t->name), sc_dtype_info(t->dtype)->name);
    return SC_OK;
}

/* A vector of `n` floats; absent gives NULL unless `kind` demands it. */
sc_code sc_bind_vector(sc_binder *b, const char *base, uint32_t i, uint32_t j, const char *suffix,
                       sc_bias_kind kind, size_t n, float **out, sc_err *err)
{
    char name[SC_FINDER_NAME];
    *out = NULL;
    if (kind == SC_BIAS_NO)
        return SC_OK;
    const sc_tensor *t = sc_finder_find(&b->names, base, i, j, suffix, name);
    if (!t)
        return kind == SC_BIAS_YES ? sc_bind_missing(b, name, err) : SC_OK;
    char expected[32];
    (void)snprintf(expected, sizeof expected, "[%zu]", n); // fits
    if (t->n_dims != 1 || t->dims[0] != n)
        return sc_bind_wrong_shape(b, t, expected, err);
    SC_TRY(sc_bind_check_type(t, err));
    if (sc_dtype_info(t->dtype)->block > 1)
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: a vector in blocks", SC_STRF(t->name));
    const void *data = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &data, err));
    float *v = sc_bind_floats(b->net, n);
    if (!v)
        return sc_fail_nomem(err);
    sc_dequant_row(t->dtype, v, data, n);
    *out = v;
    return SC_OK;
}

/* Turns a [cols, rows] matrix of plain numbers into [rows, cols]. */
static sc_code transpose(sc_matrix *m, const uint8_t *data, sc_err *err)
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
static sc_code as_matrix(sc_binder *b, const sc_tensor *t, size_t rows, size_t cols, sc_matrix *out,
                         sc_err *err)
{
    const bool turned = b->names.arch->conv1d && !b->names.gguf && !b->upright;
    char expected[64];
    const size_t d0 = turned ? cols : rows, d1 = turned ? rows : cols;
    (void)snprintf(expected, sizeof expected, "[%zu, %zu]", d0, d1); // fits
    if (t->n_dims != 2 || t->dims[0] != d0 || t->dims[1] != d1)
        return sc_bind_wrong_shape(b, t, expected, err);
    SC_TRY(sc_bind_check_type(t, err));
    uint64_t row_size = 0;
    if (!sc_dtype_row_size(t->dtype, cols, &row_size))
        return sc_fail(err, SC_E_FORMAT, "tensor %.*s: rows of %zu are no whole %s blocks",
                       SC_STRF(t->name), cols, sc_dtype_info(t->dtype)->name);
    sc_matrix m = {.t = t, .dtype = t->dtype, .rows = rows, .cols = cols, .row_size = row_size};
    const void *data = NULL;
    SC_TRY(sc_weights_data(b->net->weights, t, &data, err));
    m.data = data;
    if (turned)
        SC_TRY(transpose(&m, data, err));
    *out = m;
    return SC_OK;
}

sc_code sc_bind_matrix(sc_binder *b, const char *base, uint32_t i, uint32_t j, size_t rows,
                       size_t cols, sc_matrix *out, sc_err *err)
{
    char name[SC_FINDER_NAME];
    const sc_tensor *t = sc_finder_find(&b->names, base, i, j, ".weight", name);
    if (!t)
        return sc_bind_missing(b, name, err);
    return as_matrix(b, t, rows, cols, out, err);
}

sc_code sc_group_init(sc_group *g, sc_dtype dtype, size_t n, bool bias, sc_err *err)
{
    g->dtype = dtype;
    g->n = n;
    g->row = sc_alloc(sc_panels(n) * SC_PANEL, sizeof *g->row);
    g->bias = bias ? sc_alloc(n, sizeof *g->bias) : NULL;
    return g->row && (g->bias || !bias) ? SC_OK : sc_fail_nomem(err);
}

typedef struct pack_job {
    const sc_kern *kern;
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
        j->kern->pack(j->dtype, j->dst + p * j->panel_size, rows, j->cols);
    }
}

/* Whether all rows lie in the mapped files, where they stay. */
static bool in_file(const sc_binder *b, const void *const *row, size_t n)
{
    const sc_weights *w = b->net->weights;
    uintptr_t low = UINTPTR_MAX, high = 0;
    for (size_t i = 0; i < n; i++) {
        const uintptr_t at = (uintptr_t)row[i];
        low = at && at < low ? at : low;
        high = at > high ? at : high;
    }
    if (sc_weights_in_file(w, (const void *)low, (const void *)high)) // nearly always
        return true;
    for (size_t i = 0; i < n; i++)
        if (row[i] && !sc_weights_in_file(w, row[i], row[i]))
            return false;
    return true;
}

/* A matrix that is packed when it is needed, at `place`; takes the rows. */
static sc_code defer(sc_net *net, const sc_mat *m, sc_group *g, uint8_t *place, sc_source **out,
                     sc_err *err)
{
    if (!sc_grow(&net->source, &net->cap_sources, net->n_sources, 1u << 24, sizeof *net->source))
        return sc_fail_nomem(err);
    sc_source *s = sc_new(sc_source);
    if (!s)
        return sc_fail_nomem(err);
    net->source[net->n_sources++] = s;
    *out = s;
    return sc_source_init(s, m, sc_take(g->row), place, err);
}

/* Finds a place for the rows and packs them, now or when they are needed: then it takes them. */
static sc_code pack(sc_binder *b, sc_group *g, size_t cols, sc_mat *out, sc_source **source,
                    sc_err *err)
{
    sc_net *net = b->net;
    const size_t panel = sc_panel_size(g->dtype, cols);
    size_t size = 0;
    if (!sc_mul_size(panel, sc_panels(g->n), &size) || size > net->arena_size - net->arena_used)
        return sc_fail(err, SC_E_LIMIT, "packed weights outgrow their estimate");
    pack_job job = {.kern = b->kern,
                    .dtype = g->dtype,
                    .cols = cols,
                    .n = g->n,
                    .panel_size = panel,
                    .row = g->row,
                    .dst = net->arena + net->arena_used};
    net->arena_used += size;
    *out = sc_mat_of(g->dtype, g->n, cols, job.dst);
    if (!b->now && in_file(b, g->row, g->n))
        return defer(net, out, g, job.dst, source, err);
    sc_pool_run(b->pool, pack_share, &job);
    net->packed += size;
    return SC_OK;
}

/* Neighbours as one group; a single one is taken as it is. */
static sc_code join(sc_group *g, size_t n, sc_group *out, sc_err *err)
{
    if (n == 1) {
        *out = (sc_group){.dtype = g->dtype, .n = g->n, .row = sc_take(g->row)};
        return SC_OK;
    }
    size_t rows = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        rows += g[i].n;
    SC_TRY(sc_group_init(out, g->dtype, rows, false, err));
    for (size_t i = 0; i < n; i++) {
        memcpy(out->row + at, g[i].row, g[i].n * sizeof *out->row);
        at += g[i].n;
    }
    return SC_OK;
}

/* One linear layer out of groups of rows; neighbours of one type become one part. */
sc_code sc_bind_linear(sc_binder *b, sc_group *g, size_t n, size_t cols, sc_linear *out,
                       sc_err *err)
{
    *out = (sc_linear){0};
    for (size_t i = 0; i < n;) {
        const size_t first = i;
        size_t last = i, rows = 0;
        bool bias = false;
        for (; last < n && g[last].dtype == g[i].dtype; last++) {
            rows += g[last].n;
            bias |= g[last].bias != NULL;
        }
        SC_AUTO(sc_group) all = {0};
        SC_TRY(join(g + first, last - first, &all, err));
        const uint32_t p = out->n_parts;
        if (bias && !(out->bias[p] = sc_bind_floats(b->net, rows)))
            return sc_fail_nomem(err);
        size_t at = 0;
        for (; i < last; i++) {
            if (g[i].bias)
                memcpy(out->bias[p] + at, g[i].bias, g[i].n * sizeof(float));
            at += g[i].n;
        }
        SC_TRY(pack(b, &all, cols, &out->part[p], &out->source[p], err));
        out->at[p] = out->rows;
        out->rows += (uint32_t)rows;
        out->n_parts++;
    }
    return SC_OK;
}

void sc_bind_forget(sc_binder *b, const sc_matrix *m)
{
    if (m->t)
        sc_weights_forget(b->net->weights, m->t);
}
