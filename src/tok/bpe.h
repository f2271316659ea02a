/**
 * bpe.h - byte pair encoding: characters, then the merge of the lowest rank, again and again.
 *
 * Short pieces are merged by looking through all pairs, long ones with a heap, so that a text
 * without white space costs n log n.
 *
 * Threads: immutable after opening.
 * Source:  Sennrich et al. 2016; huggingface/tokenizers models/bpe; google/sentencepiece bpe_model.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_BPE_H
#define SC_TOK_BPE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "tok/tape.h"
#include "tok/tok.h"
#include "tok/vocab.h"
#include "tok/work.h"

typedef struct sc_bpe_merge {
    int32_t left; // -1: a free slot
    int32_t right;
    uint32_t rank;
    int32_t id; // what they become
} sc_bpe_merge;

typedef struct sc_bpe_pair {
    uint32_t rank; // UINT32_MAX: no merge
    int32_t id;
} sc_bpe_pair;

enum { SC_BPE_CLASSES = 129 };

typedef struct sc_bpe {
    const sc_vocab *vocab; // borrowed
    sc_bpe_merge *slot;    // owned, [mask + 1]
    size_t mask;
    size_t n_merges;
    uint64_t key;
    sc_bpe_pair *byte_pair; // owned, [65536]: of two single bytes
    int32_t byte_id[256];   // of a byte in the alphabet of byte-level models; -1: none
    int32_t fallback[256];  // of "<0xHH>"; -1: none
    int32_t mark;           // of U+2581; -1: none
    char *prefix;           // owned; continuing_subword_prefix, NULL when empty
    char *suffix;           // owned; end_of_word_suffix, NULL when empty
    int32_t unk;            // -1: none
    bool has_unk;           // an unknown token is named, whether it exists or not
    bool fuse_unk;
    bool byte_fallback;
    bool ignore_merges;
    bool cuts; // some of the next are true
    // Whether no merge makes a token that holds this character in front of that one: then none goes
    // across, and a text may be cut there. ASCII, and U+2581 as 128.
    bool apart[SC_BPE_CLASSES][SC_BPE_CLASSES];
} sc_bpe;

/** Reads the "model" object. Needs: `vocab` is complete. Errors: SC_E_FORMAT, SC_E_NOMEM */
sc_code sc_bpe_read(sc_tv model, const sc_vocab *vocab, sc_bpe *out, sc_err *err) SC_CHECKED;

/** An empty one over `vocab`, with room for `n` merges. Errors: SC_E_NOMEM */
sc_code sc_bpe_init(sc_bpe *b, const sc_vocab *vocab, size_t n, sc_err *err) SC_CHECKED;
void sc_bpe_drop(sc_bpe *b);

/** Adds the merge of the tokens `left` and `right` into `id`; the last one added counts. */
sc_code sc_bpe_add(sc_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id,
                   sc_err *err) SC_CHECKED;

/** Fetches the place of a merge into the cache, for an sc_bpe_add to come. */
void sc_bpe_fetch(const sc_bpe *b, int32_t left, int32_t right);

/** Call once after the last sc_bpe_add. Errors: SC_E_NOMEM */
sc_code sc_bpe_finish(sc_bpe *b, sc_err *err) SC_CHECKED;

/** Appends the ids of the piece `s`, which is text in the vocabulary's own spelling. */
sc_code sc_bpe_encode(const sc_bpe *b, sc_work *w, sc_str s, sc_ids *out, sc_err *err) SC_CHECKED;

/** As sc_bpe_encode for the bytes that the byte-level spelling stands for. Needs: no prefix, no
 * suffix. */
sc_code sc_bpe_encode_bytes(const sc_bpe *b, sc_work *w, sc_str s, sc_ids *out,
                            sc_err *err) SC_CHECKED;

/** Where the part of `s` that begins at `at` ends: behind it no merge goes across, or `s` ends. */
size_t sc_bpe_cut(const sc_bpe *b, sc_str s, size_t at);

/** Writes the byte-level spelling of `byte` (1 or 2 bytes); returns its length. */
size_t sc_bpe_spell_byte(unsigned char byte, char out[2]);

/** The byte that the character `c` spells, or -1. */
int sc_bpe_byte_of(uint32_t c);

/** Whether `token` is "<0xHH>", and which byte. */
bool sc_bpe_is_byte_token(sc_str token, unsigned char *byte);

#endif
