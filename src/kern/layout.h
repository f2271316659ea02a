/**
 * layout.h - where things stand inside a packed panel (pack.h), for packing and for the kernels.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_LAYOUT_H
#define SC_KERN_LAYOUT_H

#include "kern/kern.h"

#include <stdbool.h>
#include <stddef.h>

/** What stands before each 256 values (the head) and before each 32, and what it means. */
typedef enum sc_scaling {
    SC_SCALED_F16,  // f16 scales, then with `min` f16 minima
    SC_SCALED_E8M0, // bytes e: 2^(e - 128)
    SC_SCALED_HEAD, // head d, which is the scale
    SC_SCALED_ONE,  // head d; int8: d * n * unit
    SC_SCALED_TWO,  // head d; int8 of the first 16, int8 of the last 16: d * n
    SC_SCALED_ODD,  // head d; bytes with n of the first 16, n of the last 16: d * (2 n + 1) * unit
    SC_SCALED_MIN,  // head d, dmin; bytes n, bytes m: d * n, and less dmin * m
    SC_SCALED_MINS, // head d, dmin; of the first 16, of the last 16: bytes with n, m: the same
} sc_scaling;

typedef struct sc_layout {
    uint16_t bits;   // of an integer: 2 to 6 or 8; 0: the type has no integer panels
    uint16_t head;   // bytes before each 256 values
    uint16_t scales; // bytes before the integers of each 32 values
    uint16_t quants; // bytes of the integers of 32 rows of 32 values
    uint16_t zero;   // the integer that stands for zero
    bool min;        // there are minima
    bool coded;      // the integers are places in the type's table (sc_values_of); the zero is
                     // that of its bytes
    sc_scaling scaling;
} sc_layout;

/** The layout of `t`; constant-folded where `t` is a constant. */
static inline __attribute__((always_inline)) sc_layout sc_layout_of(sc_dtype t)
{
    switch ((unsigned)t) {
    case SC_Q8_0:
        return (sc_layout){8, 0, 64, 1024, 128, false, false, SC_SCALED_F16};
    case SC_Q4_0:
        return (sc_layout){4, 0, 64, 512, 8, false, false, SC_SCALED_F16};
    case SC_Q4_1:
        return (sc_layout){4, 0, 128, 512, 0, true, false, SC_SCALED_F16};
    case SC_Q5_0:
        return (sc_layout){5, 0, 64, 640, 16, false, false, SC_SCALED_F16};
    case SC_Q5_1:
        return (sc_layout){5, 0, 128, 640, 0, true, false, SC_SCALED_F16};
    case SC_Q2_K:
        return (sc_layout){2, 128, 64, 256, 0, true, false, SC_SCALED_MINS};
    case SC_Q3_K:
        return (sc_layout){3, 64, 64, 384, 4, false, false, SC_SCALED_TWO};
    case SC_Q4_K:
        return (sc_layout){4, 128, 64, 512, 0, true, false, SC_SCALED_MIN};
    case SC_Q5_K:
        return (sc_layout){5, 128, 64, 640, 0, true, false, SC_SCALED_MIN};
    case SC_Q6_K:
        return (sc_layout){6, 64, 64, 768, 32, false, false, SC_SCALED_TWO};
    case SC_IQ4_NL:
        return (sc_layout){4, 0, 64, 512, 128, false, true, SC_SCALED_F16};
    case SC_MXFP4:
        return (sc_layout){4, 0, 32, 512, 128, false, true, SC_SCALED_E8M0};
    case SC_IQ4_XS:
    case SC_IQ3_XXS:
    case SC_IQ3_S:
        return (sc_layout){4, 64, 32, 512, 128, false, true, SC_SCALED_ONE};
    case SC_IQ1_S:
    case SC_IQ1_M:
    case SC_IQ2_XXS:
    case SC_IQ2_XS:
    case SC_IQ2_S:
        return (sc_layout){3, 64, 32, 384, 128, false, true, SC_SCALED_ODD};
    case SC_TQ1_0:
    case SC_TQ2_0:
        return (sc_layout){2, 64, 0, 256, 1, false, false, SC_SCALED_HEAD};
    default:
        return (sc_layout){0};
    }
}

