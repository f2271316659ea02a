/**
 * half.h - conversions between float and the two 16-bit forms, in plain C.
 *
 * Threads: immutable (pure functions).
 * Source:  IEEE 754 binary16; bfloat16 is the upper half of a float, rounded to nearest even.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_HALF_H
#define SC_KERN_HALF_H

#include <stdint.h>
#include <string.h>

static inline float sc_bits_f32(uint32_t bits)
{
    float f = 0;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t sc_f32_bits(float f)
{
    uint32_t bits = 0;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/** Exact. */
static inline float sc_bf16_f32(uint16_t h)
{
    return sc_bits_f32((uint32_t)h << 16);
}

/** Nearest, ties to even; a NaN stays one. */
static inline uint16_t sc_f32_bf16(float f)
{
    const uint32_t u = sc_f32_bits(f);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((u >> 16) | 64);
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
}

/** Exact. */
static inline float sc_f16_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = h & 0x7fffu;
    if (rest >= 0x7c00u) // infinity, NaN
        return sc_bits_f32(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    if (rest >= 0x0400u)
        return sc_bits_f32(sign | ((rest << 13) + 0x38000000u));
    const float tiny = (float)rest * 0x1p-24f; // zero and subnormal numbers
    return sc_bits_f32(sign | sc_f32_bits(tiny));
}

/** Nearest, ties to even; too large becomes infinity; a NaN stays one. */
static inline uint16_t sc_f32_f16(float f)
{
    const uint32_t u = sc_f32_bits(f), sign = (u >> 16) & 0x8000u, rest = u & 0x7fffffffu;
    if (rest > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u | ((rest >> 13) & 0x3ffu));
    if (rest >= 0x477ff000u)
        return (uint16_t)(sign | 0x7c00u);
    if (rest < 0x38800000u) {
        // Below the smallest normal half: adding 0.5 leaves the rounded multiple of 2^-24 in the
        // low bits, because a float in [0.5, 1) has steps of 2^-24.
        const float sum = sc_bits_f32(rest) + 0.5f;
        return (uint16_t)(sign | (sc_f32_bits(sum) - 0x3f000000u));
    }
    return (uint16_t)(sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13) & 1)) >> 13));
}

/** Two bytes of a file as a half. */
static inline float sc_f16_at(const void *p)
{
    uint16_t h = 0;
    memcpy(&h, p, sizeof h);
    return sc_f16_f32(h);
}

#endif
