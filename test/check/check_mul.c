// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"
#include "kern/dequant.h"
#include "kern/half.h"
#include "kern/pack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 41, ROWS = 70 };

/* A random matrix and a batch of inputs, packed. */
typedef struct problem {
    sc_dtype t;
    size_t rows, cols, ldx, row_size, packed;
    uint8_t *raw;    // [rows, row_size]
    uint8_t *panels; // [panels, panel size]
    float *x;        // [MOST, ldx]
    float *bias;     // [32 * panels]
    uint8_t *acts;
    sc_mat mat;
} problem;

static void make(check *c, problem *p, sc_dtype t, size_t rows, size_t cols)
{
    uint64_t size = 0;
    if (!sc_dtype_row_size(t, cols, &size))
        abort();
    *p = (problem){.t = t, .rows = rows, .cols = cols, .ldx = cols + 5, .row_size = (size_t)size};
    p->packed = sc_panels(rows) * sc_panel_size(t, cols);
    p->raw = sc_alloc(rows, p->row_size);
    p->panels = sc_alloc_pages(p->packed);
    p->x = sc_alloc(MOST * p->ldx, 4);
    p->bias = sc_alloc(SC_PANEL * sc_panels(rows), 4);
    p->acts = sc_alloc_pages(80 * MOST * cols / 16 + 4096);
    if (!p->raw || !p->panels || !p->x || !p->bias || !p->acts)
        abort();
    for (size_t r = 0; r < rows; r++) {
        check_weights(c, t, p->raw + r * p->row_size, cols);
        p->bias[r] = check_unit(c);
    }
    for (size_t i = 0; i < MOST * p->ldx; i++)
        p->x[i] = i % p->ldx < cols ? check_random(c) : NAN;
    for (size_t i = 0; i < sc_panels(rows); i++) {
        const void *at[SC_PANEL];
        for (size_t r = 0; r < SC_PANEL; r++)
            at[r] = 32 * i + r < rows ? p->raw + (32 * i + r) * p->row_size : NULL;
        sc_panel_pack(t, p->panels + i * sc_panel_size(t, cols), at, cols);
        // The level's own packing gives the same bytes, into memory that was not zero.
        uint8_t *again = sc_alloc_pages(sc_panel_size(t, cols));
        if (!again)
            abort();
        memset(again, 0xa5, sc_panel_size(t, cols));
        c->now.pack(t, again, at, cols);
        check_true(
            c, memcmp(again, p->panels + i * sc_panel_size(t, cols), sc_panel_size(t, cols)) == 0,
            "packing %s, %zu columns, panel %zu: other bytes", sc_dtype_info(t)->name, cols, i);
        sc_free_pages(again, sc_panel_size(t, cols));
    }
    p->mat = sc_mat_of(t, rows, cols, p->panels);
}

static void drop(problem *p)
{
    sc_free(p->raw);
    sc_free_pages(p->panels, p->packed);
    sc_free(p->x);
    sc_free(p->bias);
    sc_free_pages(p->acts, 80 * MOST * p->cols / 16 + 4096);
}

/* y [batch, ldy] of the inputs from `first` on. */
static void run(const sc_kern *k, const problem *p, sc_acts_kind kind, size_t first, size_t batch,
                float *y, size_t ldy, sc_epi epi, sc_act act)
{
    const sc_acts a = {kind, p->cols, batch, p->acts};
    const size_t panels = sc_panels(p->rows), half = panels / 2;
    k->encode(&a, p->x + first * p->ldx, p->ldx, 0, batch);
    const sc_mul job = {
        &p->mat, &a, y, ldy, epi, act, epi == SC_EPI_STORE && !act ? NULL : p->bias};
    sc_kern_mul(k, &job, half, panels); // in two ranges, the last first
    sc_kern_mul(k, &job, 0, half);
}

/* The sum of one row and one input in double, of |terms|, and the bound of the kind. */
static double exact(const problem *p, sc_acts_kind kind, size_t row, size_t b, double *bound)
{
    float w[4096];
    const float *x = p->x + b * p->ldx;
    const double u = 0x1p-24;
    double sum = 0, size = 0, rounding = 0;
    sc_dequant_row(p->t, w, p->raw + row * p->row_size, p->cols);
    for (size_t k = 0; k < p->cols; k++) {
        const bool rounded = kind == SC_ACTS_F32R || kind == SC_ACTS_BF16;
        const double v = (double)(rounded ? sc_bf16_f32(sc_f32_bf16(x[k])) : x[k]);
        sum += (double)w[k] * v;
        size += fabs((double)w[k] * v);
    }
    if (kind == SC_ACTS_Q8 || kind == SC_ACTS_Q8X) {
        // Each value moves by half a step of its block, and the scale and steps are rounded.
        for (size_t k = 0; k < p->cols; k += 32) {
            double abs_w = 0;
            for (size_t i = k; i < k + 32; i++)
                abs_w += fabs((double)w[i]);
            rounding += check_top(kind, x + k) * abs_w * (0.5 / 127 + 128 * 8 * u);
        }
    }
    // Types with a minimum subtract two large terms: the bound is of both.
    const double many = (double)p->cols + 8;
    *bound = many * u / (1 - many * u) * size * (rounding > 0 ? 4 : 1) + rounding + many * 0x1p-126;
    return sum;
}

