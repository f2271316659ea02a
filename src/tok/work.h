/**
 * work.h - the scratch memory of one call: texts, pieces and symbols, reused from step to step.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_WORK_H
#define SC_TOK_WORK_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "tok/regex.h"

#include <stddef.h>
#include <stdint.h>

/** The longest text that is encoded; positions are 32 bits wide. */
#define SC_TOK_MAX_TEXT ((size_t)1 << 31)

/**
 * A text on its way, and how many of its first bytes come from the very beginning of the input: the
 * Metaspace step "first" asks for that.
 */
typedef struct sc_text {
    sc_str s;
    size_t zero;
} sc_text;

/** A part of a text. */
typedef struct sc_piece {
    uint32_t at;
    uint32_t n;
} sc_piece;

/** Parts of a text in order. */
typedef struct sc_pieces {
    sc_piece *p; // owned
    size_t n;
    size_t cap;
} sc_pieces;

/** A symbol of a long piece: a doubly linked list in an array. */
typedef struct sc_symbol {
    int32_t id;
    int32_t prev;
    int32_t next;  // -1: none
    uint32_t rank; // of the merge with the next one; UINT32_MAX: none
} sc_symbol;

/** Where a piece stood before and what it became. */
typedef struct sc_seen {
    uint32_t at;  // in the text
    uint32_t out; // in the ids
    uint32_t n;   // bytes; 0: free
    uint32_t n_ids;
} sc_seen;

typedef struct sc_work {
    sc_buf norm[2];
    sc_buf pre[2];
    sc_pieces pieces[2];
    sc_regex_run run;
    sc_symbol *symbol; // owned
    size_t cap_symbols;
    uint64_t *heap; // owned
    size_t cap_heap;
    int32_t *ids; // owned: first ids of a long piece
    size_t cap_ids;
    double *score;  // owned: best score of a path to each byte, and
    uint32_t *from; // owned: where its last token begins, and
    int32_t *last;  // owned: that token
    size_t cap_path;
    sc_seen *seen;         // owned
    size_t n_seen;         // a power of two, or 0
    const char *seen_text; // what the positions in `seen` are relative to
    sc_buf key;            // a token being spelt
    uint32_t *point;       // owned: characters and where they come from, in pairs
    size_t cap_points;
} sc_work;

void sc_tok_work_init(sc_work *w);
void sc_tok_work_drop(sc_work *w);

/** Appends a part; an empty one is left out. Errors: SC_E_NOMEM */
sc_code sc_pieces_add(sc_pieces *v, size_t at, size_t n, sc_err *err) SC_CHECKED;

/** Makes *p hold `n` elements of `size` bytes; what was in them is lost. Errors: SC_E_NOMEM */
sc_code sc_work_room(void *p, size_t *cap, size_t n, size_t size, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_work, sc_tok_work_drop);

#endif
