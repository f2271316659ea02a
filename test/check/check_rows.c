// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 260 };

static double gamma_of(double n)
{
    return n * 0x1p-24 / (1 - n * 0x1p-24);
}

static void check_norms(check *c, size_t n, const float *x, const float *w, const float *b)
{
    double mean = 0, square = 0, var = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        mean += (double)x[i] / (double)n;
        size += fabs((double)x[i]) / (double)n;
        square += (double)x[i] * (double)x[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        var += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;

    for (unsigned gemma = 0; gemma < 2; gemma++) {
        float *y = check_poison(n), *other = check_poison(n);
        c->now.rmsnorm(y, x, w, n, 1e-5f, (float)gemma);
        c->ref.rmsnorm(other, x, w, n, 1e-5f, (float)gemma);
        for (size_t i = 0; i < n; i++) {
            const double g = (double)w[i] + gemma;
            const double want = (double)x[i] / sqrt(square + (double)1e-5f) * g;
            check_near(c, "rmsnorm", n, i, y[i], want,
                       gamma_of((double)n / 64 + 12) * fabs(want) +
                           0x1p-23 * fabs((double)x[i]) / sqrt(square + 1e-5) + 1e-40);
        }
        check_true(c, check_same(y, other, n) && check_guard(y, n), "rmsnorm: n=%zu", n);
        memcpy(other, x, 4 * n);
        c->now.rmsnorm(other, other, w, n, 1e-5f, (float)gemma);
        check_true(c, check_same(y, other, n), "rmsnorm in place: n=%zu", n);
        sc_free(y);
        sc_free(other);
    }
    float *y = check_poison(n), *other = check_poison(n);
    c->now.layernorm(y, x, w, b, n, 1e-5f);
    c->ref.layernorm(other, x, w, b, n, 1e-5f);
    for (size_t i = 0; i < n; i++) {
        const double r = 1 / sqrt(var + (double)1e-5f);
        const double want = ((double)x[i] - mean) * r * (double)w[i] + (double)b[i];
        // The mean is off by gamma of the sum of |x|; with a variance near zero that is magnified.
        const double bound =
            gamma_of((double)n / 16 + 16) *
            ((fabs((double)x[i]) + size) * r * (2 + size * r) * (fabs((double)w[i]) + 1e-9) +
             fabs((double)b[i]) + 1e-30);
        check_near(c, "layernorm", n, i, y[i], want, bound);
    }
    check_true(c, check_same(y, other, n) && check_guard(y, n), "layernorm: n=%zu", n);
    c->now.layernorm(y, x, NULL, NULL, n, 1e-5f);
    c->ref.layernorm(other, x, NULL, NULL, n, 1e-5f);
    check_true(c, check_same(y, other, n), "layernorm without weights: n=%zu", n);
    sc_free(y);
    sc_free(other);
}

static double act_exact(double x, sc_act act)
{
    switch (act) {
    case SC_ACT_SILU:
        return x / (1 + exp(-x));
    case SC_ACT_GELU:
        return x * erfc(-x / sqrt(2)) / 2;
    case SC_ACT_GELU_TANH:
        // (1 + tanh u) / 2 without the loss of digits near u = -infinity
        return x / (1 + exp(-2 * sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case SC_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case SC_ACT_RELU:
        return x > 0 ? x : 0;
    case SC_ACT_NONE:
    case SC_ACT_N:
    default:
        return x;
    }
}

static void check_acts(check *c, size_t n, const float *x, const float *up)
{
    for (unsigned act = 0; act < SC_ACT_N; act++) {
        float *y = check_poison(n), *other = check_poison(n);
        c->now.act(y, x, n, (sc_act)act);
        c->ref.act(other, x, n, (sc_act)act);
        for (size_t i = 0; i < n; i++) {
            const double v = (double)x[i], want = act_exact(v, (sc_act)act);
            // 4 ulp of the result; the argument of exp is rounded, which counts |argument| ulp; the
            // erf of 7.1.26 is good to 1.5e-7 absolute.
            const double bound =
                (4 + 2 * fmin(fabs(v) * 1.8 + fabs(v * v * v) * 0.1, 90)) * 0x1p-24 * fabs(want) +
                (act == SC_ACT_GELU ? 2.5e-7 * fabs(v) : 0) +
                2e-38 * (1 + fabs(v)); // exp stops at -87
            check_near(c, "act", act, i, y[i], want, bound);
        }
        check_true(c, check_same(y, other, n) && check_guard(y, n), "act %u: n=%zu", act, n);
        c->now.act_mul(other, x, up, n, (sc_act)act);
        for (size_t i = 0; i < n; i++)
            check_true(c, other[i] == y[i] * up[i], "act_mul %u: n=%zu [%zu]", act, n, i);
        sc_free(y);
        sc_free(other);
    }
}

static void check_rope(check *c, size_t dim, size_t rot)
{
    enum { HEADS = 3 };
    float cos_at[128], sin_at[128];
    for (size_t i = 0; i < rot / 2; i++) {
        cos_at[i] = cosf((float)i * 0.7f);
        sin_at[i] = sinf((float)i * 0.7f);
    }
    for (unsigned style = 0; style < 2; style++) {
        float *x = check_poison(HEADS * dim), *other = check_poison(HEADS * dim);
        float *old = check_poison(HEADS * dim);
        for (size_t i = 0; i < HEADS * dim; i++)
            x[i] = other[i] = old[i] = check_random(c);
        c->now.rope(x, HEADS, dim, rot, cos_at, sin_at, (sc_rope)style);
        c->ref.rope(other, HEADS, dim, rot, cos_at, sin_at, (sc_rope)style);
        check_true(c, check_same(x, other, HEADS * dim) && check_guard(x, HEADS * dim),
                   "rope %u: %zu of %zu", style, rot, dim);
        for (size_t h = 0; h < HEADS; h++) {
            for (size_t i = 0; i < rot / 2; i++) {
                const size_t p = h * dim + (style == SC_ROPE_HALF ? i : 2 * i);
                const size_t q = style == SC_ROPE_HALF ? p + rot / 2 : p + 1;
                const double a = (double)old[p], b = (double)old[q];
                const double co = (double)cos_at[i], si = (double)sin_at[i];
                const double size = 0x1p-23 * (fabs(a) + fabs(b)) + 1e-40;
                check_near(c, "rope", rot, i, x[p], a * co - b * si, size);
                check_near(c, "rope", rot, i, x[q], b * co + a * si, size);
            }
            for (size_t i = rot; i < dim; i++)
                check_true(c, x[h * dim + i] == old[h * dim + i], "rope: touched %zu", i);
        }
        sc_free(x);
        sc_free(other);
        sc_free(old);
    }
}

static void check_softmax(check *c, size_t n, const float *x)
{
    float *y = check_poison(n), *other = check_poison(n);
    memcpy(y, x, 4 * n);
    memcpy(other, x, 4 * n);
    double top = (double)x[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        top = fmax(top, (double)x[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i] - top);
    c->now.softmax(y, n);
    c->ref.softmax(other, n);
    for (size_t i = 0; i < n; i++) {
        const double want = exp((double)x[i] - top) / sum;
        check_near(c, "softmax", n, i, y[i], want,
                   want * (gamma_of((double)n / 16 + 12) + 0x1p-23 * fmin(90, top - (double)x[i])) +
                       2e-38);
    }
    check_true(c, check_same(y, other, n) && check_guard(y, n), "softmax: n=%zu", n);
    sc_free(y);
    sc_free(other);
}

static int by_value(const void *a, const void *b)
{
    const float *const x = *(const float *const *)a, *const y = *(const float *const *)b;
    return *x > *y ? -1 : (*x < *y ? 1 : (x < y ? -1 : x > y));
}

static void check_topk(check *c, size_t n, size_t k, float step)
{
    float *x = check_poison(n), *values = check_poison(k);
    int32_t *ids = sc_alloc(k + 1, sizeof *ids);
    const float **sorted = sc_alloc(n, sizeof *sorted);
    if (!ids || !sorted)
        abort();
    for (size_t i = 0; i < n; i++) {
        x[i] = step > 0 ? floorf(check_unit(c) / step) * step : check_unit(c); // with equal values
        sorted[i] = x + i;
    }
    ids[k] = 77;
    qsort(sorted, n, sizeof *sorted, by_value);
    c->now.topk(x, n, k, ids, values);
    for (size_t i = 0; i < k; i++)
        check_true(c, ids[i] == (int32_t)(sorted[i] - x) && values[i] == *sorted[i],
                   "topk %zu of %zu: place %zu is %d, not %d", k, n, i, ids[i],
                   (int)(sorted[i] - x));
    check_true(c, ids[k] == 77 && check_guard(values, k), "topk: wrote behind");
    check_true(c, c->now.argmax(x, n) == (size_t)(sorted[0] - x), "argmax: n=%zu", n);
    sc_free(x);
    sc_free(values);
    sc_free(ids);
    sc_free(sorted);
}

void check_rows(check *c)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, MOST};
    for (size_t s = 0; s < SC_LEN(sizes); s++) {
        const size_t n = sizes[s];
        float x[MOST], w[MOST], b[MOST], sum[MOST], close[MOST];
        for (size_t i = 0; i < n; i++) {
            x[i] = check_random(c);
            w[i] = check_unit(c);
            b[i] = check_unit(c);
            close[i] = 8 * check_unit(c);
        }
        check_norms(c, n, x, w, b);
        check_acts(c, n, x, b);
        check_acts(c, n, close, b);
        check_softmax(c, n, x);
        check_softmax(c, n, close);
        memcpy(sum, x, sizeof sum);
        c->now.add(sum, b, n);
        for (size_t i = 0; i < n; i++)
            check_true(c, sum[i] == x[i] + b[i], "add: n=%zu", n);
        check_topk(c, n, 1, 0);
        check_topk(c, n, n, 0.125f);
    }
    static const size_t rots[][2] = {{2, 2},   {64, 64},  {72, 72}, {80, 32},
                                     {96, 96}, {128, 20}, {10, 4}};
    for (size_t i = 0; i < SC_LEN(rots); i++)
        check_rope(c, rots[i][0], rots[i][1]);
    static const size_t vocab[][2] = {
        {4096, 50}, {4097, 1024}, {32000, 50}, {65000, 1000}, {151936, 40}};
    for (size_t i = 0; i < SC_LEN(vocab); i++) {
        check_topk(c, vocab[i][0], vocab[i][1], 0);
        check_topk(c, vocab[i][0], vocab[i][1], 0.01f);
    }
    float odd[40];
    for (size_t i = 0; i < 40; i++)
        odd[i] = NAN;
    check_true(c, c->now.argmax(odd, 40) == 0, "argmax: all NaN");
    odd[37] = -3.0f;
    check_true(c, c->now.argmax(odd, 40) == 37, "argmax: one number among NaN");
}

static void bench_line(const check *c, const char *what, double seconds, double n)
{
    printf("# bench %-16s %-24s %9.3f us %8.2f G/s\n", c->level, what, seconds * 1e6,
           n / seconds * 1e-9);
}

void bench_rows(check *c)
{
    enum { H = 1152, V = 32000, WIDE = 151936 };
    float *x = sc_alloc(WIDE, 4), *y = sc_alloc(WIDE, 4), *w = sc_alloc(WIDE, 4);
    int32_t ids[SC_TOPK_MAX];
    float values[SC_TOPK_MAX];
    if (!x || !y || !w)
        abort();
    for (size_t i = 0; i < WIDE; i++) {
        x[i] = 8 * check_unit(c);
        w[i] = check_unit(c);
    }
#define BENCH(name, n, times, call)                                                                \
    do {                                                                                           \
        double best = 1;                                                                           \
        for (size_t pass = 0; pass < 7; pass++) {                                                  \
            const double start = check_now();                                                      \
            for (size_t i = 0; i < (times); i++)                                                   \
                call;                                                                              \
            best = fmin(best, (check_now() - start) / (double)(times));                            \
        }                                                                                          \
        bench_line(c, name, best, n);                                                              \
    } while (0)
    BENCH("rmsnorm 1152", H, 200, c->now.rmsnorm(y, x, w, H, 1e-5f, 0));
    BENCH("layernorm 1152", H, 200, c->now.layernorm(y, x, w, w, H, 1e-5f));
    BENCH("silu 1152", H, 200, c->now.act(y, x, H, SC_ACT_SILU));
    BENCH("gelu 1152", H, 200, c->now.act(y, x, H, SC_ACT_GELU));
    BENCH("softmax 32000", V, 5, c->now.softmax(y, V));
    BENCH("argmax 32000", V, 20, (void)c->now.argmax(x, V));
    BENCH("argmax 151936", WIDE, 5, (void)c->now.argmax(x, WIDE));
    BENCH("topk 50 of 32000", V, 20, c->now.topk(x, V, 50, ids, values));
    BENCH("topk 50 of 151936", WIDE, 5, c->now.topk(x, WIDE, 50, ids, values));
#undef BENCH
    sc_free(x);
    sc_free(y);
    sc_free(w);
}