static void check_exact(check *c, const problem *p, sc_acts_kind kind)
{
    float *y = check_poison(MOST * ROWS);
    run(&c->now, p, kind, 0, 3, y, ROWS, SC_EPI_STORE, SC_ACT_NONE);
    for (size_t b = 0; b < 3; b++) {
        for (size_t r = 0; r < p->rows; r++) {
            double bound = 0;
            const double want = exact(p, kind, r, b, &bound);
            check_near(c, sc_dtype_info(p->t)->name, p->cols, r, y[b * ROWS + r], want, bound);
        }
        for (size_t r = p->rows; r < ROWS; r++)
            check_true(c, isnan(y[b * ROWS + r]), "mul: wrote row %zu of %zu", r, p->rows);
    }
    sc_free(y);
}

/* Every batch gives the bits that plain C gives for each input alone. */
static void check_batches(check *c, const problem *p, sc_acts_kind kind)
{
    static const size_t batches[] = {1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
                                     11, 12, 13, 16, 21, 24, 25, 33, 41};
    const size_t ldy = ROWS + 3;
    float *want = check_poison(MOST * ldy);
    for (size_t b = 0; b < MOST; b++)
        run(&c->ref, p, kind, b, 1, want + b * ldy, ldy, SC_EPI_STORE, SC_ACT_NONE);
    for (size_t i = 0; i < SC_LEN(batches); i++) {
        const size_t batch = batches[i], first = MOST - batch;
        float *y = check_poison(batch * ldy);
        run(&c->now, p, kind, first, batch, y, ldy, SC_EPI_STORE, SC_ACT_NONE);
        for (size_t b = 0; b < batch; b++)
            check_true(c, check_same(y + b * ldy, want + (first + b) * ldy, p->rows),
                       "mul %s x %d, %zu x %zu: input %zu of %zu differs from the one alone in C",
                       sc_dtype_info(p->t)->name, (int)kind, p->rows, p->cols, b, batch);
        check_true(c, check_guard(y, batch * ldy), "mul: wrote behind the last row");
        sc_free(y);
    }
    sc_free(want);
}

/* The epilogues, against the sums and the act of the level. */
static void check_epilogues(check *c, const problem *p, sc_acts_kind kind)
{
    const size_t batch = 3, ldy = ROWS;
    float *sums = check_poison(batch * ldy), *y = check_poison(batch * ldy);
    float *old = check_poison(batch * ldy);
    run(&c->now, p, kind, 0, batch, sums, ldy, SC_EPI_STORE, SC_ACT_NONE);
    for (size_t b = 0; b < batch; b++)
        for (size_t r = 0; r < p->rows; r++) {
            sums[b * ldy + r] += p->bias[r];
            y[b * ldy + r] = old[b * ldy + r] = check_unit(c);
        }
    run(&c->now, p, kind, 0, batch, y, ldy, SC_EPI_ADD, SC_ACT_NONE);
    for (size_t b = 0; b < batch; b++)
        for (size_t r = 0; r < p->rows; r++)
            check_true(c, y[b * ldy + r] == old[b * ldy + r] + sums[b * ldy + r], "mul: add");
    for (unsigned act = SC_ACT_SILU; act < SC_ACT_N; act++) {
        run(&c->now, p, kind, 0, batch, y, ldy, SC_EPI_STORE, (sc_act)act);
        for (size_t b = 0; b < batch; b++) {
            c->ref.act(old, sums + b * ldy, p->rows, (sc_act)act);
            check_true(c, check_same(y + b * ldy, old, p->rows), "mul: act %u", act);
        }
    }
    run(&c->now, p, kind, 0, batch, y, ldy, SC_EPI_ACT_MUL, SC_ACT_SILU);
    for (size_t b = 0; b < batch; b++)
        for (size_t r = 0; r + 16 < p->rows; r = r % 32 == 15 ? r + 17 : r + 1) {
            float want = 0;
            c->ref.act_mul(&want, sums + b * ldy + r, sums + b * ldy + r + 16, 1, SC_ACT_SILU);
            check_true(c, y[b * ldy + r / 32 * 16 + r % 32] == want, "mul: act times up");
        }
    sc_free(sums);
    sc_free(y);
    sc_free(old);
}

