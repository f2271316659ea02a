/**
 * source.h - weights that are packed when they are first needed, panel by panel.
 *
 * Loading packs nothing. The first product with a panel packs it into memory of the thread that
 * stays in its cache; a later one packs it for good and lets the file's pages go, so that memory
 * holds a panel once. The order of bytes is the same, and so is every result. A first token thus
 * waits neither for fresh memory nor for panels that it does not need.
 *
 * Threads: a panel belongs to the thread that computes it in the step at hand.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_SOURCE_H
#define SC_MODEL_SOURCE_H

#include "base/ahead.h"
#include "base/err.h"
#include "kern/kern.h"

#include <stdatomic.h>

enum {
    SC_PANEL_FRESH, // never read
    SC_PANEL_SEEN,  // read, still in the file
    SC_PANEL_KEPT,  // packed at its place
};

/** The rows of a matrix in the mapping of their file. */
typedef struct sc_source {
    sc_mat mat;       // as packed; its data is `place`
    const void **row; // owned, [panels, 32]; NULL is a row of zeros
    uint8_t *state;   // owned, [panels]: SC_PANEL_...
    size_t row_size;  // bytes
    size_t panels;
    uint8_t *place; // borrowed, [panels, panel size]: where they go when they are kept
} sc_source;

/**
 * Shapes: row [panels, 32]
 * Owns:   takes `row`; drop with sc_source_drop, also on failure
 * Errors: SC_E_NOMEM
 */
sc_code sc_source_init(sc_source *s, const sc_mat *m, const void **row, uint8_t *place,
                       sc_err *err) SC_CHECKED;
void sc_source_drop(sc_source *s);

/**
 * What a team may still pack for good in a step. Only panels that end before `front` are kept:
 * panels that lie apart would each touch a huge page of their own. The front moves on with every
 * step.
 */
typedef struct sc_keep {
    _Atomic int64_t left; // bytes, of all threads together
    const uint8_t *front;
    size_t gone; // sources whose pages of the file were let go whole
} sc_keep;

/** Where a thread packs for the moment, and what it may pack for good. */
typedef struct sc_supply {
    const sc_kern *kern; // borrowed
    uint8_t *scratch;    // borrowed; one panel
    sc_keep *keep;       // borrowed
    // Panels [first, end) of this source are kept, their pages of the file not yet let go.
    const sc_source *behind; // borrowed; NULL: none
    size_t first, end;
} sc_supply;

/** Panel `p`, packed; borrowed until the next call. */
const uint8_t *sc_source_panel(sc_source *s, size_t p, sc_supply *supply);

/** sc_kern_mul for the panels [from, to), wherever they are. Needs: job->w is &s->mat */
void sc_source_mul(sc_source *s, const sc_mul *job, size_t from, size_t to, sc_supply *supply);

/** As sc_mat_row. */
void sc_source_row(const sc_source *s, float *dst, size_t row);

/** The one or two ranges that its rows lie in, but for a few at their ends; returns how many. */
size_t sc_source_ranges(const sc_source *s, sc_ahead_range out[2]);

/**
 * Lets the file's pages of a source go whose panels are all kept; false when some are not. A page
 * that is read brings its neighbours, those of kept panels too.
 */
bool sc_source_leave(const sc_source *s);

/** Adds the bytes of panels that are kept, and of rows that are not. */
void sc_source_sizes(const sc_source *s, uint64_t *kept, uint64_t *mapped);

#endif
