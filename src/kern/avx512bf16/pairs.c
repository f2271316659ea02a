// SPDX-License-Identifier: MIT
#include "kern/avx512/ints.h"

#include "kern/blocks.inc"
#include "kern/kern.h"
#include "kern/levels.h"

#include "kern/epilogue.inc"

#include <math.h>

enum { WIDEST = SC_TILE_FLOAT };

typedef struct span {
    const uint8_t *panel;
    const uint8_t *x; // [pairs][n] pairs
    size_t pairs;
    float *sums;         // [n][32]
    const uint8_t *next; // of the next panel, to be fetched, or NULL
    size_t lines;        // how many of it per 4 pairs
} span;

INLINE __m512bh as_pairs(__m512i v)
{
    return (__m512bh)v;
}

INLINE v16i spread_word(const uint8_t *p)
{
    int32_t w = 0;
    memcpy(&w, p, sizeof w);
    return v16i_set(w);
}

/* vdpbf16ps: per pair two fused steps, the odd element first; denormals count as zero. */
INLINE void tile(const span *s, size_t n)
{
    v16 acc[2][WIDEST];
    SC_UNROLL(2)
    for (size_t h = 0; h < 2; h++)
        SC_UNROLL(12)
    for (size_t c = 0; c < n; c++)
        acc[h][c] = v16_set(0.0f);
    const uint8_t *p = s->panel, *x = s->x, *next = s->next;
    for (size_t i = 0; i < s->pairs; i++, p += 128, x += 4 * n) {
        if (next && i % 4 == 0)
            for (size_t line = 0; line < s->lines; line++, next += 64)
                __builtin_prefetch(next, 0, 2);
        const v16i w0 = v16i_load(p), w1 = v16i_load(p + 64);
        SC_UNROLL(12)
        for (size_t c = 0; c < n; c++) {
            const v16i v = spread_word(x + 4 * c);
            acc[0][c] = _mm512_dpbf16_ps(acc[0][c], as_pairs(w0), as_pairs(v));
            acc[1][c] = _mm512_dpbf16_ps(acc[1][c], as_pairs(w1), as_pairs(v));
        }
    }
    SC_UNROLL(2)
    for (size_t h = 0; h < 2; h++)
        SC_UNROLL(12)
    for (size_t c = 0; c < n; c++)
        v16_store(s->sums + 32 * c + 16 * h, acc[h][c]);
}

#define TILE(n)                                                                                    \
    static void tile_##n(const span *s)                                                            \
    {                                                                                              \
        tile(s, n);                                                                                \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)

/* One panel and the tiles [first, last) of n. */
static void mul_panel(const sc_mul *job, size_t p, size_t n, size_t first, size_t last, bool fetch)
{
    static void (*const tiles[WIDEST + 1])(const span *) = {
        NULL,   tile_1, tile_2, tile_3,  tile_4,  tile_5, tile_6,
        tile_7, tile_8, tile_9, tile_10, tile_11, tile_12};
    const sc_acts *x = job->x;
    const size_t pairs = (x->cols + 1) / 2, steps = (pairs + 3) / 4;
    const size_t share = job->w->panel_size / 64 / (last - first) + 1;
    const uint8_t *panel = job->w->data + p * job->w->panel_size;
    for (size_t i = first; i < last; i++) {
        const size_t c = sc_tile_from(x->batch, n, i);
        const size_t width = sc_tile_from(x->batch, n, i + 1) - c;
        float sums[WIDEST * SC_PANEL];
        span s = {.panel = panel, .x = x->data + 4 * c * pairs, .pairs = pairs, .sums = sums};
        if (n > 1 && fetch) {
            s.next = panel + job->w->panel_size + 64 * share * (i - first);
            s.lines = (share + steps - 1) / steps;
        }
        if (n > 1)
            epilogue_soon(job, p, c, width);
        tiles[width](&s);
        epilogue(job, p, c, width, sums);
    }
}

static void mul_bf16(const sc_kern *k, const sc_mul *job, size_t from, size_t to)
{
    (void)k;
    const sc_acts *x = job->x;
    const size_t n = sc_tiles(x->kind, x->batch), panels = sc_panels(job->w->rows);
    const sc_cut cut = sc_cut_of(job->w->panel_size, n, sc_acts_size(x->kind, x->cols, x->batch));
    for (size_t p0 = from; p0 < to; p0 += cut.panels) {
        const size_t p1 = p0 + cut.panels < to ? p0 + cut.panels : to;
        for (size_t i = 0; i < n; i += cut.tiles)
            for (size_t p = p0; p < p1; p++) // the first group brings the panels in
                mul_panel(job, p, n, i, i + cut.tiles < n ? i + cut.tiles : n,
                          i == 0 && p + 1 < panels);
    }
}

void sc_fill_avx512bf16_pairs(sc_kern *k)
{
    k->mul[SC_BF16][SC_ACTS_BF16] = mul_bf16;
}
