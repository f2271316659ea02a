/**
 * ints.h - sixteen dwords, or 64 bytes, in a zmm register; avx2/ints.h has the same functions.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_AVX512_INTS_H
#define SC_KERN_AVX512_INTS_H

#include "kern/avx512/lanes.h"

typedef __m512i v16i;

static inline v16i v16i_load(const void *p)
{
    return _mm512_loadu_si512(p);
}

static inline v16i v16i_set(int32_t x)
{
    return _mm512_set1_epi32(x);
}

static inline v16i v16i_and(v16i a, v16i b)
{
    return _mm512_and_si512(a, b);
}

static inline v16i v16i_or(v16i a, v16i b)
{
    return _mm512_or_si512(a, b);
}

static inline v16i v16i_xor(v16i a, v16i b)
{
    return _mm512_xor_si512(a, b);
}

static inline v16i v16i_add(v16i a, v16i b)
{
    return _mm512_add_epi32(a, b);
}

static inline v16i v16i_sub(v16i a, v16i b)
{
    return _mm512_sub_epi32(a, b);
}

#define v16i_srl(a, n) _mm512_srli_epi32((a), (n))
#define v16i_sll(a, n) _mm512_slli_epi32((a), (n))
#define v16i_sra(a, n) _mm512_srai_epi32((a), (n))

/* Byte i becomes `value` where bit i of the eight bytes at p is set, else 0. */
static inline v16i v16i_where(const uint8_t *p, uint8_t value)
{
    uint64_t bits = 0;
    __builtin_memcpy(&bits, p, sizeof bits);
    return _mm512_maskz_set1_epi8((__mmask64)bits, (char)value);
}

/* Sixteen bytes, to be looked up. */
static inline v16i v16i_table(const int8_t *p)
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)p));
}

/* Each byte of x, 0 to 15, becomes the byte of the table at that place. */
static inline v16i v16i_look_up(v16i table, v16i x)
{
    return _mm512_shuffle_epi8(table, x);
}

static inline v16 v16i_float(v16i a)
{
    return _mm512_cvtepi32_ps(a);
}

static inline v16 v16i_as_float(v16i a)
{
    return _mm512_castsi512_ps(a);
}

static inline v16i v16i_load_u8(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p));
}

static inline v16 v16_load_u8(const uint8_t *p)
{
    return v16i_float(v16i_load_u8(p));
}

static inline v16 v16_load_s8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)p)));
}

static inline v16i v16i_bits(v16 a)
{
    return _mm512_castps_si512(a);
}

/* The lowest byte of each lane. */
static inline void v16i_store_bytes(uint8_t *p, v16i a)
{
    _mm_storeu_si128((void *)p, _mm512_cvtepi32_epi8(a));
}

/* Stores the lowest bytes and returns their sum, as signed numbers. */
static inline int32_t v16i_store_sum(uint8_t *p, v16i a)
{
    const __m128i v = _mm512_cvtepi32_epi8(a);
    _mm_storeu_si128((void *)p, v);
    const __m128i sums =
        _mm_sad_epu8(_mm_xor_si128(v, _mm_set1_epi8((char)0x80)), _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_srli_si128(sums, 8))) - 16 * 128;
}

static inline void v16i_store(int32_t *p, v16i a)
{
    _mm512_storeu_si512(p, a);
}

/* Logical shift to the right by a number that is not known before. */
static inline v16i v16i_srl_by(v16i a, uint32_t n)
{
    return _mm512_srl_epi32(a, _mm_cvtsi32_si128((int)n));
}

/* The largest of each four lanes, in all four. */
static inline v16 v16_four_top(v16 a)
{
    a = _mm512_max_ps(a, _mm512_permute_ps(a, 0xb1));
    return _mm512_max_ps(a, _mm512_permute_ps(a, 0x4e));
}

/* The lanes whose bits are set; zero elsewhere. */
static inline v16 v16_keep(v16 a, uint32_t bits)
{
    return _mm512_maskz_mov_ps((__mmask16)bits, a);
}

/* The lower halves of the lanes. */
static inline void v16i_store_words(uint8_t *p, v16i a)
{
    _mm256_storeu_si256((void *)p, _mm512_cvtepi32_epi16(a));
}

/* 32 bytes of each, 16 bytes of each. */
static inline v16i v16i_load_two(const uint8_t *a, const uint8_t *b)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)a)),
                              _mm256_loadu_si256((const void *)b), 1);
}

static inline v16i v16i_load_four(const uint8_t *a, const uint8_t *b, const uint8_t *c,
                                  const uint8_t *d)
{
    const __m256i low =
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)a)),
                                _mm_loadu_si128((const void *)b), 1);
    const __m256i high =
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)c)),
                                _mm_loadu_si128((const void *)d), 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

static inline int32_t v16i_total(v16i a)
{
    return _mm512_reduce_add_epi32(a);
}

#endif
