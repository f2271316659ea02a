/**
 * tok.h - text to token ids and back, as the tokenizer's own library does it.
 *
 * Reads `tokenizer.json` (everything that file can say: normalizers, pre-tokenizers, BPE, Unigram,
 * WordPiece, WordLevel, added tokens, post-processors, decoders), a folder that holds one, or the
 * vocabulary inside a GGUF model. Ids and decoded bytes are those of the Hugging Face tokenizers
 * library, and of llama.cpp for GGUF vocabularies.
 *
 * Threads: a sc_tok is immutable after opening; any number of threads may encode and decode. A
 *          sc_ids and a sc_detok belong to one thread at a time.
 * Source:  the behaviour of huggingface/tokenizers 0.22; docs/TOKENIZERS.md says what was checked.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_TOK_H
#define SC_TOK_TOK_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_tok sc_tok;
typedef struct sc_gguf sc_gguf; // fmt/gguf.h

enum {
    SC_TOK_SPECIAL = 1, // run the post-processor: add BOS and the like
    SC_TOK_LITERAL = 2, // special tokens in the text are plain text
};

/** A growing list of token ids; all-zero is an empty one. */
typedef struct sc_ids {
    int32_t *p; // owned
    size_t n;
    size_t cap;
} sc_ids;

void sc_ids_drop(sc_ids *v);

/** Appends `id`; false when memory is out, and nothing changed. */
bool sc_ids_add(sc_ids *v, int32_t id) SC_CHECKED;

/** Makes room for `more` ids behind the ones it has; false when memory is out. */
bool sc_ids_reserve(sc_ids *v, size_t more) SC_CHECKED;

/**
 * Opens a tokenizer: a `tokenizer.json`, a folder with one, or a GGUF file, told apart by content.
 *
 * `tokenizer_config.json` beside a tokenizer.json is read too: bos and eos, add_bos_token,
 * chat_template.
 *
 * Owns:   the caller closes *out with sc_tok_close.
 * Errors: SC_E_IO, SC_E_NOTFOUND (a folder without a tokenizer), SC_E_FORMAT (err->at is the byte),
 *         SC_E_UNSUPPORTED (a component this version does not know; it is named), SC_E_LIMIT,
 *         SC_E_NOMEM
 */
sc_code sc_tok_open(const char *path, sc_tok **out, sc_err *err) SC_CHECKED;

/** As sc_tok_open, from the `n` bytes of a tokenizer.json. Nothing is borrowed from them. */
sc_code sc_tok_parse(const void *json, size_t n, sc_tok **out, sc_err *err) SC_CHECKED;

/** As sc_tok_open, from an open GGUF file; copies what it needs. */
sc_code sc_tok_open_gguf(const sc_gguf *g, sc_tok **out, sc_err *err) SC_CHECKED;

/**
 * Appends what a tokenizer.json would say of the folder `dir`, which has vocab.json, merges.txt and
 * maybe added_tokens.json instead.
 *
 * Errors: SC_E_IO, SC_E_FORMAT, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_tok_merges_json(const char *dir, sc_buf *json, sc_err *err) SC_CHECKED;

/**
 * The path of the tokenizer that belongs to the model file or folder `model_path`: in that folder,
 * beside that file, or the GGUF file itself.
 *
 * Owns:   the caller frees *out with sc_free.
 * Errors: SC_E_NOTFOUND, saying where it looked; SC_E_NOMEM
 */
sc_code sc_tok_find_beside(const char *model_path, char **out, sc_err *err) SC_CHECKED;

void sc_tok_close(sc_tok *t);

/**
 * Appends the ids of `text` to *out.
 *
 * `flags` is a set of SC_TOK_SPECIAL and SC_TOK_LITERAL. Added tokens inside the text are
 * recognised as the tokenizer says (special ones not under SC_TOK_LITERAL).
 *
 * Errors: SC_E_FORMAT when `text` is not UTF-8 (err->at is the byte), SC_E_LIMIT when a pattern
 *         of the tokenizer needs too many steps or the text is above 2 GiB, SC_E_NOMEM. On failure
 *         *out holds what it held before.
 */
sc_code sc_tok_encode(const sc_tok *t, sc_str text, unsigned flags, sc_ids *out,
                      sc_err *err) SC_CHECKED;

