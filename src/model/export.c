// SPDX-License-Identifier: MIT
#include "model/export.h"

#include "base/mem.h"
#include "base/pool.h"
#include "kern/dequant.h"
#include "model/export_keys.h"
#include "model/export_plan.h"
#include "tok/tok.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4 << 20 };

bool sc_export_has(sc_dtype t)
{
    return sc_quant_has(t) && sc_gguf_type_of(t) >= 0;
}

/* Rows [from, to) of one source, rounded on the team. */
typedef struct job {
    const sc_plan *p;
    const sc_item *it;
    const sc_tensor *t;
    const uint8_t *data;
    size_t from;
    size_t to;
    uint8_t *out;
    size_t out_row; // bytes
    float *temp;    // [threads, cols]
    bool *bad;      // [threads]
} job;

/* Whether row `r` is multiplied by something. */
static bool scales(const sc_item *it, size_t r)
{
    return r < it->scaled && fabsf(it->scale - 1) > 0;
}

static void load_row(const job *j, size_t r, float *x)
{
    const sc_item *it = j->it;
    const size_t cols = it->cols;
    const sc_dtype type = j->t->dtype;
    const sc_dtype_facts *f = sc_dtype_info(type);
    const size_t src = sc_plan_row(j->p, it, r);
    if (it->turned)
        for (size_t c = 0; c < cols; c++)
            sc_dequant_row(type, x + c, j->data + (c * it->src_rows + src) * f->size, 1);
    else
        sc_dequant_row(type, x, j->data + src * (cols / f->block * f->size), cols);
    for (size_t c = 0; c < cols && it->plus_one; c++)
        x[c] += 1;
    for (size_t c = 0; c < cols && scales(it, r); c++)
        x[c] *= it->scale;
}

/* Numbers that the type has; scales of blocks are halves. */
static bool usable(sc_dtype type, const float *x, size_t n)
{
    const float most = type == SC_F32 || type == SC_BF16 ? INFINITY : 65504.0f;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]) || fabsf(x[i]) > most)
            return false;
    return true;
}

static void round_share(const sc_worker *me, void *arg)
{
    const job *j = arg;
    size_t from = 0;
    size_t to = 0;
    sc_pool_share(me, j->to - j->from, 1, &from, &to);
    float *x = j->temp + me->index * j->it->cols;
    const bool same = j->t->dtype == j->it->dtype && !j->it->turned && !j->it->plus_one;
    for (size_t i = from; i < to; i++) {
        uint8_t *dst = j->out + i * j->out_row;
        load_row(j, j->from + i, x);
        const bool copy = same && !scales(j->it, j->from + i); // not rounded twice
        if (!usable(copy ? SC_F32 : j->it->dtype, x, j->it->cols)) {
            j->bad[me->index] = true;
            continue;
        }
        if (copy) {
            memcpy(dst, j->data + sc_plan_row(j->p, j->it, j->from + i) * j->out_row, j->out_row);
            continue;
        }
        sc_quant_row(j->it->dtype, dst, x, j->it->cols);
    }
}

static sc_code write_source(const sc_plan *p, const sc_item *it, const sc_tensor *t, sc_pool *pool,
                            sc_gguf_writer *w, sc_err *err)
{
    const void *data = NULL;
    uint64_t row = 0;
    SC_TRY(sc_weights_data(p->w, t, &data, err));
    if (!sc_dtype_row_size(it->dtype, it->cols, &row))
        return sc_fail(err, SC_E_FORMAT, "tensor %s: rows of %zu", it->name, it->cols);
    if (row == 0 || it->rows == 0)
        return SC_OK;
    const size_t step = CHUNK / row ? CHUNK / (size_t)row : 1;
    bool bad[SC_POOL_MAX] = {false};
    job j = {.p = p, .it = it, .t = t, .data = data, .out_row = (size_t)row, .bad = bad};
    j.out = sc_alloc(step, (size_t)row);
    size_t floats = 0;
    j.temp =
        sc_mul_size(sc_pool_size(pool), it->cols, &floats) ? sc_alloc(floats, sizeof(float)) : NULL;
    sc_code code = j.out && j.temp ? SC_OK : sc_fail_nomem(err);
    for (j.from = 0; j.from < it->rows && code == SC_OK; j.from = j.to) {
        j.to = it->rows - j.from < step ? it->rows : j.from + step;
        sc_pool_run(pool, round_share, &j);
        for (size_t i = 0; i < SC_LEN(bad) && code == SC_OK; i++)
            if (bad[i])
                code = sc_fail(err, SC_E_FORMAT,
                               "tensor %.*s: a value is no number, or too large for %s",
                               SC_STRF(t->name), sc_dtype_info(it->dtype)->name);
        if (code == SC_OK)
            code = sc_gguf_writer_data(w, j.out, (j.to - j.from) * (size_t)row, err);
    }
    sc_free(j.out);
    sc_free(j.temp);
    sc_weights_forget(p->w, t);
    return code;
}

