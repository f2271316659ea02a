// SPDX-License-Identifier: MIT
#include "kern/dequant.h"
#include "kern/half.h"
#include "kern/quant_k.h"

#include <assert.h>
#include <math.h>

static void put_f16(uint8_t *b, float f)
{
    const uint16_t h = sc_f32_f16(f);
    memcpy(b, &h, sizeof h);
}

/* A scale this small is stored as zero: halves end at 2^-24. It keeps 1 / d finite. */
#define TINY 0x1p-100f

static float inverse(float d)
{
    return fabsf(d) > TINY ? 1.0f / d : 0.0f;
}

/* The value of the largest magnitude, with its sign; the first of equals. */
static float extreme(const float *x)
{
    float best = x[0];
    for (size_t i = 1; i < 32; i++)
        best = fabsf(x[i]) > fabsf(best) ? x[i] : best;
    return best;
}

/* Truncates towards zero, at most `top`; what is negative by rounding wraps as the reference's byte
 * conversion does, but v >= 0 for every finite input. */
static uint8_t cut(float v, unsigned top)
{
    const unsigned n = (unsigned)v;
    return (uint8_t)(n < top ? n : top);
}

static void put_nibbles(uint8_t *b, const uint8_t n[32])
{
    for (size_t i = 0; i < 16; i++)
        b[i] = (uint8_t)((n[i] & 15) | n[i + 16] << 4);
}

static void put_fifth_bits(uint8_t *b, const uint8_t n[32])
{
    uint32_t h = 0;
    for (size_t i = 0; i < 32; i++)
        h |= (uint32_t)(n[i] >> 4 & 1) << i;
    memcpy(b, &h, sizeof h);
}

/* Q4_0 (half = 8), Q5_0 (half = 16): the extreme value becomes -half exactly. */
static void signed_values(uint8_t n[32], float *d, const float *x, int half)
{
    *d = extreme(x) / (float)-half;
    const float id = inverse(*d);
    for (size_t i = 0; i < 32; i++)
        n[i] = cut(x[i] * id + ((float)half + 0.5f), 2 * (unsigned)half - 1);
}

/* Q4_1 (top = 15), Q5_1 (top = 31): from the smallest to the largest value. */
static void range_values(uint8_t n[32], float *d, float *m, const float *x, unsigned top)
{
    float low = x[0], high = x[0];
    for (size_t i = 1; i < 32; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *d = (high - low) / (float)top;
    *m = low;
    const float id = inverse(*d);
    for (size_t i = 0; i < 32; i++)
        n[i] = cut((x[i] - low) * id + 0.5f, top);
}

static void q4_0(uint8_t *b, const float *x)
{
    uint8_t n[32];
    float d = 0;
    signed_values(n, &d, x, 8);
    put_f16(b, d);
    put_nibbles(b + 2, n);
}

static void q5_0(uint8_t *b, const float *x)
{
    uint8_t n[32];
    float d = 0;
    signed_values(n, &d, x, 16);
    put_f16(b, d);
    put_fifth_bits(b + 2, n);
    put_nibbles(b + 6, n);
}

static void q4_1(uint8_t *b, const float *x)
{
    uint8_t n[32];
    float d = 0, m = 0;
    range_values(n, &d, &m, x, 15);
    put_f16(b, d);
    put_f16(b + 2, m);
    put_nibbles(b + 4, n);
}

static void q5_1(uint8_t *b, const float *x)
{
    uint8_t n[32];
    float d = 0, m = 0;
    range_values(n, &d, &m, x, 31);
    put_f16(b, d);
    put_f16(b + 2, m);
    put_fifth_bits(b + 4, n);
    put_nibbles(b + 8, n);
}

static void q8_0(uint8_t *b, const float *x)
{
    const float d = fabsf(extreme(x)) / 127.0f, id = inverse(d);
    put_f16(b, d);
    for (size_t i = 0; i < 32; i++)
        b[2 + i] = (uint8_t)(int8_t)roundf(x[i] * id);
}

/* The scale is the power of two of the largest value, over four; each value takes the nearest of
 * sixteen, the first of equals. */
static void mxfp4(uint8_t *b, const float *x)
{
    static const int8_t values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    const float top = fabsf(extreme(x));
    const int e = top > 0 ? (int)floorf(log2f(top)) + 125 : 0;
    b[0] = (uint8_t)(e < 0 ? 0 : e);
    const float d = sc_bits_f32(b[0] < 2 ? 0x00200000u << b[0] : (uint32_t)(b[0] - 1) << 23);
    uint8_t n[32];
    for (size_t i = 0; i < 32; i++) {
        n[i] = 0;
        for (uint8_t v = 1; v < 16; v++)
            if (fabsf(d * (float)values[v] - x[i]) < fabsf(d * (float)values[n[i]] - x[i]))
                n[i] = v;
    }
    put_nibbles(b + 1, n);
}

typedef void block_fn(uint8_t *b, const float *x);

static block_fn *const blocks[SC_DTYPE_N] = {
    [SC_Q4_0] = q4_0,          [SC_Q4_1] = q4_1,          [SC_Q5_0] = q5_0,
    [SC_Q5_1] = q5_1,          [SC_Q8_0] = q8_0,          [SC_MXFP4] = mxfp4,
    [SC_Q2_K] = sc_quant_q2_k, [SC_Q3_K] = sc_quant_q3_k, [SC_Q4_K] = sc_quant_q4_k,
    [SC_Q5_K] = sc_quant_q5_k, [SC_Q6_K] = sc_quant_q6_k, [SC_IQ4_NL] = sc_quant_iq4_nl,
};

bool sc_quant_has(sc_dtype t)
{
    return t == SC_F32 || t == SC_F16 || t == SC_BF16 || blocks[t];
}

void sc_quant_row(sc_dtype t, void *dst, const float *x, size_t n)
{
    const sc_dtype_facts *f = sc_dtype_info(t);
    uint8_t *b = dst;
    assert(sc_quant_has(t) && n % f->block == 0);
    if (t == SC_F32) {
        memcpy(dst, x, 4 * n);
        return;
    }
    if (t == SC_F16 || t == SC_BF16) {
        for (size_t i = 0; i < n; i++) {
            const uint16_t h = t == SC_F16 ? sc_f32_f16(x[i]) : sc_f32_bf16(x[i]);
            memcpy(b + 2 * i, &h, sizeof h);
        }
        return;
    }
    for (size_t i = 0; i < n; i += f->block, b += f->size)
        blocks[t](b, x + i);
}