/** As sc_tok_encode with SC_TOK_SPECIAL, for two texts under the pair template. */
sc_code sc_tok_encode_pair(const sc_tok *t, sc_str a, sc_str b, sc_ids *out,
                           sc_err *err) SC_CHECKED;

/**
 * Appends the text of `n` ids to *out, whole: ill-formed bytes become U+FFFD as the tokenizer's
 * decoder has it. Ids without a token are left out; special tokens too under `skip_special`.
 *
 * Errors: SC_E_NOMEM, SC_E_LIMIT (the buffer's ceiling)
 */
sc_code sc_tok_decode(const sc_tok *t, const int32_t *ids, size_t n, bool skip_special, sc_buf *out,
                      sc_err *err) SC_CHECKED;

/**
 * Removes spaces in front of punctuation and of English contractions from the text behind byte
 * `from`, as transformers' clean_up_tokenization does. It harms code, so nothing here calls it.
 *
 * Errors: SC_E_NOMEM
 */
sc_code sc_tok_clean_up(sc_buf *text, size_t from, sc_err *err) SC_CHECKED;

/** Whether the tokenizer's configuration asks for sc_tok_clean_up; it is not obeyed. */
bool sc_tok_wants_clean_up(const sc_tok *t);

/** One more than the largest id that has a token. */
uint32_t sc_tok_size(const sc_tok *t);

/** The id of the token spelt `token` as the vocabulary spells it, or -1. */
int32_t sc_tok_find(const sc_tok *t, sc_str token);

/** The token as the vocabulary spells it; empty for an id without one. Borrowed from `t`. */
sc_str sc_tok_text(const sc_tok *t, int32_t id);

/** Whether `id` is a special token, one that decoding with skip_special leaves out. */
bool sc_tok_is_special(const sc_tok *t, int32_t id);

/** Whether `id` is an added token, one that is found in a text before anything else looks. */
bool sc_tok_is_added(const sc_tok *t, int32_t id);

/** The beginning- and end-of-text ids, -1 when not known. */
int32_t sc_tok_bos(const sc_tok *t);
int32_t sc_tok_eos(const sc_tok *t);

/** Ids after which text has ended (EOS, end of turn, ...); *n is their count. Borrowed from `t`. */
const int32_t *sc_tok_stops(const sc_tok *t, size_t *n);

/** How fill-in-the-middle is written; -1 for an id that the tokenizer lacks. */
typedef struct sc_tok_fim {
    int32_t prefix;
    int32_t suffix;
    int32_t middle;
    int32_t pad;
    int32_t repo;
    int32_t file_sep;
} sc_tok_fim;

/** Fills *out; false when prefix, suffix or middle is unknown. */
bool sc_tok_fim_ids(const sc_tok *t, sc_tok_fim *out);

/** The chat template (Jinja text), or NULL. Borrowed from `t`. */
const char *sc_tok_chat_template(const sc_tok *t);

/** One word for a report: "BPE", "Unigram", "WordPiece", "WordLevel". */
const char *sc_tok_kind(const sc_tok *t);

/**
 * The incremental detokeniser: ids one at a time, text as soon as it is certain.
 *
 * A complete character is released at once; an incomplete but possible tail of at most 3 bytes
 * waits for the next id; a maximal ill-formed part becomes one U+FFFD. SentencePiece tokenizers
 * lose one space at the very beginning. All storage is here: a push allocates only when `out` must
 * grow.
 */
typedef struct sc_detok {
    const sc_tok *tok; // borrowed
    bool skip_special;
    bool started;   // a visible token has been pushed
    uint8_t n_tail; // bytes of `tail`
    char tail[4];   // the beginning of a character
    int32_t last;   // the id before, for decoders that look back; -1: none
    bool gap;       // a space stands before the next token, if there is one
    uint32_t strip; // how many characters may still be dropped at the very beginning
} sc_detok;

void sc_detok_init(sc_detok *d, const sc_tok *t, bool skip_special);

/** Takes `id` and appends the text it completes, maybe none, to *out (see sc_buf_ok). */
void sc_detok_push(sc_detok *d, int32_t id, sc_buf *out);

/** Appends what is still held back, as U+FFFD, and starts over. */
void sc_detok_flush(sc_detok *d, sc_buf *out);

SC_AUTO_DEFINE(sc_tok, sc_tok_close);
SC_AUTO_DEFINE_VALUE(sc_ids, sc_ids_drop);

#endif
