// SPDX-License-Identifier: MIT
#include "kern/quant_k.h"

#include "kern/half.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { BLOCK = 256, MAX_GROUPS = 16, ROUNDS = 2 };

/* The nearest integer; |v| < 2^22. In [2^23, 2^24) floats are the integers. */
static int nearest(float v)
{
    return (int)(sc_f32_bits(v + 12582912.0f) & 0x7fffff) - 0x400000;
}

/* What is smaller is stored as zero by every type: halves end at 2^-24. It keeps 1 / d finite. */
#define TINY 0x1p-100f

static float inverse(float d)
{
    return fabsf(d) > TINY ? 1.0f / d : 0.0f;
}

/* v within [low, high], before it becomes an integer. */
static float clamp(float v, float low, float high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

static int within(int v, int low, int high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

static void put_f16(uint8_t *b, float f)
{
    const uint16_t h = sc_f32_f16(f);
    memcpy(b, &h, sizeof h);
}

/* The float that is stored for d. */
static float as_f16(float d)
{
    return sc_f16_f32(sc_f32_f16(d));
}

/* Types with a scale and a minimum: x = d * sc * q - dm * m, all of q, sc and m from zero on. */
typedef struct range_kind {
    size_t group; // values
    int top;      // of q
    int scales;   // top of sc and m
    float from;   // first scale tried, in parts of the one that just holds every value
    float step;
} range_kind;

enum { TRIALS = 12 };

typedef struct range_block {
    float d; // as it will be stored
    float dm;
    uint8_t sc[MAX_GROUPS];
    uint8_t m[MAX_GROUPS];
    uint8_t q[BLOCK];
    float error;
} range_block;

/* A group's sums, for the line through its values that lies nearest. */
typedef struct sums {
    float q, qq, x, xq, xx;
} sums;

static sums range_sums(const float *x, size_t n, float low, float is, int top)
{
    sums s = {0};
    for (size_t i = 0; i < n; i++) {
        const float q = (float)nearest(clamp((x[i] - low) * is, 0, (float)top));
        s.q += q;
        s.qq += q * q;
        s.x += x[i];
        s.xq += x[i] * q;
        s.xx += x[i] * x[i];
    }
    return s;
}

/* The scale a >= 0 and minimum b >= 0 with the least squares for these integers; the error. */
static float line(const sums *s, size_t n, float *a, float *b)
{
    const float det = (float)n * s->qq - s->q * s->q;
    *a = det > 0 ? ((float)n * s->xq - s->x * s->q) / det : 0;
    *b = det > 0 ? (s->q * s->xq - s->qq * s->x) / det : -s->x / (float)n;
    if (*b < 0) { // through zero
        *b = 0;
        *a = s->qq > 0 ? s->xq / s->qq : 0;
    }
    if (*a < 0)
        *a = 0;
    return s->xx + *a * *a * s->qq + (float)n * *b * *b - 2 * *a * s->xq + 2 * *b * s->x -
           2 * *a * *b * s->q;
}

static void fit_range(const range_kind *k, const float *x, float *a, float *b)
{
    float low = 0, high = x[0];
    for (size_t i = 0; i < k->group; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *a = 0;
    *b = -low;
    if (!(high - low > TINY))
        return;
    float best = INFINITY;
    for (int t = 0; t < TRIALS; t++) {
        const float is = (float)k->top * (k->from + k->step * (float)t) / (high - low);
        const sums s = range_sums(x, k->group, low, is, k->top);
        float ta = 0, tb = 0;
        const float error = line(&s, k->group, &ta, &tb);
        if (error < best) {
            best = error;
            *a = ta;
            *b = tb;
        }
    }
    if (!(*a > 0))
        return;
    const sums s = range_sums(x, k->group, -*b, 1 / *a, k->top); // once more from there
    (void)line(&s, k->group, a, b);                              // never worse
}

/* The integers of a group for scale a and minimum b; the error. */
static float range_error(const range_kind *k, const float *x, float a, float b)
{
    const float ia = inverse(a), top = (float)k->top;
    float error = 0;
    for (size_t i = 0; i < k->group; i++) {
        const float q = (float)nearest(clamp((x[i] + b) * ia, 0, top));
        const float off = a * q - b - x[i];
        error += off * off;
    }
    return error;
}

/* The best pair of sc and m near the wanted scale and minimum, with its integers; the error. */
static float settle_range(const range_kind *k, range_block *r, size_t g, const float *x, float a,
                          float b)
{
    const int sc = nearest(clamp(a * inverse(r->d), 0, (float)k->scales));
    const int m = nearest(clamp(b * inverse(r->dm), 0, (float)k->scales));
    float best = INFINITY;
    for (int t = 0; t < 9; t++) {
        const int s = within(sc + t % 3 - 1, 0, k->scales), n = within(m + t / 3 - 1, 0, k->scales);
        const float error = range_error(k, x, r->d * (float)s, r->dm * (float)n);
        if (error < best) {
            best = error;
            r->sc[g] = (uint8_t)s;
            r->m[g] = (uint8_t)n;
        }
    }
    a = r->d * (float)r->sc[g];
    b = r->dm * (float)r->m[g];
    for (size_t i = 0; i < k->group; i++)
        r->q[g * k->group + i] = (uint8_t)nearest(clamp((x[i] + b) * inverse(a), 0, (float)k->top));
    return best;
}

/* d and dm by least squares for the integers that stand. */
static void refit_range(const range_kind *k, range_block *r, const float *x)
{
    double uu = 0, uv = 0, vv = 0, ux = 0, vx = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        const double u = r->sc[i / k->group] * r->q[i], v = r->m[i / k->group];
        const double y = (double)x[i];
        uu += u * u;
        uv += u * v;
        vv += v * v;
        ux += u * y;
        vx += v * y;
    }
    const double det = uu * vv - uv * uv;
    double d = det > 0 ? (ux * vv - uv * vx) / det : (uu > 0 ? ux / uu : 0);
    double dm = det > 0 ? (ux * uv - uu * vx) / det : (uu > 0 || !(vv > 0) ? 0 : -vx / vv);
    if (d < 0 || dm < 0) { // it was better as it stood
        d = (double)r->d;
        dm = (double)r->dm;
    }
    r->d = as_f16((float)d);
    r->dm = as_f16((float)dm);
}

static void range_values(const range_kind *k, const float *x, range_block *best)
{
    float a[MAX_GROUPS], b[MAX_GROUPS], max_a = 0, max_b = 0;
    const size_t n = BLOCK / k->group;
    for (size_t g = 0; g < n; g++) {
        fit_range(k, x + g * k->group, &a[g], &b[g]);
        max_a = a[g] > max_a ? a[g] : max_a;
        max_b = b[g] > max_b ? b[g] : max_b;
    }
    range_block r = {.d = as_f16(max_a / (float)k->scales), .dm = as_f16(max_b / (float)k->scales)};
    *best = (range_block){.error = INFINITY};
    for (int round = 0; round < ROUNDS; round++) {
        r.error = 0;
        for (size_t g = 0; g < n; g++)
            r.error += settle_range(k, &r, g, x + g * k->group, a[g], b[g]);
        if (!(r.error < best->error))
            return;
        *best = r;
        refit_range(k, &r, x);
    }
}

/* Types without a minimum: x = d * sc * q, q in [-half, half), sc in [-scales, scales). */
typedef struct sign_kind {
    int half;
    int scales;
    float step; // of the scales tried, in parts of q
} sign_kind;

enum { SIXTEEN = 16, SIDE = 8 }; // values a group; trials on each side

typedef struct sign_block {
    float d; // as it will be stored
    int8_t sc[MAX_GROUPS];
    int8_t q[BLOCK];
    float error;
} sign_block;

static float extreme(const float *x, size_t n)
{
    float best = x[0];
    for (size_t i = 1; i < n; i++)
        best = fabsf(x[i]) > fabsf(best) ? x[i] : best;
    return best;
}

/* The scale of a group with the least squares. */
static float fit_sign(const sign_kind *k, const float *x)
{
    const float e = extreme(x, SIXTEEN), low = (float)-k->half, high = (float)(k->half - 1);
    float best = 0, best_a = 0;
    for (int t = -SIDE; t <= SIDE && fabsf(e) > TINY; t++) {
        const float is = (low + k->step * (float)t) / e;
        float xq = 0, qq = 0;
        for (size_t i = 0; i < SIXTEEN; i++) {
            const float q = (float)nearest(clamp(x[i] * is, low, high));
            xq += x[i] * q;
            qq += q * q;
        }
        if (qq > 0 && xq * xq > best * qq) { // the error is xx - xq^2 / qq
            best = xq * xq / qq;
            best_a = xq / qq;
        }
    }
    return best_a;
}

static float settle_sign(const sign_kind *k, sign_block *r, size_t g, const float *x, float a)
{
    const float low = (float)-k->half, high = (float)(k->half - 1);
    const int sc = nearest(clamp(a * inverse(r->d), (float)-k->scales, (float)(k->scales - 1)));
    float best = INFINITY;
    for (int t = -1; t <= 1; t++) {
        const int s = within(sc + t, -k->scales, k->scales - 1);
        const float scale = r->d * (float)s, is = inverse(scale);
        float error = 0;
        for (size_t i = 0; i < SIXTEEN; i++) {
            const float off = scale * (float)nearest(clamp(x[i] * is, low, high)) - x[i];
            error += off * off;
        }
        if (error < best) {
            best = error;
            r->sc[g] = (int8_t)s;
        }
    }
    const float is = inverse(r->d * (float)r->sc[g]);
    for (size_t i = 0; i < SIXTEEN; i++)
        r->q[g * SIXTEEN + i] = (int8_t)nearest(clamp(x[i] * is, low, high));
    return best;
}

static void sign_values(const sign_kind *k, const float *x, sign_block *best)
{
    float a[MAX_GROUPS];
    for (size_t g = 0; g < MAX_GROUPS; g++)
        a[g] = fit_sign(k, x + g * SIXTEEN);
    sign_block r = {.d = as_f16(extreme(a, MAX_GROUPS) / (float)-k->scales)};
    *best = (sign_block){.error = INFINITY};
    for (int round = 0; round < ROUNDS; round++) {
        r.error = 0;
        for (size_t g = 0; g < MAX_GROUPS; g++)
            r.error += settle_sign(k, &r, g, x + g * SIXTEEN, a[g]);
        if (!(r.error < best->error))
            return;
        *best = r;
        double ux = 0, uu = 0;
        for (size_t i = 0; i < BLOCK; i++) {
            const double u = r.sc[i / SIXTEEN] * r.q[i];
            ux += u * (double)x[i];
            uu += u * u;
        }
        if (uu > 0)
            r.d = as_f16((float)(ux / uu));
    }
}

void sc_quant_q2_k(uint8_t *b, const float *x)
{
    static const range_kind kind = {16, 3, 15, 0.75f, 0.065f};
    range_block r;
    range_values(&kind, x, &r);
    memset(b, 0, 84);
    for (size_t g = 0; g < 16; g++) {
        uint8_t *q = b + 16 + 32 * (g / 8) + 16 * (g % 2);
        b[g] = (uint8_t)(r.sc[g] | r.m[g] << 4);
        for (size_t i = 0; i < 16; i++)
            q[i] = (uint8_t)(q[i] | r.q[16 * g + i] << (2 * (g / 2 % 4)));
    }
    put_f16(b + 80, r.d);
    put_f16(b + 82, r.dm);
}

void sc_quant_q3_k(uint8_t *b, const float *x)
{
    static const sign_kind kind = {4, 32, 0.15f};
    sign_block r;
    sign_values(&kind, x, &r);
    memset(b, 0, 110);
    for (size_t g = 0; g < 16; g++) {
        uint8_t *mask = b + 16 * (g % 2), *q = b + 32 + 32 * (g / 8) + 16 * (g % 2), *s = b + 96;
        const unsigned sc = (unsigned)(r.sc[g] + 32);
        s[g % 8] = (uint8_t)(s[g % 8] | (sc & 15) << (4 * (g / 8)));
        s[8 + g % 4] = (uint8_t)(s[8 + g % 4] | (sc >> 4) << (2 * (g / 4)));
        for (size_t i = 0; i < 16; i++) {
            const unsigned n = (unsigned)(r.q[16 * g + i] + 4);
            mask[i] = (uint8_t)(mask[i] | n >> 2 << (g / 2));
            q[i] = (uint8_t)(q[i] | (n & 3) << (2 * (g / 2 % 4)));
        }
    }
    put_f16(b + 108, r.d);
}

static void put_q45_k(uint8_t *b, const range_block *r, bool five)
{
    uint8_t *s = b + 4, *high = b + 16, *q = b + (five ? 48 : 16);
    memset(b, 0, five ? 176 : 144);
    put_f16(b, r->d);
    put_f16(b + 2, r->dm);
    for (size_t j = 0; j < 4; j++) {
        s[j] = (uint8_t)(r->sc[j] | r->sc[j + 4] >> 4 << 6);
        s[j + 4] = (uint8_t)(r->m[j] | r->m[j + 4] >> 4 << 6);
        s[j + 8] = (uint8_t)((r->sc[j + 4] & 15) | r->m[j + 4] << 4);
    }
    for (size_t g = 0; g < 8; g++) {
        for (size_t i = 0; i < 32; i++) {
            const unsigned n = r->q[32 * g + i];
            uint8_t *low = &q[32 * (g / 2) + i];
            *low = (uint8_t)(*low | (n & 15) << (4 * (g % 2)));
            if (five)
                high[i] = (uint8_t)(high[i] | n >> 4 << g);
        }
    }
}

void sc_quant_q4_k(uint8_t *b, const float *x)
{
    static const range_kind kind = {32, 15, 63, 0.92f, 0.02f};
    range_block r;
    range_values(&kind, x, &r);
    put_q45_k(b, &r, false);
}

void sc_quant_q5_k(uint8_t *b, const float *x)
{
    static const range_kind kind = {32, 31, 63, 0.96f, 0.01f};
    range_block r;
    range_values(&kind, x, &r);
    put_q45_k(b, &r, true);
}

void sc_quant_q6_k(uint8_t *b, const float *x)
{
    static const sign_kind kind = {32, 128, 0.12f};
    sign_block r;
    sign_values(&kind, x, &r);
    memset(b, 0, 210);
    for (size_t half = 0; half < 2; half++) {
        uint8_t *low = b + 64 * half, *high = b + 128 + 32 * half;
        for (size_t g = 0; g < 4; g++) {
            for (size_t i = 0; i < 32; i++) {
                const unsigned n = (unsigned)(r.q[128 * half + 32 * g + i] + 32);
                uint8_t *l = &low[32 * (g % 2) + i];
                *l = (uint8_t)(*l | (n & 15) << (4 * (g / 2)));
                high[i] = (uint8_t)(high[i] | n >> 4 << (2 * g));
            }
        }
    }
    memcpy(b + 192, r.sc, sizeof r.sc);
    put_f16(b + 208, r.d);
}

/* The nearest of the sixteen values. */
static uint8_t nearest_of(const int8_t values[16], float v)
{
    uint8_t n = 0;
    while (n < 15 && v > 0.5f * (float)(values[n] + values[n + 1]))
        n++;
    return n;
}

void sc_quant_iq4_nl(uint8_t *b, const float *x)
{
    static const int8_t values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
    const float e = extreme(x, 32);
    float best = 0, d = 0;
    for (int t = -8; t <= 8 && fabsf(e) > TINY; t++) {
        // The extreme becomes about the first value, or with the other sign the last.
        for (int side = 0; side < 2; side++) {
            const float is = ((side ? 113.0f : -127.0f) + 2.0f * (float)t) / e;
            float xv = 0, vv = 0;
            for (size_t i = 0; i < 32; i++) {
                const float v = (float)values[nearest_of(values, x[i] * is)];
                xv += x[i] * v;
                vv += v * v;
            }
            if (xv * xv > best * vv) {
                best = xv * xv / vv;
                d = xv / vv;
            }
        }
    }
    put_f16(b, d);
    const float is = inverse(as_f16(d));
    for (size_t i = 0; i < 16; i++)
        b[2 + i] =
            (uint8_t)(nearest_of(values, x[i] * is) | nearest_of(values, x[i + 16] * is) << 4);
}
