/**
 * lines.h - merges as files have them, two texts a line, added to a sc_bpe.
 *
 * A vocabulary does not fit into the near caches, and a merge wants three look-ups in it. So many
 * lines are under way together: while one waits for memory, the others do, too.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_LINES_H
#define SC_TOK_LINES_H

#include "base/buf.h"
#include "tok/bpe.h"

enum { SC_LINES_MANY = 32 };

typedef struct sc_line {
    sc_str left, right; // borrowed until the line is added
    uint32_t hash[2];
    sc_bpe_merge merge;
} sc_line;

typedef struct sc_lines {
    sc_bpe *bpe;   // borrowed
    sc_buf both;   // owned
    uint32_t rank; // of the first line that waits
    int32_t last;  // what the line before made
    size_t n;      // lines that wait
    sc_line line[SC_LINES_MANY];
} sc_lines;

/** No lines yet; the first one has rank 0. Needs: b->prefix is set */
void sc_lines_init(sc_lines *l, sc_bpe *b);
void sc_lines_drop(sc_lines *l);

/**
 * The next merge. Its texts are borrowed until sc_lines_end.
 *
 * Errors: SC_E_FORMAT for a text that is no token, at this line or one that waited; SC_E_NOMEM
 */
sc_code sc_lines_add(sc_lines *l, sc_str left, sc_str right, sc_err *err) SC_CHECKED;

/** Adds what still waits. Errors: as sc_lines_add */
sc_code sc_lines_end(sc_lines *l, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_lines, sc_lines_drop);

#endif