void check_mul(check *c)
{
    static const size_t rows[] = {1, 16, 17, 32, 70};
    static const size_t plain[] = {1, 2, 7, 8, 31, 64, 259}, blocks[] = {32, 64, 96, 288};
    for (unsigned t = 0; t < SC_DTYPE_N; t++) {
        const sc_dtype_facts *f = sc_dtype_info((sc_dtype)t);
        if (!f->weights || (c->type && strcmp(c->type, f->name) != 0))
            continue;
        problem whole; // packs whole panels of whole and of broken units
        make(c, &whole, (sc_dtype)t, 64, f->block == 1 ? 131 : (f->block == 32 ? 416 : 512));
        drop(&whole);
        for (unsigned kind = 0; kind < SC_ACTS_KIND_N; kind++) {
            if (!c->now.mul[t][kind])
                continue;
            for (size_t i = 0; i < 7; i++) {
                const size_t cols =
                    f->block == 1 ? plain[i] : (f->block == 32 ? blocks[i % 4] : 256 * (1 + i % 3));
                if (i >= (f->block == 1 ? 7 : (f->block == 32 ? 4 : 3)))
                    break;
                problem p;
                make(c, &p, (sc_dtype)t, rows[(i + t) % SC_LEN(rows)], cols);
                check_exact(c, &p, (sc_acts_kind)kind);
                check_batches(c, &p, (sc_acts_kind)kind);
                check_epilogues(c, &p, (sc_acts_kind)kind);
                drop(&p);
            }
        }
    }
}

/* Times one matrix of a model; the weights come from memory each time. */
static void bench_one(check *c, sc_dtype t, sc_acts_kind kind, size_t batch)
{
    enum { SHAPE_ROWS = 832, SHAPE_COLS = 1152 };
    const size_t cols = sc_dtype_info(t)->block == 256 ? 1280 : SHAPE_COLS;
    const size_t panels = SHAPE_ROWS / 32, size = sc_panel_size(t, cols),
                 copies = 64u * 1024 * 1024 / (panels * size) + 1;
    uint8_t *w = sc_alloc_pages(copies * panels * size);
    float *x = sc_alloc(batch * cols, 4), *y = sc_alloc(batch * SHAPE_ROWS, 4);
    uint8_t *data = sc_alloc_pages(sc_acts_size(kind, cols, batch));
    uint8_t row[8192];
    if (!w || !x || !y || !data)
        abort();
    for (size_t i = 0; i < batch * cols; i++)
        x[i] = check_unit(c);
    check_weights(c, t, row, cols);
    const void *at[SC_PANEL];
    for (size_t r = 0; r < SC_PANEL; r++)
        at[r] = row;
    sc_panel_pack(t, w, at, cols);
    for (size_t i = 1; i < copies * panels; i++)
        memcpy(w + i * size, w, size);
    // Packing reads rows out of memory and writes a panel that stays in cache.
    uint8_t *panel = sc_alloc_pages(size);
    if (!panel)
        abort();
    double packed = 1e9;
    for (size_t i = 0; i + 4 <= copies * panels; i += 4) {
        const double packing = check_now();
        for (size_t j = 0; j < 4; j++) {
            for (size_t r = 0; r < SC_PANEL; r++)
                at[r] = w + (i + j) * size + r * (size / SC_PANEL);
            c->now.pack(t, panel, at, cols);
        }
        const double took = check_now() - packing;
        packed = took < packed ? took : packed;
    }
    sc_free_pages(panel, size);
    const sc_acts a = {kind, cols, batch, data};
    c->now.encode(&a, x, cols, 0, batch);
    const double encoding = check_now();
    c->now.encode(&a, x, cols, 0, batch);
    const double encoded = check_now() - encoding;
    // The best of single calls, each on another copy: what the others on the machine leave us.
    double best = 1e9;
    for (size_t i = 0; i < 4 * copies; i++) {
        const sc_mat m = sc_mat_of(t, SHAPE_ROWS, cols, w + i % copies * panels * size);
        const sc_mul job = {&m, &a, y, SHAPE_ROWS, SC_EPI_STORE, SC_ACT_NONE, NULL};
        const double start = check_now();
        sc_kern_mul(&c->now, &job, 0, panels);
        const double took = check_now() - start;
        best = took < best ? took : best;
    }
    const double bytes = (double)(panels * size), mac = (double)(SHAPE_ROWS * cols * batch);
    static const char *const kinds[] = {"f32", "f32r", "bf16", "q8", "q8x"};
    printf("# bench %-16s mul %-5s x %-4s B=%-3zu %7.2f GB/s %8.1f GMAC/s   pack %.2f GB/s, encode "
           "%.2f us a row\n",
           c->level, sc_dtype_info(t)->name, kinds[kind], batch, bytes / best * 1e-9,
           mac / best * 1e-9, 4 * (double)size / packed * 1e-9, encoded / (double)batch * 1e6);
    sc_free_pages(w, copies * panels * size);
    sc_free_pages(data, sc_acts_size(kind, cols, batch));
    sc_free(x);
    sc_free(y);
}

void bench_mul(check *c)
{
    static const size_t batches[] = {1, 4, 8, 24, 88};
    if (strcmp(c->level, "ref") == 0)
        return;
    for (unsigned t = 0; t < SC_DTYPE_N; t++)
        for (unsigned kind = 0; kind < SC_ACTS_KIND_N; kind++)
            for (size_t i = c->type && strcmp(c->type, sc_dtype_info((sc_dtype)t)->name) != 0 ? 99
                                                                                              : 0;
                 c->now.mul[t][kind] && kind != SC_ACTS_F32R && i < SC_LEN(batches); i++)
                bench_one(c, (sc_dtype)t, (sc_acts_kind)kind, batches[i]);
}
