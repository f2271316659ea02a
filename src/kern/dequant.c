// SPDX-License-Identifier: MIT
#include "kern/dequant.h"

#include "kern/half.h"
#include "kern/iq_grids.h"
#include "kern/kblock.h"

#include <assert.h>

typedef void block_fn(float *y, const uint8_t *b);

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

/* Groups of 16 in the order of Q2_K and Q3_K: halves of 128 values from 32 bytes, shift by shift.
 */
static void q2_k(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b + 80), dmin = sc_f16_at(b + 82);
    for (size_t g = 0; g < 16; g++) {
        const uint8_t *q = b + 16 + 32 * (g / 8) + 16 * (g % 2);
        const float dl = d * (float)(b[g] & 15), ml = dmin * (float)(b[g] >> 4);
        for (size_t i = 0; i < 16; i++)
            y[16 * g + i] = dl * (float)(q[i] >> (2 * (g / 2 % 4)) & 3) - ml;
    }
}

static void q3_k(float *y, const uint8_t *b)
{
    const uint8_t *mask = b, *quants = b + 32, *s = b + 96;
    const float d = sc_f16_at(b + 108);
    for (size_t g = 0; g < 16; g++) {
        const unsigned low = s[g % 8] >> (4 * (g / 8)) & 15,
                       high = s[8 + g % 4] >> (2 * (g / 4)) & 3;
        const float dl = d * (float)((int)(low | high << 4) - 32);
        const uint8_t *q = quants + 32 * (g / 8) + 16 * (g % 2), *h = mask + 16 * (g % 2);
        for (size_t i = 0; i < 16; i++) {
            const int n = q[i] >> (2 * (g / 2 % 4)) & 3;
            y[16 * g + i] = dl * (float)(h[i] >> (g / 2) & 1 ? n : n - 4);
        }
    }
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

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};

static void table16(float *y, float d, const uint8_t *q, const int8_t values[16])
{
    for (size_t i = 0; i < 16; i++) {
        y[i] = d * (float)values[q[i] & 15];
        y[i + 16] = d * (float)values[q[i] >> 4];
    }
}

static void iq4_nl(float *y, const uint8_t *b)
{
    table16(y, sc_f16_at(b), b + 2, iq4_values);
}

static void iq4_xs(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    const unsigned high = sc_u16_at(b + 2);
    for (size_t g = 0; g < 8; g++) {
        const unsigned s = (b[4 + g / 2] >> (4 * (g % 2)) & 15u) | (high >> (2 * g) & 3) << 4;
        table16(y + 32 * g, d * (float)((int)s - 32), b + 8 + 16 * g, iq4_values);
    }
}

static void mxfp4(float *y, const uint8_t *b)
{
    static const int8_t values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    // Half of 2^(e - 127), because the values are doubled.
    const uint32_t bits = b[0] < 2 ? 0x00200000u << b[0] : (uint32_t)(b[0] - 1) << 23;
    table16(y, sc_bits_f32(bits), b + 1, values);
}

/* Seven sign bits; the eighth makes their number even. */
static unsigned even_signs(unsigned s)
{
    s &= 127;
    return s | (unsigned)__builtin_parity(s) << 7;
}

/* Eight values of two bits: 0, 1, 2 stand for 8, 25, 43. */
static void grid8(float *y, float d, unsigned code, unsigned signs)
{
    static const float value[4] = {8, 25, 43, 0};
    for (size_t i = 0; i < 8; i++)
        y[i] = d * value[code >> (2 * i) & 3] * (signs >> i & 1 ? -1.0f : 1.0f);
}

/* Four values, given by a table of eight. */
static void grid4(float *y, float d, unsigned code, unsigned signs, const float value[8])
{
    for (size_t i = 0; i < 4; i++)
        y[i] = d * value[code >> (4 * i) & 7] * (signs >> i & 1 ? -1.0f : 1.0f);
}

static void iq2_xxs(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    for (size_t g = 0; g < 8; g++) {
        const uint8_t *q = b + 2 + 8 * g;
        const uint32_t s = sc_u32_at(q + 4);
        const float db = d * (0.5f + (float)(s >> 28)) * 0.25f;
        for (size_t i = 0; i < 4; i++)
            grid8(y + 32 * g + 8 * i, db, grid_iq2_xxs[q[i]], even_signs(s >> (7 * i)));
    }
}

static void iq2_xs(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    for (size_t g = 0; g < 32; g++) {
        const unsigned q = sc_u16_at(b + 2 + 2 * g);
        const unsigned s = b[66 + g / 4] >> (4 * (g / 2 % 2)) & 15u;
        grid8(y + 8 * g, d * (0.5f + (float)s) * 0.25f, grid_iq2_xs[q & 511], even_signs(q >> 9));
    }
}

static void iq2_s(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    const uint8_t *signs = b + 34, *high = b + 66, *scales = b + 74;
    for (size_t g = 0; g < 32; g++) {
        const unsigned q = b[2 + g] | (high[g / 4] >> (2 * (g % 4)) & 3u) << 8;
        const unsigned s = scales[g / 4] >> (4 * (g / 2 % 2)) & 15u;
        grid8(y + 8 * g, d * (0.5f + (float)s) * 0.25f, grid_iq2_s[q], signs[g]);
    }
}

