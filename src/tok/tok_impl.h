/**
 * tok_impl.h - what a sc_tok is made of; for the readers of each file format.
 *
 * Threads: one thread at a time while it is built; then immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_TOK_IMPL_H
#define SC_TOK_TOK_IMPL_H

#include "tok/added.h"
#include "tok/bpe.h"
#include "tok/decode.h"
#include "tok/listed.h"
#include "tok/norm.h"
#include "tok/post.h"
#include "tok/pre.h"
#include "tok/scan.h"
#include "tok/tok.h"
#include "tok/unigram.h"
#include "tok/vocab.h"
#include "tok/word.h"
#include "tok/work.h"

/** Appends the ids of one piece. */
typedef sc_code sc_tok_piece_fn(const sc_tok *t, sc_work *w, sc_str s, sc_ids *out, sc_err *err);

struct sc_tok {
    const char *kind; // a literal
    sc_vocab vocab;   // the model's own
    sc_vocab extra;   // added tokens: they come first where an id has two texts
    sc_bpe bpe;       // one of these three is in use:
    sc_unigram unigram;
    sc_word word;
    sc_tok_piece_fn *encode_piece;
    sc_norm *norm;    // owned
    sc_pre *pre;      // owned
    sc_scan_fn *scan; // does what `pre` does, or NULL
    bool bytes;       // pieces are raw bytes: the spelling step is left to the model
    sc_added added;
    sc_post post;
    sc_decoder *decoder; // owned
    sc_stream stream;    // how `decoder` works on a stream
    bool plain_added;    // added tokens are text, not spelt in the byte-level alphabet
    uint8_t *special;    // owned, [n_special]: one byte an id
    size_t n_special;
    int32_t bos;
    int32_t eos;
    sc_ids stops;
    sc_tok_fim fim;
    char *chat_template; // owned
    bool wants_clean_up; // clean_up_tokenization_spaces
};

/** An empty tokenizer. Errors: SC_E_NOMEM */
sc_code sc_tok_new(sc_tok **out, sc_err *err) SC_CHECKED;

/** What is derived from the rest: scanner, special ids, stops, fill-in-the-middle. Call once, last.
 */
sc_code sc_tok_finish(sc_tok *t, sc_err *err) SC_CHECKED;

/** Chooses the model that pieces go to. */
void sc_tok_use_bpe(sc_tok *t);
void sc_tok_use_unigram(sc_tok *t);
void sc_tok_use_words(sc_tok *t, bool pieces);

/** Reads tokenizer_config.json and its neighbours in the folder `dir`, when they are there. */
sc_code sc_tok_read_config(sc_tok *t, const char *dir, sc_err *err) SC_CHECKED;

/** The older layout: vocab.json, merges.txt, added_tokens.json. */
sc_code sc_tok_open_merges(const char *dir, sc_tok **out, sc_err *err) SC_CHECKED;

/**
 * The tokens beside a SentencePiece model in `dir` (see older.h). Call before sc_tok_finish.
 *
 * Errors: SC_E_FORMAT, SC_E_LIMIT, SC_E_IO, SC_E_NOMEM
 */
sc_code sc_tok_add_beside(sc_tok *t, const char *dir, sc_err *err) SC_CHECKED;

/** Builds a tokenizer from a SentencePiece vocabulary; not finished yet. */
sc_code sc_tok_from_list(const sc_listed *l, sc_tok **out, sc_err *err) SC_CHECKED;

/** Adds the texts to t->vocab, and those that are found in a text as a whole to t->added. */
sc_code sc_tok_add_listed(sc_tok *t, const sc_listed *l, sc_err *err) SC_CHECKED;

/** As sc_tok_open, from the bytes of a SentencePiece model file. */
sc_code sc_tok_parse_spm(const void *bytes, size_t n, sc_tok **out, sc_err *err) SC_CHECKED;

#endif
