/**
 * norm.h - the "normalizer" of a tokenizer.json: text to text, before anything is cut.
 *
 * Threads: immutable after opening; the scratch memory belongs to one thread.
 * Source:  huggingface/tokenizers normalizers/; Unicode Standard Annex 15.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_NORM_H
#define SC_TOK_NORM_H

#include "base/attr.h"
#include "base/err.h"
#include "tok/tape.h"
#include "tok/work.h"

typedef struct sc_norm sc_norm;

/**
 * Reads a "normalizer" value; null and an empty Sequence give NULL.
 *
 * Owns:   the caller frees *out with sc_norm_free.
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED (naming the type), SC_E_NOMEM
 */
sc_code sc_norm_read(sc_tv v, sc_norm **out, sc_err *err) SC_CHECKED;
void sc_norm_free(sc_norm *n);

/**
 * Normalizes *text (UTF-8) in place of the view: the result lives in `w` until the next call, or is
 * the old text where nothing changes. `n` may be NULL.
 *
 * Errors: SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_norm_run(const sc_norm *n, sc_work *w, sc_text *text, sc_err *err) SC_CHECKED;

/** Text under construction: appended bytes, and how many of the first stem from the beginning. */
typedef struct sc_emit {
    sc_buf *out;     // cleared by the caller
    size_t zero_in;  // of the text that is read
    size_t zero_out; // of the text that is written
} sc_emit;

/** Appends `n` bytes that stem from the character at byte `from` of the old text. */
static inline void sc_emit_add(sc_emit *e, const char *p, size_t n, size_t from)
{
    if (from < e->zero_in && e->out->n == e->zero_out)
        e->zero_out += n;
    sc_buf_add(e->out, p, n);
}

void sc_emit_point(sc_emit *e, uint32_t point, size_t from);

/** The rules that replace text by a table: the "Precompiled" normalizer of SentencePiece. */
typedef struct sc_charsmap sc_charsmap;

/** Reads the decoded blob. Errors: SC_E_FORMAT, SC_E_NOMEM */
sc_code sc_charsmap_parse(sc_str blob, sc_charsmap **out, sc_err *err) SC_CHECKED;
void sc_charsmap_free(sc_charsmap *m);

/** The replacement for the shortest prefix of `s` that has one; false when none has. */
bool sc_charsmap_find(const sc_charsmap *m, sc_str s, sc_str *to);

/** Puts the rules in front of all steps of *n, which may be NULL; takes *take. Errors: SC_E_NOMEM,
 * SC_E_LIMIT, and *take is still the caller's. */
sc_code sc_norm_put_charsmap(sc_norm **n, sc_charsmap **take, sc_err *err) SC_CHECKED;

/** As sc_norm_read for JSON text that this program holds itself. */
sc_code sc_norm_parse(const char *json, sc_norm **out, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_norm, sc_norm_free);
SC_AUTO_DEFINE(sc_charsmap, sc_charsmap_free);

#endif
