// SPDX-License-Identifier: MIT
#include "kern/dequant.h"

#include "kern/grid.h"
#include "kern/half.h"
#include "kern/kblock.h"

#include <assert.h>

typedef void dequant_fn(float *y, const uint8_t *b);

static void q8_0(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    for (size_t i = 0; i < 32; i++)
        y[i] = d * (float)(int8_t)b[2 + i];
}

static void q4_0(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    for (size_t i = 0; i < 16; i++) {
        y[i] = d * (float)((b[2 + i] & 15) - 8);
        y[i + 16] = d * (float)((b[2 + i] >> 4) - 8);
    }
}

static void q4_1(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b), m = sc_f16_at(b + 2);
    for (size_t i = 0; i < 16; i++) {
        y[i] = d * (float)(b[4 + i] & 15) + m;
        y[i + 16] = d * (float)(b[4 + i] >> 4) + m;
    }
}

static void q5_0(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    uint8_t n[32];
    sc_q5_values(n, b + 2, b + 6);
    for (size_t i = 0; i < 32; i++)
        y[i] = d * (float)(n[i] - 16);
}

static void q5_1(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b), m = sc_f16_at(b + 2);
    uint8_t n[32];
    sc_q5_values(n, b + 4, b + 8);
    for (size_t i = 0; i < 32; i++)
        y[i] = d * (float)n[i] + m;
}

static void q2_k(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b + 80), dmin = sc_f16_at(b + 82);
    uint8_t n[256];
    sc_two_values(n, b + 16);
    for (size_t i = 0; i < 256; i++)
        y[i] = d * (float)(b[i / 16] & 15) * (float)n[i] - dmin * (float)(b[i / 16] >> 4);
}

static void q3_k(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b + 108);
    uint8_t n[256];
    int8_t sc[16];
    sc_q3k_scales(sc, b + 96);
    sc_q3k_values(n, b);
    for (size_t i = 0; i < 256; i++)
        y[i] = d * (float)sc[i / 16] * (float)(n[i] - 4);
}

static void q45_k(float *y, const uint8_t *b, bool five)
{
    const float d = sc_f16_at(b), dmin = sc_f16_at(b + 2);
    uint8_t n[256], sc[8], m[8];
    sc_k_scales(sc, m, b + 4);
    sc_q45k_values(n, b, five);
    for (size_t g = 0; g < 8; g++) {
        const float dl = d * (float)sc[g], ml = dmin * (float)m[g];
        for (size_t i = 32 * g; i < 32 * g + 32; i++)
            y[i] = dl * (float)n[i] - ml;
    }
}

static void q4_k(float *y, const uint8_t *b)
{
    q45_k(y, b, false);
}

static void q5_k(float *y, const uint8_t *b)
{
    q45_k(y, b, true);
}

static void q6_k(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b + 208);
    uint8_t n[256];
    sc_q6k_values(n, b);
    for (size_t i = 0; i < 256; i++)
        y[i] = d * (float)(int8_t)b[192 + i / 16] * (float)(n[i] - 32);
}

static void table16(float *y, float d, const uint8_t *q, const int8_t values[16])
{
    for (size_t i = 0; i < 16; i++) {
        y[i] = d * (float)values[q[i] & 15];
        y[i + 16] = d * (float)values[q[i] >> 4];
    }
}

static void iq4_nl(float *y, const uint8_t *b)
{
    table16(y, sc_f16_at(b), b + 2, sc_values_of(SC_IQ4_NL));
}

static void iq4_xs(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    int8_t sc[8];
    sc_iq4xs_scales(sc, b);
    for (size_t g = 0; g < 8; g++)
        table16(y + 32 * g, d * (float)sc[g], b + 8 + 16 * g, sc_values_of(SC_IQ4_XS));
}

static void mxfp4(float *y, const uint8_t *b)
{
    table16(y, sc_bits_f32(sc_e8m0_bits(b[0])), b + 1, sc_values_of(SC_MXFP4));
}

/* Scales and products are exact, in whatever order. */
static void grid(sc_dtype t, float *y, const uint8_t *b)
{
    const int8_t *values = sc_values_of(t);
    const float unit = sc_unit_of(t);
    uint8_t n[256], s[16];
    uint16_t d = 0;
    sc_grid_codes(t, n, s, &d, b);
    for (size_t i = 0; i < 256; i++)
        y[i] = sc_f16_f32(d) * (float)(2 * s[i / 16] + 1) * unit * (float)values[n[i]];
}

static void ternary(float *y, float d, const uint8_t n[256])
{
    for (size_t i = 0; i < 256; i++)
        y[i] = d * (float)(n[i] - 1);
}

static void tq1_0(float *y, const uint8_t *b)
{
    uint8_t n[256];
    sc_tq1_values(n, b);
    ternary(y, sc_f16_at(b + 52), n);
}

static void tq2_0(float *y, const uint8_t *b)
{
    uint8_t n[256];
    sc_two_values(n, b);
    ternary(y, sc_f16_at(b + 64), n);
}

static dequant_fn *const blocks[SC_DTYPE_N] = {
    [SC_Q4_0] = q4_0,   [SC_Q4_1] = q4_1,   [SC_Q5_0] = q5_0,     [SC_Q5_1] = q5_1,
    [SC_Q8_0] = q8_0,   [SC_Q2_K] = q2_k,   [SC_Q3_K] = q3_k,     [SC_Q4_K] = q4_k,
    [SC_Q5_K] = q5_k,   [SC_Q6_K] = q6_k,   [SC_IQ4_NL] = iq4_nl, [SC_IQ4_XS] = iq4_xs,
    [SC_MXFP4] = mxfp4, [SC_TQ1_0] = tq1_0, [SC_TQ2_0] = tq2_0,
};

void sc_dequant_row(sc_dtype t, float *dst, const void *src, size_t n)
{
    const sc_dtype_facts *f = sc_dtype_info(t);
    const uint8_t *b = src;
    assert(f->weights && n % f->block == 0);
    if (t == SC_F32) {
        memcpy(dst, src, 4 * n);
        return;
    }
    if (t == SC_F16 || t == SC_BF16) {
        for (size_t i = 0; i < n; i++)
            dst[i] = t == SC_F16 ? sc_f16_at(b + 2 * i) : sc_bf16_f32(sc_u16_at(b + 2 * i));
        return;
    }
    for (size_t i = 0; i < n; i += f->block, b += f->size)
        sc_grid_has(t) ? grid(t, dst + i, b) : blocks[t](dst + i, b);
}
