// SPDX-License-Identifier: MIT
#include "kern/pack.h"

#include "kern/dequant.h"
#include "kern/half.h"
#include "kern/kblock.h"
#include "kern/layout.h"

#include <assert.h>

/* A row's block of 32 or 256 values: the integers, and where its scales stand. */
typedef struct block {
    uint8_t n[256];
    uint8_t sc[16], m[8]; // K types
} block;

bool sc_pack_has(sc_dtype t)
{
    return t == SC_F32 || t == SC_F16 || t == SC_BF16 || sc_layout_of(t).bits != 0;
}

static size_t round64(size_t size)
{
    return (size + 63) / 64 * 64;
}

size_t sc_panel_size(sc_dtype t, size_t cols)
{
    const sc_layout l = sc_layout_of(t);
    if (t == SC_BF16)
        return (cols + 1) / 2 * 128;
    if (t == SC_F16)
        return cols * 64;
    if (l.bits)
        return cols / 32 * ((size_t)l.scales + l.quants) + cols / 256 * l.head;
    uint64_t row = 0;
    const bool whole = sc_dtype_row_size(t, cols, &row);
    assert(whole);
    return round64((size_t)row * SC_PANEL);
}

static void read_block(sc_dtype t, block *x, const uint8_t *b)
{
    if (t == SC_Q5_0 || t == SC_Q5_1) {
        sc_q5_values(x->n, b + (t == SC_Q5_0 ? 2 : 4), b + (t == SC_Q5_0 ? 6 : 8));
    } else if (t == SC_Q6_K) {
        sc_q6k_values(x->n, b);
        memcpy(x->sc, b + 192, 16);
    } else {
        sc_k_scales(x->sc, x->m, b + 4);
        sc_q45k_values(x->n, b, t == SC_Q5_K);
    }
}

static void put_word(uint8_t *at, uint32_t word)
{
    memcpy(at, &word, sizeof word);
}

/* The 32 values `n` of a row into the planes at `q`, which were zero: four bytes at a time. */
static void put_values(unsigned bits, uint8_t *q, const uint8_t *n, size_t row)
{
    uint32_t word[8];
    memcpy(word, n, sizeof word);
    for (size_t j = 0; j < 4; j++)
        put_word(q + sc_plane_at(4 * j, row), (word[j] & 0x0f0f0f0f) | (word[j + 4] & 0x0f0f0f0f)
                                                                           << 4);
    uint8_t *high = q + 512;
    if (bits == 5) {
        for (size_t j = 0; j < 8; j++) {
            // The product moves bit 0 of byte i to bit 24 + i.
            const uint32_t four = (word[j] >> 4 & 0x01010101) * 0x01020408u >> 24;
            uint8_t *at = high + 16 * j + 8 * (row / 16) + row % 16 / 2;
            *at = (uint8_t)(*at | four << (4 * (row % 2)));
        }
    } else if (bits == 6) {
        for (size_t g = 0; g < 2; g++) {
            uint32_t two = 0;
            for (size_t s = 0; s < 4; s++)
                two |= (word[4 * g + s] >> 4 & 0x03030303) << (2 * s);
            put_word(high + sc_plane_at(4 * g, row), two);
        }
    }
}

/* The scales of 32 values; `g` is their number inside the block. */
static void put_scales(sc_dtype t, uint8_t *s, const block *x, const uint8_t *b, size_t g,
                       size_t row)
{
    if (t == SC_Q4_K || t == SC_Q5_K) {
        s[row] = x->sc[g];
        s[32 + row] = x->m[g];
    } else if (t == SC_Q6_K) {
        s[row] = x->sc[2 * g];
        s[32 + row] = x->sc[2 * g + 1];
    } else {
        memcpy(s + 2 * row, b, 2);
        if (sc_layout_of(t).min)
            memcpy(s + 64 + 2 * row, b + 2, 2);
    }
}

