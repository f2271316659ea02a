/**
 * word.h - WordPiece (longest token first, inside a word) and WordLevel (the word is the token).
 *
 * Threads: immutable after opening.
 * Source:  huggingface/tokenizers models/wordpiece and models/wordlevel.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_WORD_H
#define SC_TOK_WORD_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "tok/tape.h"
#include "tok/tok.h"
#include "tok/vocab.h"
#include "tok/work.h"

typedef struct sc_word {
    const sc_vocab *vocab; // borrowed
    char *prefix;          // owned; of a token that goes on a word, "" for none
    int32_t unk;           // -1: not in the vocabulary
    size_t max_chars;
} sc_word;

/** Reads the "model" object. Needs: `vocab` is complete. Errors: SC_E_FORMAT, SC_E_NOMEM */
sc_code sc_word_read(sc_tv model, const sc_vocab *vocab, sc_word *out, sc_err *err) SC_CHECKED;
void sc_word_drop(sc_word *m);

/** Appends the ids of the word `s`. Errors: SC_E_FORMAT (no unknown token), SC_E_NOMEM */
sc_code sc_word_encode_pieces(const sc_word *m, sc_work *w, sc_str s, sc_ids *out,
                              sc_err *err) SC_CHECKED;
sc_code sc_word_encode_whole(const sc_word *m, sc_work *w, sc_str s, sc_ids *out,
                             sc_err *err) SC_CHECKED;

#endif
