/**
 * pre.h - the "pre_tokenizer" of a tokenizer.json: a text cut into pieces that the model sees
 * alone.
 *
 * Threads: immutable after opening; the scratch memory belongs to one thread.
 * Source:  huggingface/tokenizers pre_tokenizers/ and tokenizer/normalizer.rs (the split
 * behaviours).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_PRE_H
#define SC_TOK_PRE_H

#include "base/attr.h"
#include "base/err.h"
#include "tok/scan.h"
#include "tok/tape.h"
#include "tok/work.h"

typedef struct sc_pre sc_pre;

/**
 * Reads a "pre_tokenizer" value; null gives NULL.
 *
 * Owns:   the caller frees *out with sc_pre_free.
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED (naming the type), SC_E_NOMEM
 */
sc_code sc_pre_read(sc_tv v, sc_pre **out, sc_err *err) SC_CHECKED;
void sc_pre_free(sc_pre *p);

/** As sc_pre_read for JSON text that this program holds itself. */
sc_code sc_pre_parse(const char *json, sc_pre **out, sc_err *err) SC_CHECKED;

/** Whether the last step spells bytes as characters, and nothing before it does. */
bool sc_pre_ends_in_bytes(const sc_pre *p);

/** The scanner that does exactly what `p` does to UTF-8 text, but for spelling bytes; or NULL. */
sc_scan_fn *sc_pre_scanner(const sc_pre *p);

/**
 * Cuts *text (UTF-8). *text becomes the text that *pieces refer to, which lives in `w` until the
 * next call. `p` may be NULL: one piece. With `raw` a last step that spells bytes is left out.
 *
 * Errors: SC_E_LIMIT (a pattern), SC_E_NOMEM
 */
sc_code sc_pre_run(const sc_pre *p, sc_work *w, bool raw, sc_text *text, const sc_pieces **pieces,
                   sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_pre, sc_pre_free);

#endif
