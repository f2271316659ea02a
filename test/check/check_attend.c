// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "kern/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 200, BENCH = 1024, MOST_PAGES = BENCH / SC_KV_PAGE + 1, MOST_ROWS = 19 };

/* A value as the cache keeps it, where each has its own bits. */
static float rounded(sc_dtype t, float x)
{
    return t == SC_F32 ? x
                       : (t == SC_F16 ? sc_f16_f32(sc_f32_f16(x)) : sc_bf16_f32(sc_f32_bf16(x)));
}

/* A head as the cache keeps it (`stored`), or as a query meets keys of that type. */
static void held(check *c, const sc_attn *a, const float *x, bool stored, double *to)
{
    const sc_dtype t = a->kv.type;
    const size_t dim = a->kv.head_dim;
    const float by = a->scale * 0x1.715476p0f; // a query meets pairs of bf16 as a power of two
    for (size_t d = 0; d < dim; d++) {
        to[d] = stored ? (double)rounded(t, x[d]) : (double)x[d];
        if (!stored && t == SC_BF16)
            to[d] = (double)rounded(t, x[d] * by) / (double)by;
    }
    for (size_t d = 0; t == SC_Q8_0 && d < dim; d += 32) {
        const size_t n = dim - d < 32 ? dim - d : 32;
        float top = 0;
        for (size_t i = 0; i < n; i++)
            top = fmaxf(top, fabsf(x[d + i]));
        const float s = top * (1.0f / 127.0f), scale = stored ? sc_f16_f32(sc_f32_f16(s)) : s;
        for (size_t i = 0; i < n; i++) {
            const double v = (double)x[d + i];
            to[d + i] = top > 0 ? (double)rintf(x[d + i] * (127.0f / top)) * (double)scale : 0;
            check_true(c,
                       !(top >= 0x1p-7f) ||
                           fabs(to[d + i] - v) <= (double)top / 253 + fabs(v) * 0x1p-11 * 1.01,
                       "attend: a value as Q8_0 is further off than its bound");
        }
    }
}

/* A cache of n positions in pages, and the same keys, values and queries as attention sees them. */
typedef struct cache {
    sc_attn a;
    size_t n, page_size;
    uint8_t *memory;
    uint32_t pages[MOST_PAGES];
    double *k, *v, *q; // [n, n_kv, dim] twice, [n_heads, dim]
    float *query;      // [MOST_ROWS, n_heads, dim], of which q is the first
} cache;

static void make(check *c, cache *m, sc_attn a, size_t n)
{
    const size_t dim = a.kv.head_dim, row = (size_t)a.kv.n_kv * dim, pages = n / SC_KV_PAGE + 1;
    const size_t all = a.n_heads * dim;
    *m = (cache){.a = a, .n = n, .page_size = sc_kv_page_size(&a.kv)};
    m->memory = sc_alloc_pages(pages * m->page_size);
    m->k = sc_alloc(n * row, sizeof(double));
    m->v = sc_alloc(n * row, sizeof(double));
    m->q = sc_alloc(all, sizeof(double));
    m->query = sc_alloc(MOST_ROWS * all, sizeof(float));
    float *k = sc_alloc(2 * row, sizeof(float)), *v = k + row;
    if (!m->memory || !m->k || !m->v || !m->q || !m->query || !k)
        abort();
    m->a.base = m->memory;
    m->a.stride = m->page_size;
    for (size_t i = 0; i < pages; i++) // scattered, as pages are
        m->pages[i] = (uint32_t)(pages - 1 - i);
    for (size_t i = 0; i < MOST_ROWS * all; i++)
        m->query[i] = 2 * check_unit(c);
    for (size_t h = 0; h < a.n_heads; h++)
        held(c, &a, m->query + h * dim, false, m->q + h * dim);
    for (size_t t = 0; t < n; t++) {
        for (size_t i = 0; i < row; i++) {
            k[i] = check_unit(c);
            v[i] = check_unit(c);
        }
        c->now.kv_put(&a.kv, m->memory + m->pages[t / SC_KV_PAGE] * m->page_size, t % SC_KV_PAGE, k,
                      v);
        for (size_t h = 0; h < a.kv.n_kv; h++) {
            held(c, &a, k + h * dim, true, m->k + t * row + h * dim);
            held(c, &a, v + h * dim, true, m->v + t * row + h * dim);
        }
    }
    sc_free(k);
}