/* One block of one row of a type with integers, into the part of the panel that holds it. */
static void pack_block(sc_dtype t, uint8_t *panel, const uint8_t *b, size_t r)
{
    const sc_layout l = sc_layout_of(t);
    block x;
    read_block(t, &x, b);
    if (l.head) {
        memcpy(panel + 2 * r, b + (t == SC_Q6_K ? 208 : 0), 2);
        if (l.min)
            memcpy(panel + 64 + 2 * r, b + 2, 2);
        panel += l.head;
    }
    for (size_t g = 0; g < (size_t)sc_dtype_info(t)->block / 32; g++) {
        put_scales(t, panel, &x, b, g, r);
        put_values(l.bits, panel + l.scales, x.n + 32 * g, r);
        panel += (size_t)l.scales + l.quants;
    }
}

/* The same for Q8_0, Q4_0 and Q4_1, whose words stand in the file as in the panel. */
static void pack_words(sc_dtype t, uint8_t *panel, const uint8_t *b, size_t r)
{
    const sc_layout l = sc_layout_of(t);
    memcpy(panel + 2 * r, b, 2);
    if (l.min)
        memcpy(panel + 64 + 2 * r, b + 2, 2);
    b += l.min ? 4 : 2;
    const uint32_t flip = t == SC_Q8_0 ? 0x80808080 : 0;
    for (size_t j = 0; j < l.quants / 128u; j++)
        put_word(panel + l.scales + sc_plane_at(4 * j, r), sc_u32_at(b + 4 * j) ^ flip);
}

static void pack_ints(sc_dtype t, uint8_t *panel, const void *const rows[SC_PANEL], size_t cols)
{
    const sc_layout l = sc_layout_of(t);
    const sc_dtype_facts *f = sc_dtype_info(t);
    const bool words = t == SC_Q8_0 || t == SC_Q4_0 || t == SC_Q4_1;
    const size_t step = l.head + ((size_t)l.scales + l.quants) * (f->block / 32u);
    for (size_t k = 0; k < cols / f->block; k++) {
        for (size_t r = 0; r < SC_PANEL; r++) {
            const uint8_t *row = rows[r];
            if (row && words)
                pack_words(t, panel + k * step, row + k * f->size, r);
            else if (row)
                pack_block(t, panel + k * step, row + k * f->size, r);
        }
    }
}

enum { STRETCH = 32 }; // values of a row that are copied before the next row's turn

static void pack_f32(uint8_t *panel, const uint8_t *row, size_t r, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        put_word(panel + 128 * k + 4 * r, sc_u32_at(row + 4 * k));
}

static void pack_f16(uint8_t *panel, const uint8_t *row, size_t r, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        memcpy(panel + 64 * k + 2 * r, row + 2 * k, 2);
}

static void pack_bf16(uint8_t *panel, const uint8_t *row, size_t r, size_t from, size_t to)
{
    for (size_t k = from; k + 1 < to; k += 2)
        put_word(panel + 64 * k + 4 * r, sc_u32_at(row + 2 * k));
    if (to % 2)
        memcpy(panel + 64 * (to - 1) + 4 * r, row + 2 * (to - 1), 2);
}

static void pack_plain(sc_dtype t, uint8_t *panel, const void *const rows[SC_PANEL], size_t cols)
{
    for (size_t k = 0; k < cols; k += STRETCH) {
        const size_t to = cols - k < STRETCH ? cols : k + STRETCH;
        for (size_t r = 0; r < SC_PANEL; r++) {
            if (!rows[r])
                continue;
            if (t == SC_F32)
                pack_f32(panel, rows[r], r, k, to);
            else if (t == SC_F16)
                pack_f16(panel, rows[r], r, k, to);
            else
                pack_bf16(panel, rows[r], r, k, to);
        }
    }
}

void sc_panel_pack(sc_dtype t, void *panel, const void *const rows[SC_PANEL], size_t cols)
{
    uint8_t *to = panel;
    memset(to, 0, sc_panel_size(t, cols)); // a row that is not there: scales of zero
    uint64_t size = 0;
    const bool whole = sc_dtype_row_size(t, cols, &size);
    assert(whole);
    if (sc_layout_of(t).bits) {
        pack_ints(t, to, rows, cols);
    } else if (sc_pack_has(t)) {
        pack_plain(t, to, rows, cols);
    } else {
        for (size_t r = 0; r < SC_PANEL; r++)
            if (rows[r])
                memcpy(to + r * size, rows[r], (size_t)size);
    }
}

