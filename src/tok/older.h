/**
 * older.h - what stands beside vocabularies that are older than tokenizer.json: the added tokens of
 * added_tokens.json, special_tokens_map.json and tokenizer_config.json, as one list.
 *
 * Threads: any thread.
 * Source:  transformers 5, tokenization_utils_base.py.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_OLDER_H
#define SC_TOK_OLDER_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

/** The id of `text` in a vocabulary, or -1. */
typedef int32_t sc_older_find_fn(const void *vocab, sc_str text);

/**
 * Appends the list as the "added_tokens" of a tokenizer.json, in the order of the ids.
 *
 * A token has the flags of "added_tokens_decoder" in tokenizer_config.json when that has it; one of
 * added_tokens.json is plain. Those that tokenizer_config.json or special_tokens_map.json names for
 * a role (eos_token, additional_special_tokens, ...) are special, and so is `always` (may be NULL).
 * A name for which no file has an id is left out: the model has no row for it. All are looked for
 * in the text as it is, before SentencePiece's mark is put in front of it.
 *
 * Errors: SC_E_FORMAT, SC_E_LIMIT, SC_E_IO, SC_E_NOMEM
 */
sc_code sc_older_added(const char *dir, const char *always, sc_older_find_fn *find,
                       const void *vocab, sc_buf *out, sc_err *err) SC_CHECKED;

/**
 * Reads the JSON object `name` in `dir` into *out, which stays NULL when no such file is there.
 *
 * Owns:   the caller drops *out with json_decref.
 * Errors: SC_E_FORMAT, SC_E_IO, SC_E_NOMEM
 */
sc_code sc_older_read(const char *dir, const char *name, json_t **out, sc_err *err) SC_CHECKED;

#endif