static void drop(cache *m)
{
    sc_free_pages(m->memory, (m->n / SC_KV_PAGE + 1) * m->page_size);
    sc_free(m->k);
    sc_free(m->v);
    sc_free(m->q);
    sc_free(m->query);
}

/* One head in double: the result for each dimension, and a bound that fits all. */
static void exact(const cache *m, size_t head, double *out, double *bound)
{
    const sc_attn *a = &m->a;
    const size_t dim = a->kv.head_dim, kv = head / (a->n_heads / a->kv.n_kv);
    const size_t first = a->window && m->n > a->window ? m->n - a->window : 0;
    double s[LONGEST], top = -HUGE_VAL, sum = 0, spread = 0;
    for (size_t t = first; t < m->n; t++) {
        double size = 0;
        s[t] = 0;
        for (size_t d = 0; d < dim; d++) {
            const double term = m->q[head * dim + d] * m->k[(t * a->kv.n_kv + kv) * dim + d];
            s[t] += term;
            size += fabs(term);
        }
        s[t] *= (double)a->scale;
        spread = fmax(spread, size * fabs((double)a->scale));
        top = fmax(top, s[t]);
    }
    for (size_t d = 0; d < dim; d++)
        out[d] = 0;
    for (size_t t = first; t < m->n; t++)
        sum += exp(s[t] - top);
    for (size_t t = first; t < m->n; t++)
        for (size_t d = 0; d < dim; d++)
            out[d] += exp(s[t] - top) / sum * m->v[(t * a->kv.n_kv + kv) * dim + d];
    // Scores are off by gamma(dim + 2) of their terms, which moves each weight by that share; the
    // sums over positions add gamma(n); values are at most 1. Of bf16, each weight is rounded, and
    // their sum is that of the rounded ones.
    *bound = 0x1p-24 * (2 * ((double)dim + 4) * spread + 2 * (double)m->n + 40);
    if (a->kv.type == SC_BF16)
        *bound += 0x1p-8 + 6e-6 + (double)m->n * 0x1p-40;
}

static void check_one(check *c, sc_attn a, size_t n)
{
    cache m;
    make(c, &m, a, n);
    const size_t dim = a.kv.head_dim, all = a.n_heads * dim;
    float *out = check_poison(all), *other = check_poison(all);
    float *scratch = check_poison(sc_attn_scratch(&a, 1, n));
    const sc_attn_row row = {.out = out, .q = m.query, .pages = m.pages, .n_keys = n};
    sc_attn_row again = row;
    again.out = other;
    c->now.attend(&m.a, &row, 1, 0, a.kv.n_kv, scratch);
    check_true(c, check_guard(out, all), "attend: wrote behind the output");
    check_true(c, check_guard(scratch, sc_attn_scratch(&a, 1, n)),
               "attend: wrote behind the scratch");
    c->ref.attend(&m.a, &again, 1, 0, a.kv.n_kv, scratch);
    check_true(c, check_same(out, other, all),
               "attend %s: %u heads of %u, %u kv, n=%zu window=%u: not C's bits",
               sc_dtype_info(a.kv.type)->name, a.n_heads, a.kv.head_dim, a.kv.n_kv, n, a.window);
    for (size_t h = a.kv.n_kv; h-- > 0;) // head by head, from behind
        c->now.attend(&m.a, &again, 1, h, h + 1, scratch);
    check_true(c, check_same(out, other, all), "attend: a head alone differs");
    for (size_t h = 0; h < a.n_heads; h++) {
        double want[256], bound = 0;
        exact(&m, h, want, &bound);
        for (size_t d = 0; d < dim; d++)
            check_near(c, "attend", n, h * dim + d, out[h * dim + d], want[d], bound);
    }
    sc_free(out);
    sc_free(other);
    sc_free(scratch);
    drop(&m);
}

/* A group of rows, and the page tables of those that are not the first one's. */
typedef struct group {
    sc_attn_row row[MOST_ROWS];
    uint32_t pages[MOST_ROWS][MOST_PAGES];
} group;

/*
 * Rows over the cache: `common` is how many pages they share. A sequence of its own goes on with
 * the cache's pages in another order; without any, they are positions that follow each other.
 */
static void make_group(const cache *m, group *g, size_t rows, size_t common, float *out)
{
    const size_t all = (size_t)m->a.n_heads * m->a.kv.head_dim, full = m->n / SC_KV_PAGE;
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i <= full; i++)
            g->pages[r][i] = m->pages[i];
        for (size_t i = common; common && i < full; i++)
            g->pages[r][i] = m->pages[common + (i - common + r) % (full - common)];
        const size_t less = common ? 7 * r % 40 : rows - 1 - r;
        g->row[r] = (sc_attn_row){.out = out + r * all,
                                  .q = m->query + r * all,
                                  .pages = g->pages[r],
                                  .n_keys = m->n > less ? m->n - less : 1};
    }
}

