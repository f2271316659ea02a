// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"
#include "kern/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 200 };

static float rounded(sc_dtype t, float x)
{
    return t == SC_F32 ? x
                       : (t == SC_F16 ? sc_f16_f32(sc_f32_f16(x)) : sc_bf16_f32(sc_f32_bf16(x)));
}

/* A cache of n positions in pages, and the same keys and values as plain rows. */
typedef struct cache {
    sc_attn a;
    size_t n, page_size;
    uint8_t *memory;
    const uint8_t *pages[LONGEST / SC_KV_PAGE + 2];
    float *k, *v, *q; // [n, n_kv, dim] twice, [n_heads, dim]
} cache;

static void make(check *c, cache *m, sc_attn a, size_t n)
{
    const size_t row = (size_t)a.kv.n_kv * a.kv.head_dim, pages = n / SC_KV_PAGE + 1;
    *m = (cache){.a = a, .n = n, .page_size = sc_kv_page_size(&a.kv)};
    m->memory = sc_alloc_pages(pages * m->page_size);
    m->k = sc_alloc(n * row, 4);
    m->v = sc_alloc(n * row, 4);
    m->q = sc_alloc((size_t)a.n_heads * a.kv.head_dim, 4);
    if (!m->memory || !m->k || !m->v || !m->q)
        abort();
    for (size_t i = 0; i < pages; i++) // scattered, as pages are
        m->pages[i] = m->memory + (pages - 1 - i) * m->page_size;
    for (size_t i = 0; i < (size_t)a.n_heads * a.kv.head_dim; i++)
        m->q[i] = 2 * check_unit(c);
    for (size_t t = 0; t < n; t++) {
        for (size_t i = t * row; i < (t + 1) * row; i++) {
            m->k[i] = check_unit(c);
            m->v[i] = check_unit(c);
        }
        uint8_t *page = m->memory + (pages - 1 - t / SC_KV_PAGE) * m->page_size;
        c->now.kv_put(&a.kv, page, t % SC_KV_PAGE, m->k + t * row, m->v + t * row);
    }
}

static void drop(cache *m)
{
    sc_free_pages(m->memory, (m->n / SC_KV_PAGE + 1) * m->page_size);
    sc_free(m->k);
    sc_free(m->v);
    sc_free(m->q);
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
            const double term = (double)m->q[head * dim + d] *
                                (double)rounded(a->kv.type, m->k[(t * a->kv.n_kv + kv) * dim + d]);
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
            out[d] += exp(s[t] - top) / sum *
                      (double)rounded(a->kv.type, m->v[(t * a->kv.n_kv + kv) * dim + d]);
    // Scores are off by gamma(dim + 2) of their terms, which moves each weight by that share; the
    // sums over positions add gamma(n); values are at most 1.
    *bound = 0x1p-24 * (2 * ((double)dim + 4) * spread + 2 * (double)m->n + 40);
}

static void check_one(check *c, sc_attn a, size_t n)
{
    cache m;
    make(c, &m, a, n);
    const size_t dim = a.kv.head_dim, all = a.n_heads * dim;
    float *out = check_poison(all), *other = check_poison(all);
    float *scratch = check_poison(sc_attn_scratch(&a, n));
    c->now.attend(&a, out, m.q, m.pages, n, 0, a.kv.n_kv, scratch);
    check_true(c, check_guard(out, all), "attend: wrote behind the output");
    check_true(c, check_guard(scratch, sc_attn_scratch(&a, n)), "attend: wrote behind the scratch");
    c->ref.attend(&a, other, m.q, m.pages, n, 0, a.kv.n_kv, scratch);
    check_true(c, check_same(out, other, all),
               "attend %s: %u heads of %u, %u kv, n=%zu window=%u: not C's bits",
               sc_dtype_info(a.kv.type)->name, a.n_heads, a.kv.head_dim, a.kv.n_kv, n, a.window);
    for (size_t h = a.kv.n_kv; h-- > 0;) // head by head, from behind
        c->now.attend(&a, other, m.q, m.pages, n, h, h + 1, scratch);
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

void check_attend(check *c)
{
    static const sc_dtype types[] = {SC_F32, SC_F16, SC_BF16};
    static const size_t lengths[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 97, LONGEST};
    static const uint32_t shapes[][3] = {{1, 1, 2},  {9, 3, 64},  {16, 4, 72}, {6, 1, 80},
                                         {5, 1, 96}, {4, 4, 128}, {2, 1, 17},  {4, 2, 256}};
    for (size_t t = 0; t < SC_LEN(types); t++)
        for (size_t s = 0; s < SC_LEN(shapes); s++)
            for (size_t l = 0; l < SC_LEN(lengths); l++) {
                const sc_attn a = {.kv = {types[t], shapes[s][1], shapes[s][2]},
                                   .n_heads = shapes[s][0],
                                   .scale = 1.0f / sqrtf((float)shapes[s][2])};
                check_one(c, a, lengths[l]);
                sc_attn window = a;
                window.window = (uint32_t)(lengths[l] % 3 == 0 ? 5 : 21);
                check_one(c, window, lengths[l]);
            }
}

void bench_attend(check *c)
{
    const sc_attn a = {.kv = {SC_F16, 4, 72}, .n_heads = 16, .scale = 0.1f};
    static const size_t lengths[] = {64, LONGEST};
    for (size_t l = 0; l < SC_LEN(lengths); l++) {
        cache m;
        make(c, &m, a, lengths[l]);
        float *out = check_poison(16 * 72), *scratch = check_poison(sc_attn_scratch(&a, m.n));
        double best = 1;
        for (size_t pass = 0; pass < 7; pass++) {
            const double start = check_now();
            for (size_t i = 0; i < 50; i++)
                c->now.attend(&a, out, m.q, m.pages, m.n, 0, 4, scratch);
            best = fmin(best, (check_now() - start) / 50);
        }
        printf("# bench %-16s attend 16x72, 4 kv, n=%-4zu %9.3f us %8.2f GMAC/s\n", c->level, m.n,
               best * 1e6, 2.0 * 16 * 72 * (double)m.n / best * 1e-9);
        sc_free(out);
        sc_free(scratch);
        drop(&m);
    }
}
