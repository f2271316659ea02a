/**
 * listed.h - a vocabulary as SentencePiece and GGUF files have it: tokens in the order of their
 * ids, with a score and a type each.
 *
 * Threads: one thread at a time.
 * Source:  google/sentencepiece, sentencepiece_model.proto.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_LISTED_H
#define SC_TOK_LISTED_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The types of tokens, with the numbers that SentencePiece and GGUF give them. */
enum {
    SC_TOKEN_NORMAL = 1,
    SC_TOKEN_UNKNOWN = 2,
    SC_TOKEN_CONTROL = 3,
    SC_TOKEN_USER = 4,
    SC_TOKEN_UNUSED = 5,
    SC_TOKEN_BYTE = 6,
};

/** A vocabulary as SentencePiece and GGUF files list it. */
typedef struct sc_listed {
    sc_str *text;  // [n], borrowed
    float *score;  // [n]; all 0 when there are none
    uint8_t *type; // [n]
    size_t n;
    bool unigram;      // else BPE by score
    bool prefix_space; // a space stands before every text
    bool trim_spaces;  // runs of spaces count as one, none at the ends
    sc_str charsmap;   // of the normalizer; may be empty
    int32_t bos;       // -1: not added
    int32_t eos;       // -1: not added
} sc_listed;

/** Allocates the arrays of `n` tokens. Errors: SC_E_NOMEM, SC_E_LIMIT */
sc_code sc_listed_init(sc_listed *l, size_t n, sc_err *err) SC_CHECKED;
void sc_listed_drop(sc_listed *l);
SC_AUTO_DEFINE_VALUE(sc_listed, sc_listed_drop);

/** Whether `n` bytes begin as a SentencePiece model does. */
bool sc_listed_is_spm(const void *bytes, size_t n);

/**
 * Reads the bytes of a SentencePiece model file.
 *
 * Owns:   the texts stay in `bytes`; the caller drops *l.
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED (neither BPE nor unigram), SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_listed_read_spm(const void *bytes, size_t n, sc_listed *l, sc_err *err) SC_CHECKED;

#endif