/** Whether the first and the last 16 of 32 values have scales of their own. */
static inline __attribute__((always_inline)) bool sc_layout_splits(sc_layout l)
{
    return l.scaling == SC_SCALED_TWO || l.scaling == SC_SCALED_ODD || l.scaling == SC_SCALED_MINS;
}

/** A type with the same layout, one for all that share it: they share code. */
static inline sc_dtype sc_layout_like(sc_dtype t)
{
    switch ((unsigned)t) {
    case SC_IQ3_XXS:
    case SC_IQ3_S:
        return SC_IQ4_XS;
    case SC_IQ1_S:
    case SC_IQ1_M:
    case SC_IQ2_XXS:
    case SC_IQ2_XS:
        return SC_IQ2_S;
    case SC_TQ1_0:
        return SC_TQ2_0;
    default:
        return t;
    }
}

/** Where the planes of two bits and of one bit begin among the integers. */
static inline __attribute__((always_inline)) size_t sc_plane_two(unsigned bits)
{
    return bits == 6 ? 512 : 0;
}

static inline __attribute__((always_inline)) size_t sc_plane_one(unsigned bits)
{
    return bits == 5 ? 512 : 256;
}

/** Byte `k` of row `row` in a plane of dwords: vector k / 4, half, lane, byte. */
static inline size_t sc_plane_at(size_t k, size_t row)
{
    return 128 * (k / 4) + 64 * (row / 16) + 4 * (row % 16) + k % 4;
}

/*
 * The encoded inputs. A batch is cut into tiles of nearly equal width; a tile of C columns holds
 * per 32 k (Q8, Q8X) C times 32 bytes, for Q8X C times four high bytes and C int32 that say to
 * which four values (0 to 7) they belong, then C floats s, C floats
 * u = s * sum q, C int32 -128 * sum q, C int32 -128 * (sum of the first 16 q); BF16: per pair of k
 * C pairs; F32: per k C floats. A tile starts where the columns before it end.
 */
enum { SC_TILE_INT = 5, SC_TILE_Q8_ALONE = 8, SC_TILE_Q8X_ALONE = 6, SC_TILE_FLOAT = 12 };

/** Whether an encoding holds integers and scales. */
static inline bool sc_acts_ints(sc_acts_kind kind)
{
    return kind == SC_ACTS_Q8 || kind == SC_ACTS_Q8X;
}

/** Bytes of one column of 32 values of such an encoding. */
static inline size_t sc_acts_block(sc_acts_kind kind)
{
    return kind == SC_ACTS_Q8X ? 56 : 48;
}

/** The number of tiles of a batch. */
static inline size_t sc_tiles(sc_acts_kind kind, size_t batch)
{
    if (sc_acts_ints(kind))
        return batch <= (kind == SC_ACTS_Q8X ? SC_TILE_Q8X_ALONE : SC_TILE_Q8_ALONE)
                   ? 1
                   : (batch + SC_TILE_INT - 1) / SC_TILE_INT;
    return (batch + SC_TILE_FLOAT - 1) / SC_TILE_FLOAT;
}

/** The first column of tile `i` of `n`; the one of tile n is the batch. */
static inline size_t sc_tile_from(size_t batch, size_t n, size_t i)
{
    return i * (batch / n) + (i < batch % n ? i : batch % n);
}

/*
 * A wide batch is cut once more, so that the panels and the inputs at hand stay in the second
 * level of cache: a few panels meet a group of tiles, then the next group, then come other panels.
 */
enum { SC_CUT_PANELS = 384 << 10, SC_CUT_TILES = 256 << 10 };

typedef struct sc_cut {
    size_t panels; // at a time
    size_t tiles;  // of a group
} sc_cut;

/** For `n` tiles whose encoding has `bytes` in all. */
static inline sc_cut sc_cut_of(size_t panel_size, size_t n, size_t bytes)
{
    const size_t groups = bytes / SC_CUT_TILES + 1, panels = SC_CUT_PANELS / panel_size;
    return groups == 1 ? (sc_cut){1, n} : (sc_cut){panels ? panels : 1, (n + groups - 1) / groups};
}

/** The tile of column `b`. */
static inline size_t sc_tile_of(size_t batch, size_t n, size_t b)
{
    const size_t low = batch / n, wide = batch % n;
    return b < wide * (low + 1) ? b / (low + 1) : wide + (b - wide * (low + 1)) / low;
}

#endif
