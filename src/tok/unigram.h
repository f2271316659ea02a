/**
 * unigram.h - the most probable sequence of tokens (Viterbi).
 *
 * Threads: immutable after opening.
 * Source:  Kudo 2018; huggingface/tokenizers models/unigram; google/sentencepiece unigram_model.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_UNIGRAM_H
#define SC_TOK_UNIGRAM_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "tok/tape.h"
#include "tok/tok.h"
#include "tok/trie.h"
#include "tok/vocab.h"
#include "tok/work.h"

typedef struct sc_unigram {
    const sc_vocab *vocab; // borrowed
    sc_trie trie;
    double *score; // owned, [n_scores], by id
    size_t n_scores;
    double unk_score;
    int32_t unk; // -1: none
    bool byte_fallback;
    int32_t fallback[256];
} sc_unigram;

/** Reads the "model" object and fills `vocab` from its list. Errors: SC_E_FORMAT, SC_E_NOMEM */
sc_code sc_unigram_read(sc_tv model, sc_vocab *vocab, sc_unigram *out, sc_err *err) SC_CHECKED;

/**
 * As sc_unigram_read from scores by id; tokens for which `skip[id]` is set are never matched.
 *
 * Needs: `vocab` is complete; n == vocab->n_ids
 */
sc_code sc_unigram_init(sc_unigram *u, const sc_vocab *vocab, const float *score, const bool *skip,
                        size_t n, int32_t unk, sc_err *err) SC_CHECKED;
void sc_unigram_drop(sc_unigram *u);

/** Appends the ids of the piece `s`. Errors: SC_E_FORMAT (no unknown token), SC_E_NOMEM */
sc_code sc_unigram_encode(const sc_unigram *u, sc_work *w, sc_str s, sc_ids *out,
                          sc_err *err) SC_CHECKED;

#endif
