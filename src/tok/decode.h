/**
 * decode.h - the "decoder" of a tokenizer.json: tokens back to text, whole or one at a time.
 *
 * Threads: immutable after opening.
 * Source:  huggingface/tokenizers decoders/, pre_tokenizers/byte_level.rs and metaspace.rs.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_DECODE_H
#define SC_TOK_DECODE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "tok/tape.h"
#include "tok/work.h"

typedef struct sc_decoder sc_decoder;

/** Tokens as texts, one behind another. */
typedef struct sc_texts {
    sc_buf text;
    sc_pieces part; // may hold empty ones
} sc_texts;

void sc_texts_init(sc_texts *t);
void sc_texts_drop(sc_texts *t);
void sc_texts_clear(sc_texts *t);

/** Appends a text. Errors: SC_E_NOMEM */
sc_code sc_texts_add(sc_texts *t, sc_str s, sc_err *err) SC_CHECKED;

/**
 * Reads a "decoder" value; null gives NULL.
 *
 * Owns:   the caller frees *out with sc_decoder_free.
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED (naming the type), SC_E_NOMEM
 */
sc_code sc_decoder_read(sc_tv v, sc_decoder **out, sc_err *err) SC_CHECKED;
void sc_decoder_free(sc_decoder *d);

/** As sc_decoder_read for JSON text that this program holds itself. */
sc_code sc_decoder_parse(const char *json, sc_decoder **out, sc_err *err) SC_CHECKED;

/**
 * Appends the text of the tokens `in`, which are used up. `d` may be NULL: joined by spaces.
 *
 * Errors: SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_decoder_run(const sc_decoder *d, sc_texts *in, sc_buf *out, sc_err *err) SC_CHECKED;

/** How one token's text becomes bytes of a stream. */
typedef enum sc_stream_kind {
    SC_STREAM_SPACED, // no decoder: a space between tokens
    SC_STREAM_BYTES,  // the byte-level alphabet
    SC_STREAM_PLAIN,  // a literal replaced, <0xHH> are bytes
    SC_STREAM_OTHER,  // the decoder run on each token
} sc_stream_kind;

typedef struct sc_stream {
    sc_stream_kind kind;
    sc_str find; // of SC_STREAM_PLAIN, to replace; empty: nothing
    sc_str with;
    bool fallback;   // <0xHH> are bytes
    bool first_bare; // the first token loses every `find` instead
    uint32_t strip;  // how many of these are dropped at the very beginning
    uint32_t strip_point;
    bool trailing_gap; // a space at the end of a token is dropped at the end of the text
    bool dedup;        // a token equal to the one before counts once
} sc_stream;

/** How `d` (may be NULL) works on a stream. The views live as long as `d`. */
sc_stream sc_decoder_stream(const sc_decoder *d);

/** Appends the text of one token of a stream of kind SC_STREAM_OTHER. Errors: as sc_decoder_run */
sc_code sc_decoder_token(const sc_decoder *d, sc_str token, bool first, sc_buf *out,
                         sc_err *err) SC_CHECKED;

/** Appends the bytes that a byte-level token spells, or the token itself when it spells none. */
void sc_decode_spelt(sc_buf *out, sc_str token);

/** Appends `s`, each maximal ill-formed part as one U+FFFD. */
void sc_decode_lossy(sc_buf *out, sc_str s);

SC_AUTO_DEFINE(sc_decoder, sc_decoder_free);
SC_AUTO_DEFINE_VALUE(sc_texts, sc_texts_drop);

#endif