static void check_group(check *c, sc_attn a, size_t n, size_t rows, size_t common)
{
    cache m;
    make(c, &m, a, n);
    const size_t all = (size_t)a.n_heads * a.kv.head_dim;
    float *out = check_poison(rows * all), *alone = check_poison(rows * all);
    float *scratch = check_poison(sc_attn_scratch(&a, rows, n));
    static group g; // the check has one thread
    make_group(&m, &g, rows, common, out);
    c->now.attend(&m.a, g.row, rows, 0, a.kv.n_kv, scratch);
    check_true(c, check_guard(out, rows * all), "attend: a group wrote behind the output");
    check_true(c, check_guard(scratch, sc_attn_scratch(&a, rows, n)),
               "attend: a group wrote behind the scratch");
    make_group(&m, &g, rows, common, alone);
    for (size_t r = 0; r < rows; r++)
        c->ref.attend(&m.a, &g.row[r], 1, 0, a.kv.n_kv, scratch);
    check_true(
        c, check_same(out, alone, rows * all),
        "attend %s: %zu rows of %u heads of %u, %u kv, n=%zu, %zu pages in common, window=%u: "
        "not the bits of each alone",
        sc_dtype_info(a.kv.type)->name, rows, a.n_heads, a.kv.head_dim, a.kv.n_kv, n, common,
        a.window);
    sc_free(out);
    sc_free(alone);
    sc_free(scratch);
    drop(&m);
}

/* What stands at the next position, a number or not, reaches no query before it. */
static void check_next(check *c, sc_dtype type, size_t n)
{
    const sc_attn a = {.kv = {type, 1, 40}, .n_heads = 3, .scale = 0.2f};
    enum { ALL = 3 * 40 };
    cache m;
    make(c, &m, a, n + 1);
    float *out = check_poison(ALL), *again = check_poison(ALL), bad[40];
    float *scratch = check_poison(sc_attn_scratch(&a, 1, n));
    sc_attn_row row = {.out = out, .q = m.query, .pages = m.pages, .n_keys = n};
    c->now.attend(&m.a, &row, 1, 0, 1, scratch);
    for (size_t d = 0; d < 40; d++)
        bad[d] = d % 2 ? NAN : INFINITY;
    c->now.kv_put(&a.kv, m.memory + m.pages[n / SC_KV_PAGE] * m.page_size, n % SC_KV_PAGE, bad,
                  bad);
    row.out = again;
    c->now.attend(&m.a, &row, 1, 0, 1, scratch);
    check_true(c, check_same(out, again, ALL), "attend %s: n=%zu sees the position behind",
               sc_dtype_info(type)->name, n);
    sc_free(out);
    sc_free(again);
    sc_free(scratch);
    drop(&m);
}

/* Of any size from 64 down to far below what the smallest normal number squared allows. */
static float any_size(check *c)
{
    return ldexpf(check_unit(c), 6 - (int)(sc_rng_u64(9, 0, c->seed++) % 100));
}

/* Tiny keys, values and queries: stored and summed as plain C does, denormal numbers included. */
static void check_tiny(check *c, sc_dtype type, size_t n)
{
    const sc_attn a = {.kv = {type, 1, 40}, .n_heads = 3, .scale = 0.2f};
    enum { ALL = 3 * 40 };
    cache m;
    make(c, &m, a, n);
    float *out = check_poison(ALL), *want = check_poison(ALL), k[40], v[40];
    float *scratch = check_poison(sc_attn_scratch(&a, 1, n));
    uint8_t *page = sc_alloc(1, m.page_size);
    if (!page)
        abort();
    for (size_t i = 0; i < ALL; i++)
        m.query[i] = any_size(c);
    for (size_t t = 0; t < n; t++) {
        for (size_t d = 0; d < 40; d++) {
            k[d] = any_size(c);
            v[d] = d < 8 ? ldexpf(any_size(c), -110) : any_size(c); // some sums are tiny throughout
        }
        uint8_t *to = m.memory + m.pages[t / SC_KV_PAGE] * m.page_size;
        memcpy(page, to, m.page_size);
        c->ref.kv_put(&a.kv, page, t % SC_KV_PAGE, k, v);
        c->now.kv_put(&a.kv, to, t % SC_KV_PAGE, k, v);
        check_true(c, memcmp(page, to, m.page_size) == 0, "kv_put %s: not C's bytes",
                   sc_dtype_info(type)->name);
    }
    sc_attn_row row = {.out = out, .q = m.query, .pages = m.pages, .n_keys = n};
    c->now.attend(&m.a, &row, 1, 0, 1, scratch);
    row.out = want;
    c->ref.attend(&m.a, &row, 1, 0, 1, scratch);
    check_true(c, check_same(out, want, ALL), "attend %s: n=%zu, tiny numbers: not C's bits",
               sc_dtype_info(type)->name, n);
    sc_free(page);
    sc_free(out);
    sc_free(want);
    sc_free(scratch);
    drop(&m);
}

