// SPDX-License-Identifier: MIT
#include "kern/grid.h"

#include "kern/iq_grids.h"
#include "kern/kblock.h"

#include <assert.h>

typedef void codes_fn(uint8_t *n, uint8_t *s, const uint8_t *b);

/* Seven sign bits; the eighth makes their number even. */
static unsigned even_signs(unsigned s)
{
    s &= 127;
    return s | (unsigned)__builtin_parity(s) << 7;
}

/* Eight codes of two bits, and a sign above each. */
static void put_8(uint8_t *n, unsigned code, unsigned signs)
{
    for (size_t i = 0; i < 8; i++)
        n[i] = (uint8_t)((code >> (2 * i) & 3) | (signs >> i & 1) << 2);
}

/* Four codes of three bits, and a sign above each. */
static void put_4(uint8_t *n, unsigned code, unsigned signs)
{
    for (size_t i = 0; i < 4; i++)
        n[i] = (uint8_t)((code >> (4 * i) & 7) | (signs >> i & 1) << 3);
}

static void iq2_xxs(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    for (size_t g = 0; g < 8; g++) {
        const uint8_t *q = b + 2 + 8 * g;
        const uint32_t word = sc_u32_at(q + 4);
        s[2 * g] = s[2 * g + 1] = (uint8_t)(word >> 28);
        for (size_t i = 0; i < 4; i++)
            put_8(n + 32 * g + 8 * i, grid_iq2_xxs[q[i]], even_signs(word >> (7 * i)));
    }
}

static void iq2_xs(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    for (size_t g = 0; g < 32; g++) {
        const unsigned q = sc_u16_at(b + 2 + 2 * g);
        s[g / 2] = b[66 + g / 4] >> (4 * (g / 2 % 2)) & 15u;
        put_8(n + 8 * g, grid_iq2_xs[q & 511], even_signs(q >> 9));
    }
}

static void iq2_s(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    const uint8_t *signs = b + 34, *high = b + 66, *steps = b + 74;
    for (size_t g = 0; g < 32; g++) {
        const unsigned q = b[2 + g] | (high[g / 4] >> (2 * (g % 4)) & 3u) << 8;
        s[g / 2] = steps[g / 4] >> (4 * (g / 2 % 2)) & 15u;
        put_8(n + 8 * g, grid_iq2_s[q], signs[g]);
    }
}

static void iq3_xxs(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    for (size_t g = 0; g < 8; g++) {
        const uint32_t word = sc_u32_at(b + 66 + 4 * g);
        s[2 * g] = s[2 * g + 1] = (uint8_t)(word >> 28);
        for (size_t i = 0; i < 8; i++)
            put_4(n + 32 * g + 4 * i, grid_iq3_xxs[b[2 + 8 * g + i]],
                  even_signs(word >> (7 * (i / 2))) >> (4 * (i % 2)));
    }
}

static void iq3_s(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    const uint8_t *high = b + 66, *signs = b + 74, *steps = b + 106;
    for (size_t g = 0; g < 64; g++) {
        const unsigned q = b[2 + g] | (high[g / 8] >> (g % 8) & 1u) << 8;
        s[g / 4] = steps[g / 16] >> (4 * (g / 8 % 2)) & 15;
        put_4(n + 4 * g, grid_iq3_s[q], signs[g / 2] >> (4 * (g % 2)));
    }
}

static void iq1_s(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    for (size_t g = 0; g < 32; g++) {
        const unsigned h = sc_u16_at(b + 34 + 2 * (g / 4));
        s[g / 2] = h >> 12 & 7;
        put_8(n + 8 * g, grid_iq1_s[b[2 + g] | (h >> (3 * (g % 4)) & 7) << 8],
              h & 0x8000 ? 255 : 0);
    }
}

static void iq1_m(uint8_t *n, uint8_t *s, const uint8_t *b)
{
    const uint8_t *high = b + 32, *steps = b + 48;
    for (size_t g = 0; g < 32; g++) {
        const unsigned h = high[g / 2] >> (4 * (g % 2)) & 15u;
        s[g / 2] = sc_u16_at(steps + 2 * (g / 8)) >> (3 * (g / 2 % 4)) & 7u;
        put_8(n + 8 * g, grid_iq1_s[b[g] | (h & 7) << 8], h & 8 ? 255 : 0);
    }
}

static codes_fn *const codes[SC_DTYPE_N] = {
    [SC_IQ1_S] = iq1_s, [SC_IQ1_M] = iq1_m,     [SC_IQ2_XXS] = iq2_xxs, [SC_IQ2_XS] = iq2_xs,
    [SC_IQ2_S] = iq2_s, [SC_IQ3_XXS] = iq3_xxs, [SC_IQ3_S] = iq3_s,
};

bool sc_grid_has(sc_dtype t)
{
    return codes[t] != NULL;
}

void sc_grid_codes(sc_dtype t, uint8_t n[256], uint8_t s[16], uint16_t *d, const uint8_t *block)
{
    assert(sc_grid_has(t));
    codes[t](n, s, block);
    *d = sc_u16_at(block);
    if (t == SC_IQ1_M) { // in the top nibbles of the four scale words
        *d = 0;
        for (size_t i = 0; i < 4; i++)
            *d = (uint16_t)(*d | (sc_u16_at(block + 48 + 2 * i) >> 12) << (4 * i));
    }
}
