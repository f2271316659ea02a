/**
 * lanes.h - sixteen floats side by side, in two ymm registers; see ref/lanes.h.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_AVX2_LANES_H
#define SC_KERN_AVX2_LANES_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct v16 {
    __m256 a, b;
} v16;

#define BOTH(op, x, y) ((v16){op((x).a, (y).a), op((x).b, (y).b)})

static inline v16 v16_set(float x)
{
    return (v16){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

static inline v16 v16_load(const float *p)
{
    return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static inline v16 v16_load_n(const float *p, size_t n)
{
    if (n >= 16)
        return v16_load(p);
    float t[16] = {0};
    memcpy(t, p, 4 * n);
    return v16_load(t);
}

static inline void v16_store(float *p, v16 x)
{
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}

static inline void v16_store_n(float *p, v16 x, size_t n)
{
    if (n >= 16) {
        v16_store(p, x);
        return;
    }
    float t[16];
    v16_store(t, x);
    memcpy(p, t, 4 * n);
}

static inline v16 v16_load_f16(const uint16_t *p)
{
    return (v16){_mm256_cvtph_ps(_mm_loadu_si128((const void *)p)),
                 _mm256_cvtph_ps(_mm_loadu_si128((const void *)(p + 8)))};
}

static inline void v16_store_f16(uint16_t *p, v16 x)
{
    _mm_storeu_si128((void *)p, _mm256_cvtps_ph(x.a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((void *)(p + 8), _mm256_cvtps_ph(x.b, _MM_FROUND_TO_NEAREST_INT));
}

static inline v16 v16_add(v16 x, v16 y)
{
    return BOTH(_mm256_add_ps, x, y);
}

static inline v16 v16_sub(v16 x, v16 y)
{
    return BOTH(_mm256_sub_ps, x, y);
}

static inline v16 v16_mul(v16 x, v16 y)
{
    return BOTH(_mm256_mul_ps, x, y);
}

static inline v16 v16_div(v16 x, v16 y)
{
    return BOTH(_mm256_div_ps, x, y);
}

static inline v16 v16_fma(v16 x, v16 y, v16 z)
{
    return (v16){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}

static inline v16 v16_max(v16 x, v16 y)
{
    return BOTH(_mm256_max_ps, x, y);
}

static inline v16 v16_min(v16 x, v16 y)
{
    return BOTH(_mm256_min_ps, x, y);
}

static inline v16 v16_abs(v16 x)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return (v16){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}

static inline v16 v16_first(v16 x, size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const int m = (int)(n > 16 ? 16 : n);
    const __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32(m), lane);
    const __m256i high = _mm256_cmpgt_epi32(_mm256_set1_epi32(m - 8), lane);
    return (v16){_mm256_and_ps(x.a, _mm256_castsi256_ps(low)),
                 _mm256_and_ps(x.b, _mm256_castsi256_ps(high))};
}

static inline v16 v16_if_neg(v16 x, v16 y, v16 z)
{
    const __m256 zero = _mm256_setzero_ps();
    return (v16){_mm256_blendv_ps(z.a, y.a, _mm256_cmp_ps(x.a, zero, _CMP_LT_OQ)),
                 _mm256_blendv_ps(z.b, y.b, _mm256_cmp_ps(x.b, zero, _CMP_LT_OQ))};
}

/* Whether a lane is not a number. */
static inline bool v16_odd(v16 x)
{
    const __m256 a = _mm256_cmp_ps(x.a, x.a, _CMP_UNORD_Q),
                 b = _mm256_cmp_ps(x.b, x.b, _CMP_UNORD_Q);
    return _mm256_movemask_ps(_mm256_or_ps(a, b)) != 0;
}

static inline uint32_t v16_ge(v16 x, v16 y)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.a, y.a, _CMP_GE_OQ)) |
           (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.b, y.b, _CMP_GE_OQ)) << 8;
}

static inline __m256 pow2_8(__m256 magic)
{
    const __m256i n = _mm256_add_epi32(_mm256_castps_si256(magic), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(n, 23));
}

static inline v16 v16_pow2(v16 magic)
{
    return (v16){pow2_8(magic.a), pow2_8(magic.b)};
}

static inline float v16_sum(v16 x)
{
    const __m256 b = _mm256_add_ps(x.a, x.b);
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

static inline float v16_top(v16 x)
{
    const __m256 b = _mm256_max_ps(x.a, x.b);
    const __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

/* The same for eight registers of eight. */
static inline void transpose_8(__m256 r[8])
{
    __m256 u[2][4];
    for (size_t g = 0; g < 2; g++) {
        const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(r[4 * g], r[4 * g + 1]));
        const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(r[4 * g], r[4 * g + 1]));
        const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(r[4 * g + 2], r[4 * g + 3]));
        const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(r[4 * g + 2], r[4 * g + 3]));
        u[g][0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
        u[g][1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
        u[g][2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
        u[g][3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
    }
    for (size_t c = 0; c < 4; c++) {
        r[c] = _mm256_permute2f128_ps(u[0][c], u[1][c], 0x20);
        r[4 + c] = _mm256_permute2f128_ps(u[0][c], u[1][c], 0x31);
    }
}

/* Lane j of r[i] becomes lane i of r[j]. */
static inline void v16_transpose(v16 r[16])
{
    for (size_t half = 0; half < 2; half++) { // rows 8 half .. 8 half + 7 of both column halves
        __m256 a[8], b[8];
        for (size_t i = 0; i < 8; i++) {
            a[i] = r[8 * half + i].a;
            b[i] = r[8 * half + i].b;
        }
        transpose_8(a);
        transpose_8(b);
        for (size_t i = 0; i < 8; i++) {
            r[8 * half + i].a = a[i];
            r[8 * half + i].b = b[i];
        }
    }
    // Now r[i].a are rows 0-7 of column i, r[i].b of column 8 + i; r[8 + i] the rows 8-15.
    for (size_t i = 0; i < 8; i++) {
        const __m256 t = r[i].b;
        r[i].b = r[8 + i].a;
        r[8 + i].a = t;
    }
}

#undef BOTH

#endif