static sc_code write_items(const sc_plan *p, const char *out, unsigned threads, sc_gguf_writer *w,
                           sc_err *err)
{
    SC_AUTO(sc_pool) *pool = NULL;
    SC_TRY(sc_pool_new(threads, &pool, err));
    SC_TRY(sc_gguf_writer_begin(w, out, err));
    for (size_t i = 0; i < p->n; i++) {
        const sc_item *it = &p->item[i];
        if (it->values)
            SC_TRY(sc_gguf_writer_data(w, it->values, it->cols * sizeof(float), err));
        for (size_t s = 0; s < it->n_src; s++)
            SC_TRY(write_source(p, it, it->src[s], pool, w, err));
    }
    return sc_gguf_writer_finish(w, err);
}

static sc_code put_vocab(const sc_plan *p, const char *in, const sc_export_opts *opts,
                         sc_gguf_writer *w, sc_export_report *report, sc_err *err)
{
    if (opts->no_vocab) {
        sc_export_no_vocab(w);
        return SC_OK;
    }
    SC_AUTO(char) *found = NULL;
    if (!opts->tokenizer)
        SC_TRY(sc_tok_find_beside(in, &found, err));
    return sc_export_vocab(w, opts->tokenizer ? opts->tokenizer : found, &p->c, &report->vocab,
                           err);
}

/* The values of another GGUF file but for what the new types and the one file change. */
static void copy_values(const sc_gguf *g, sc_gguf_writer *w)
{
    size_t n = 0;
    const sc_gguf_kv *kv = sc_gguf_kvs(g, &n);
    for (size_t i = 0; i < n; i++) {
        const sc_str k = kv[i].key;
        if (!sc_str_starts(k, SC_STR("split.")) && !sc_str_is(k, "general.alignment") &&
            !sc_str_is(k, "general.file_type") && !sc_str_is(k, "general.quantization_version"))
            sc_gguf_put_kv(w, &kv[i]);
    }
}

static sc_code put_values(const sc_plan *p, const char *in, const sc_export_opts *opts,
                          sc_gguf_writer *w, sc_export_report *report, sc_err *err)
{
    const sc_gguf *g = sc_weights_gguf(p->w);
    if (g) {
        copy_values(g, w);
    } else {
        sc_gguf_put_str(w, "general.architecture", sc_str_c(p->gguf));
        if (opts->name)
            sc_gguf_put_str(w, "general.name", sc_str_c(opts->name));
        sc_export_keys(w, &p->c, p->gguf, p->ctx);
        SC_TRY(put_vocab(p, in, opts, w, report, err));
    }
    sc_gguf_put_u32(w, "general.file_type", sc_export_file_type(p->type));
    sc_gguf_put_u32(w, "general.quantization_version", 2);
    return SC_OK;
}

sc_code sc_export_gguf(const char *in, const char *out, const sc_export_opts *opts,
                       sc_export_report *report, sc_err *err)
{
    if (!opts->force && access(out, F_OK) == 0)
        return sc_fail(err, SC_E_USAGE, "%s: exists; --force replaces it", out);
    SC_AUTO(sc_plan) p = {.type = opts->type};
    sc_export_report r = {0};
    SC_TRY(sc_plan_make(&p, in, err));
    SC_AUTO(sc_gguf_writer) *w = NULL;
    SC_TRY(sc_gguf_writer_new(&w, err));
    SC_TRY(put_values(&p, in, opts, w, &r, err));
    uint64_t bytes = 0;
    for (size_t i = 0; i < p.n; i++) {
        const sc_item *it = &p.item[i];
        uint64_t row = 0;
        SC_TRY(sc_gguf_writer_add(w, it->name, it->dtype, it->n_dims, it->dims, err));
        (void)sc_dtype_row_size(it->dtype, it->cols, &row); // checked by the line above
        bytes += row * it->rows * (it->values ? 1 : it->n_src);
    }
    SC_TRY(write_items(&p, out, opts->threads, w, err));
    r.arch = p.gguf;
    r.n_tensors = p.n;
    r.n_other = p.n_other;
    r.bytes = bytes;
    r.ctx = p.ctx;
    r.full_ctx = p.c.ctx;
    r.gelu = !sc_weights_gguf(p.w) && sc_export_gelu_differs(&p.c, p.gguf);
    *report = r;
    return SC_OK;
}