/* The integer of value k (< 32) of a row. */
static int value_at(unsigned bits, const uint8_t *q, size_t k, size_t row)
{
    if (bits == 8)
        return q[sc_plane_at(k, row)];
    const int low = q[sc_plane_at(k % 16, row)] >> (4 * (k / 16)) & 15;
    const uint8_t *high = q + 512;
    const size_t bit = 4 * (row % 16) + k % 4;
    if (bits == 5)
        return low | (high[16 * (k / 4) + 8 * (row / 16) + bit / 8] >> bit % 8 & 1) << 4;
    if (bits == 6)
        return low | (high[sc_plane_at(4 * (k / 16) + k % 4, row)] >> (2 * (k / 4 % 4)) & 3) << 4;
    return low;
}

size_t sc_panel_block(sc_dtype t, const void *panel, size_t index, size_t row, sc_panel_values *out)
{
    const sc_layout l = sc_layout_of(t);
    const size_t step = (size_t)l.scales + l.quants, super = l.head + 8 * step;
    const uint8_t *head = panel, *s = panel;
    if (l.head) {
        head += super * (index / 8);
        s = head + l.head + step * (index % 8);
    } else {
        s += step * index;
    }
    for (size_t k = 0; k < 32; k++)
        out->n[k] = (int16_t)(value_at(l.bits, s + l.scales, k, row) - l.zero);
    out->min[0] = out->min[1] = 0.0f;
    if (t == SC_Q6_K) {
        const float d = sc_f16_at(head + 2 * row);
        out->scale[0] = d * (float)(int8_t)s[row];
        out->scale[1] = d * (float)(int8_t)s[32 + row];
        return 16;
    }
    if (l.head) {
        out->scale[0] = sc_f16_at(head + 2 * row) * (float)s[row];
        out->min[0] = -(sc_f16_at(head + 64 + 2 * row) * (float)s[32 + row]);
    } else {
        out->scale[0] = sc_f16_at(s + 2 * row);
        out->min[0] = l.min ? sc_f16_at(s + 64 + 2 * row) : 0.0f;
    }
    out->scale[1] = out->scale[0];
    out->min[1] = out->min[0];
    return 32;
}

void sc_panel_part(sc_dtype t, float *dst, const void *panel, size_t row, size_t cols, size_t from,
                   size_t n)
{
    const uint8_t *p = panel;
    const sc_layout l = sc_layout_of(t);
    const sc_dtype_facts *f = sc_dtype_info(t);
    assert(from % SC_BLOCK_MAX == 0 && from + n <= cols);
    if (!sc_pack_has(t)) {
        const size_t size = cols / f->block * f->size;
        sc_dequant_row(t, dst, p + row * size + from / f->block * f->size, n);
        return;
    }
    sc_panel_values v;
    for (size_t i = 0; i < n; i++) {
        const size_t k = from + i;
        if (l.bits) {
            if (k % 32 == 0)
                (void)sc_panel_block(t, panel, k / 32, row, &v);
            const size_t h = k % 32 / 16;
            const float product = v.scale[h] * (float)v.n[k % 32];
            dst[i] = l.min ? product + v.min[h] : product;
        } else if (t == SC_F32) {
            memcpy(dst + i, p + 128 * k + 4 * row, 4);
        } else if (t == SC_F16) {
            dst[i] = sc_f16_at(p + 64 * k + 2 * row);
        } else {
            dst[i] = sc_bf16_f32(sc_u16_at(p + 128 * (k / 2) + 4 * row + 2 * (k % 2)));
        }
    }
}

void sc_mat_row(const sc_mat *m, float *dst, size_t row)
{
    assert(row < m->rows);
    sc_panel_part(m->dtype, dst, m->data + row / SC_PANEL * m->panel_size, row % SC_PANEL, m->cols,
                  0, m->cols);
}
