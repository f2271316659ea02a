// SPDX-License-Identifier: MIT
#include "model/source.h"

#include "base/map.h"
#include "base/mem.h"
#include "kern/dequant.h"
#include "kern/pack.h"

#include <assert.h>
#include <string.h>

sc_code sc_source_init(sc_source *s, const sc_mat *m, const void **row, uint8_t *place, sc_err *err)
{
    uint64_t size = 0;
    const bool whole = sc_dtype_row_size(m->dtype, m->cols, &size);
    assert(whole);
    *s = (sc_source){.mat = *m,
                     .row = row,
                     .row_size = (size_t)size,
                     .panels = sc_panels(m->rows),
                     .place = place};
    s->mat.data = place;
    s->state = sc_alloc(s->panels, 1);
    return s->state ? SC_OK : sc_fail_nomem(err);
}

void sc_source_drop(sc_source *s)
{
    sc_free(s->row);
    sc_free(s->state);
    s->row = NULL;
    s->state = NULL;
}

/*
 * The one or two ranges that the rows of the panels [from, to) lie in; returns how many. Gate and
 * up lie apart, so each half of a panel has a range of its own.
 */
static size_t ranges_of(const sc_source *s, size_t from, size_t to, sc_ahead_range out[2])
{
    uintptr_t low[2] = {UINTPTR_MAX, UINTPTR_MAX}, high[2] = {0, 0};
    // The first and the last row of each half of a panel tell enough.
    for (size_t i = from * 4; i < to * 4; i++) {
        const size_t h = i / 2 % 2, half = SC_PANEL / 2;
        const uintptr_t at = (uintptr_t)s->row[i / 2 * half + (i % 2 ? half - 1 : 0)];
        if (!at)
            continue;
        low[h] = at < low[h] ? at : low[h];
        high[h] = at > high[h] ? at : high[h];
    }
    size_t n = 0;
    // Two halves that lie in one another are one matrix.
    const bool one = low[0] < high[1] && low[1] < high[0];
    if (one) {
        low[0] = low[1] < low[0] ? low[1] : low[0];
        high[0] = high[1] > high[0] ? high[1] : high[0];
    }
    for (size_t h = 0; h < (one ? 1 : 2); h++)
        if (low[h] <= high[h])
            out[n++] = (sc_ahead_range){(const void *)low[h], high[h] - low[h] + s->row_size};
    return n;
}

static void let_go(const sc_source *s, size_t from, size_t to)
{
    sc_ahead_range range[2];
    const size_t n = ranges_of(s, from, to, range);
    for (size_t i = 0; i < n; i++)
        sc_map_leave(range[i].from, range[i].size);
}

/*
 * Lets the file's pages of kept panels go, those of several beside each other at once: each time,
 * the system interrupts every CPU that runs a thread of ours. What is left over at the end of a
 * step goes with the whole source.
 */
static void leave_later(const sc_source *s, size_t p, sc_supply *supply)
{
    enum { TOGETHER = 512 << 10 }; // bytes
    if (supply->behind != s || supply->end != p) {
        if (supply->behind)
            let_go(supply->behind, supply->first, supply->end);
        supply->behind = s;
        supply->first = p;
    }
    supply->end = p + 1;
    if ((supply->end - supply->first) * SC_PANEL * s->row_size >= TOGETHER) {
        let_go(s, supply->first, supply->end);
        supply->behind = NULL;
    }
}

/* Whether the step may pack `size` bytes more for good, which end at `end`. */
static bool may_keep(sc_keep *k, const uint8_t *end, size_t size)
{
    if (end > k->front)
        return false;
    const int64_t want = (int64_t)size;
    if (atomic_fetch_sub_explicit(&k->left, want, memory_order_relaxed) >= want)
        return true;
    (void)atomic_fetch_add_explicit(&k->left, want, memory_order_relaxed);
    return false;
}

const uint8_t *sc_source_panel(sc_source *s, size_t p, sc_supply *supply)
{
    const sc_mat *m = &s->mat;
    uint8_t *at = s->place + p * m->panel_size;
    if (s->state[p] == SC_PANEL_KEPT)
        return at;
    const bool keep =
        s->state[p] == SC_PANEL_SEEN && may_keep(supply->keep, at + m->panel_size, m->panel_size);
    uint8_t *to = keep ? at : supply->scratch;
    supply->kern->pack(m->dtype, to, s->row + p * SC_PANEL, m->cols);
    s->state[p] = keep ? SC_PANEL_KEPT : SC_PANEL_SEEN;
    if (keep)
        leave_later(s, p, supply);
    return to;
}

/* The product with the one panel at `data`. */
static void mul_one(const sc_mul *job, size_t p, const uint8_t *data, const sc_kern *k)
{
    const sc_mat *m = job->w;
    const size_t row = p * SC_PANEL, left = m->rows - row;
    const sc_mat one = sc_mat_of(m->dtype, left < SC_PANEL ? left : SC_PANEL, m->cols, data);
    sc_mul part = *job;
    part.w = &one;
    part.y += job->epi == SC_EPI_ACT_MUL ? row / 2 : row;
    part.bias = job->bias ? job->bias + row : NULL;
    sc_kern_mul(k, &part, 0, 1);
}

void sc_source_mul(sc_source *s, const sc_mul *job, size_t from, size_t to, sc_supply *supply)
{
    for (size_t p = from; p < to;) {
        size_t end = p;
        while (end < to && s->state[end] == SC_PANEL_KEPT)
            end++;
        if (end > p) {
            sc_kern_mul(supply->kern, job, p, end);
            p = end;
            continue;
        }
        mul_one(job, p, sc_source_panel(s, p, supply), supply->kern);
        p++;
    }
}

void sc_source_row(const sc_source *s, float *dst, size_t row)
{
    if (s->state[row / SC_PANEL] == SC_PANEL_KEPT)
        sc_mat_row(&s->mat, dst, row);
    else
        sc_dequant_row(s->mat.dtype, dst, s->row[row], s->mat.cols);
}

size_t sc_source_ranges(const sc_source *s, sc_ahead_range out[2])
{
    return ranges_of(s, 0, s->panels, out);
}

bool sc_source_leave(const sc_source *s)
{
    for (size_t p = 0; p < s->panels; p++)
        if (s->state[p] != SC_PANEL_KEPT)
            return false;
    let_go(s, 0, s->panels);
    return true;
}

void sc_source_sizes(const sc_source *s, uint64_t *kept, uint64_t *mapped)
{
    for (size_t p = 0; p < s->panels; p++) {
        if (s->state[p] == SC_PANEL_KEPT)
            *kept += s->mat.panel_size;
        else
            *mapped += SC_PANEL * s->row_size;
    }
}