static void iq3_xxs(float *y, const uint8_t *b)
{
    static const float value[8] = {4, 12, 20, 28, 36, 44, 52, 62};
    const float d = sc_f16_at(b);
    for (size_t g = 0; g < 8; g++) {
        const uint32_t s = sc_u32_at(b + 66 + 4 * g);
        const float db = d * (0.5f + (float)(s >> 28)) * 0.5f;
        for (size_t i = 0; i < 8; i++)
            grid4(y + 32 * g + 4 * i, db, grid_iq3_xxs[b[2 + 8 * g + i]],
                  even_signs(s >> (7 * (i / 2))) >> (4 * (i % 2)), value);
    }
}

static void iq3_s(float *y, const uint8_t *b)
{
    static const float value[8] = {1, 3, 5, 7, 9, 11, 13, 15};
    const float d = sc_f16_at(b);
    const uint8_t *high = b + 66, *signs = b + 74, *scales = b + 106;
    for (size_t g = 0; g < 64; g++) {
        const unsigned q = b[2 + g] | (high[g / 8] >> (g % 8) & 1u) << 8;
        const float db = d * (float)(1 + 2 * (scales[g / 16] >> (4 * (g / 8 % 2)) & 15));
        grid4(y + 4 * g, db, grid_iq3_s[q], signs[g / 2] >> (4 * (g % 2)), value);
    }
}

/* Eight values -1, 0, 1, each moved by delta. */
static void grid1(float *y, float d, unsigned code, float delta)
{
    for (size_t i = 0; i < 8; i++)
        y[i] = d * ((float)((int)(code >> (2 * i) & 3) - 1) + delta);
}

static void iq1_s(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b);
    for (size_t g = 0; g < 32; g++) {
        const unsigned h = sc_u16_at(b + 34 + 2 * (g / 4));
        const float dl = d * (float)(2 * (h >> 12 & 7) + 1);
        const unsigned q = b[2 + g] | (h >> (3 * (g % 4)) & 7) << 8;
        grid1(y + 8 * g, dl, grid_iq1_s[q], h & 0x8000 ? -0.125f : 0.125f);
    }
}

static void iq1_m(float *y, const uint8_t *b)
{
    const uint8_t *high = b + 32, *scales = b + 48;
    unsigned bits = 0; // the scale of the block, in the top nibbles of the four scale words
    for (size_t i = 0; i < 4; i++)
        bits |= (sc_u16_at(scales + 2 * i) >> 12 & 15u) << (4 * i);
    const float d = sc_f16_f32((uint16_t)bits);
    for (size_t g = 0; g < 32; g++) {
        const unsigned s = sc_u16_at(scales + 2 * (g / 8)) >> (3 * (g / 2 % 4)) & 7u;
        const unsigned h = high[g / 2] >> (4 * (g % 2)) & 15u;
        grid1(y + 8 * g, d * (float)(2 * s + 1), grid_iq1_s[b[g] | (h & 7) << 8],
              h & 8 ? -0.125f : 0.125f);
    }
}

/* Five values of three a byte: times 3^n modulo 256, times 3, the carry is the digit. */
static float digit(uint8_t q, unsigned n)
{
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    return (float)((int)((uint8_t)(q * power[n]) * 3u >> 8) - 1);
}

static void tq1_0(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b + 52);
    for (unsigned n = 0; n < 5; n++) {
        for (size_t i = 0; i < 32; i++)
            y[32 * n + i] = d * digit(b[i], n);
        for (size_t i = 0; i < 16; i++)
            y[160 + 16 * n + i] = d * digit(b[32 + i], n);
    }
    for (unsigned n = 0; n < 4; n++) {
        for (size_t i = 0; i < 4; i++)
            y[240 + 4 * n + i] = d * digit(b[48 + i], n);
    }
}

static void tq2_0(float *y, const uint8_t *b)
{
    const float d = sc_f16_at(b + 64);
    for (size_t i = 0; i < 256; i++)
        y[i] = d * (float)((b[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3) - 1);
}

static block_fn *const blocks[SC_DTYPE_N] = {
    [SC_Q4_0] = q4_0,     [SC_Q4_1] = q4_1,   [SC_Q5_0] = q5_0,       [SC_Q5_1] = q5_1,
    [SC_Q8_0] = q8_0,     [SC_Q2_K] = q2_k,   [SC_Q3_K] = q3_k,       [SC_Q4_K] = q4_k,
    [SC_Q5_K] = q5_k,     [SC_Q6_K] = q6_k,   [SC_IQ4_NL] = iq4_nl,   [SC_IQ4_XS] = iq4_xs,
    [SC_MXFP4] = mxfp4,   [SC_IQ1_S] = iq1_s, [SC_IQ1_M] = iq1_m,     [SC_IQ2_XXS] = iq2_xxs,
    [SC_IQ2_XS] = iq2_xs, [SC_IQ2_S] = iq2_s, [SC_IQ3_XXS] = iq3_xxs, [SC_IQ3_S] = iq3_s,
    [SC_TQ1_0] = tq1_0,   [SC_TQ2_0] = tq2_0,
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
        blocks[t](dst + i, b);
}