void check_attend(check *c)
{
    static const sc_dtype types[] = {SC_F32, SC_F16, SC_BF16, SC_Q8_0};
    static const size_t lengths[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 97, LONGEST};
    static const size_t groups[][3] = {{2, 2, 0},   {3, 17, 0},  {4, 33, 0}, {5, 100, 0},
                                       {19, 64, 0}, {19, 12, 0}, {2, 90, 3}, {4, 90, 5},
                                       {7, 160, 1}, {16, 150, 4}};
    static const uint32_t shapes[][3] = {{1, 1, 2},  {9, 3, 64},  {16, 4, 72}, {6, 1, 80},
                                         {5, 1, 96}, {4, 4, 128}, {2, 1, 17},  {4, 2, 256}};
    for (size_t t = 0; t < SC_LEN(types); t++)
        for (size_t n = 1; n < 40; n++) {
            check_next(c, types[t], n);
            check_tiny(c, types[t], n);
        }
    for (size_t t = 0; t < SC_LEN(types); t++)
        for (size_t s = 0; s < SC_LEN(shapes); s++) {
            sc_attn a = {.kv = {types[t], shapes[s][1], shapes[s][2]},
                         .n_heads = shapes[s][0],
                         .scale = 1.0f / sqrtf((float)shapes[s][2])};
            for (size_t l = 0; l < SC_LEN(lengths); l++) {
                a.window = 0;
                check_one(c, a, lengths[l]);
                a.window = (uint32_t)(lengths[l] % 3 == 0 ? 5 : 21);
                check_one(c, a, lengths[l]);
            }
            for (size_t g = 0; g < SC_LEN(groups); g++) {
                a.window = 0;
                check_group(c, a, groups[g][1], groups[g][0], groups[g][2]);
                a.window = 24;
                check_group(c, a, groups[g][1], groups[g][0], groups[g][2]);
            }
        }
}

static void time_attend(check *c, sc_dtype type, size_t n, size_t rows)
{
    const sc_attn a = {.kv = {type, 4, 72}, .n_heads = 16, .scale = 0.1f};
    cache m;
    make(c, &m, a, n);
    float *out = check_poison(rows * 16 * 72);
    float *scratch = check_poison(sc_attn_scratch(&a, rows, n));
    static group g; // the check has one thread
    make_group(&m, &g, rows, 0, out);
    double best = 1e9, macs = 0;
    for (size_t r = 0; r < rows; r++)
        macs += 2.0 * 16 * 72 * (double)g.row[r].n_keys;
    for (const double begin = check_now(); check_now() < begin + 0.05;) {
        const double start = check_now();
        c->now.attend(&m.a, g.row, rows, 0, 4, scratch);
        best = fmin(best, check_now() - start);
    }
    printf("# bench %-16s attend %-4s 16x72, 4 kv, n=%-4zu rows=%-2zu %9.3f us %8.2f GMAC/s\n",
           c->level, sc_dtype_info(type)->name, n, rows, best * 1e6, macs / best * 1e-9);
    sc_free(out);
    sc_free(scratch);
    drop(&m);
}

void bench_attend(check *c)
{
    static const sc_dtype types[] = {SC_F32, SC_F16, SC_BF16, SC_Q8_0};
    static const size_t lengths[] = {64, LONGEST, BENCH}, rows[] = {1, 4, 16};
    for (size_t t = 0; t < SC_LEN(types); t++)
        for (size_t l = 0; l < SC_LEN(lengths); l++)
            for (size_t r = 0; r < SC_LEN(rows); r++)
                time_attend(c, types[t], lengths[l], rows[r]);
}
