/**
 * kblock.h - the integers inside the blocks of the 5-bit and K types, in the order of the values.
 *
 * Threads: immutable (pure functions).
 * Source:  block_q5_0, block_q4_K, block_q5_K, block_q6_K of ggml-common.h.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_KBLOCK_H
#define SC_KERN_KBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t sc_u16_at(const void *p)
{
    uint16_t v = 0;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t sc_u32_at(const void *p)
{
    uint32_t v = 0;
    memcpy(&v, p, sizeof v);
    return v;
}

/** Nibbles in two halves: the low ones are values 0 to 15. */
static inline void sc_q4_values(uint8_t n[32], const uint8_t nibbles[16])
{
    for (size_t i = 0; i < 16; i++) {
        n[i] = nibbles[i] & 15;
        n[i + 16] = nibbles[i] >> 4;
    }
}

/** As sc_q4_values, with bit i of the word at `high` as the fifth bit of value i. */
static inline void sc_q5_values(uint8_t n[32], const uint8_t high[4], const uint8_t nibbles[16])
{
    const uint32_t h = sc_u32_at(high);
    sc_q4_values(n, nibbles);
    for (size_t i = 0; i < 32; i++)
        n[i] = (uint8_t)(n[i] | (h >> i & 1) << 4);
}

/** The eight 6-bit scales and minima of Q4_K and Q5_K. */
static inline void sc_k_scales(uint8_t sc[8], uint8_t m[8], const uint8_t s[12])
{
    for (size_t j = 0; j < 4; j++) {
        sc[j] = s[j] & 63;
        m[j] = s[j + 4] & 63;
        sc[j + 4] = (uint8_t)((s[j + 8] & 15) | s[j] >> 6 << 4);
        m[j + 4] = (uint8_t)(s[j + 8] >> 4 | s[j + 4] >> 6 << 4);
    }
}

/** The values of a Q4_K block (`five` false) or Q5_K block. */
static inline void sc_q45k_values(uint8_t n[256], const uint8_t *block, bool five)
{
    const uint8_t *high = block + 16, *q = block + (five ? 48 : 16);
    for (size_t g = 0; g < 8; g++) {
        for (size_t i = 0; i < 32; i++) {
            const unsigned low = q[32 * (g / 2) + i] >> (4 * (g % 2)) & 15u;
            n[32 * g + i] = (uint8_t)(low | (five ? (high[i] >> g & 1u) << 4 : 0));
        }
    }
}

/** The values of a Q6_K block, 0 to 63 (32 stands for zero). */
static inline void sc_q6k_values(uint8_t n[256], const uint8_t *block)
{
    for (size_t half = 0; half < 2; half++) {
        const uint8_t *low = block + 64 * half, *high = block + 128 + 32 * half;
        for (size_t g = 0; g < 4; g++) {
            for (size_t i = 0; i < 32; i++)
                n[128 * half + 32 * g + i] =
                    (uint8_t)((low[32 * (g % 2) + i] >> (4 * (g / 2)) & 15) |
                              (high[i] >> (2 * g) & 3) << 4);
        }
    }
}

#endif
