/**
 * added.h - the "added_tokens" of a tokenizer.json: texts that are tokens before anything else
 * looks.
 *
 * Two passes: over the raw text for tokens that are not normalized, then over each normalized rest
 * for those that are, by their own normalized form. A pass finds the leftmost token and of those
 * the longest.
 *
 * Threads: immutable after opening.
 * Source:  huggingface/tokenizers tokenizer/added_vocabulary.rs.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_ADDED_H
#define SC_TOK_ADDED_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "tok/norm.h"
#include "tok/tape.h"
#include "tok/trie.h"
#include "tok/vocab.h"
#include "tok/work.h"

typedef struct sc_added_token {
    int32_t id;
    bool single_word;
    bool lstrip;
    bool rstrip;
    bool normalized;
    bool special;
} sc_added_token;

/** One pass: the texts it looks for, and the bytes they begin with. */
typedef struct sc_added_pass {
    sc_trie trie; // value: index of the token
    bool first[256];
    bool any;
    uint32_t longest; // bytes
} sc_added_pass;

typedef struct sc_added {
    sc_added_token *token; // owned
    size_t n;
    size_t cap;
    sc_added_pass raw;
    sc_added_pass normalized;
} sc_added;

/** Errors: SC_E_NOMEM */
sc_code sc_added_init(sc_added *a, sc_err *err) SC_CHECKED;
void sc_added_drop(sc_added *a);

/** Adds a token whose text is `text`. Errors: SC_E_LIMIT (a text above 4096 bytes), SC_E_NOMEM */
sc_code sc_added_add(sc_added *a, sc_added_token token, sc_str text, const sc_norm *norm,
                     sc_err *err) SC_CHECKED;

/**
 * Reads the list. A token that `vocab` knows keeps its id there; the others are numbered on from
 * it. All of them go into `extra`.
 *
 * Errors: SC_E_FORMAT, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_added_read(sc_tv list, const sc_vocab *vocab, sc_vocab *extra, const sc_norm *norm,
                      sc_added *out, sc_err *err) SC_CHECKED;

/** As sc_added_read, to a list that may have tokens already. */
sc_code sc_added_read_more(sc_tv list, const sc_vocab *vocab, sc_vocab *extra, const sc_norm *norm,
                           sc_added *out, sc_err *err) SC_CHECKED;

/** A part of a text: a token, or text between tokens. */
typedef struct sc_added_part {
    size_t at;
    size_t n;
    int32_t id; // -1: text
} sc_added_part;

/** Walks through the parts of a text under one pass. */
typedef struct sc_added_iter {
    const sc_added *added;     // borrowed
    const sc_added_pass *pass; // borrowed
    sc_str text;
    bool literal;       // special tokens are text
    size_t search;      // where the next search begins
    size_t done;        // behind the last part
    sc_added_part wait; // a token whose text in front was given first
    bool waits;
} sc_added_iter;

sc_added_iter sc_added_over(const sc_added *a, bool normalized, sc_str text, bool literal);

/** The next part, never empty text; false at the end. */
bool sc_added_next(sc_added_iter *it, sc_added_part *out);

#endif
