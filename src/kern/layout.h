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

typedef struct sc_layout {
    uint16_t bits;   // of an integer: 4, 5, 6 or 8; 0: the type has no integer panels
    uint16_t head;   // bytes before each 256 values
    uint16_t scales; // bytes before the integers of each 32 values
    uint16_t quants; // bytes of the integers of 32 rows of 32 values
    uint16_t zero;   // the integer that stands for zero
    bool min;        // there are minima
} sc_layout;

/** The layout of `t`; constant-folded where `t` is a constant. */
static inline __attribute__((always_inline)) sc_layout sc_layout_of(sc_dtype t)
{
    switch ((unsigned)t) {
    case SC_Q8_0:
        return (sc_layout){8, 0, 64, 1024, 128, false};
    case SC_Q4_0:
        return (sc_layout){4, 0, 64, 512, 8, false};
    case SC_Q4_1:
        return (sc_layout){4, 0, 128, 512, 0, true};
    case SC_Q5_0:
        return (sc_layout){5, 0, 64, 640, 16, false};
    case SC_Q5_1:
        return (sc_layout){5, 0, 128, 640, 0, true};
    case SC_Q4_K:
        return (sc_layout){4, 128, 64, 512, 0, true};
    case SC_Q5_K:
        return (sc_layout){5, 128, 64, 640, 0, true};
    case SC_Q6_K:
        return (sc_layout){6, 64, 64, 768, 32, false};
    default:
        return (sc_layout){0};
    }
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
    return groups == 1 ? (sc_cut){1, n}
                       : (sc_cut){panels ? panels : 1, (n + groups - 1) / groups};
}

/** The tile of column `b`. */
static inline size_t sc_tile_of(size_t batch, size_t n, size_t b)
{
    const size_t low = batch / n, wide = batch % n;
    return b < wide * (low + 1) ? b / (low + 1) : wide + (b - wide * (low + 1)) / low;
}

#endif
