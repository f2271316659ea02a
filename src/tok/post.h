/**
 * post.h - the "post_processor" of a tokenizer.json: ids around the ids of a text.
 *
 * Threads: immutable after opening.
 * Source:  huggingface/tokenizers processors/.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_POST_H
#define SC_TOK_POST_H

#include "base/attr.h"
#include "base/err.h"
#include "tok/tape.h"
#include "tok/tok.h"

#include <stdbool.h>

typedef enum sc_post_what {
    SC_POST_ID,
    SC_POST_A,
    SC_POST_B,
    SC_POST_BORDER, // between parts, while the list is made
} sc_post_what;

typedef struct sc_post_item {
    sc_post_what what;
    int32_t id; // of SC_POST_ID
} sc_post_item;

typedef struct sc_post_list {
    sc_post_item *p; // owned
    size_t n;
    size_t cap;
    bool stops; // the library itself fails on such a text, whatever it is
} sc_post_list;

/** What stands around one text, and around two. */
typedef struct sc_post {
    sc_post_list single;
    sc_post_list pair;
} sc_post;

/** Reads a "post_processor" value; null gives the texts alone. Errors: SC_E_FORMAT,
 * SC_E_UNSUPPORTED, SC_E_NOMEM */
sc_code sc_post_read(sc_tv v, sc_post *out, sc_err *err) SC_CHECKED;

/** `bos` A `eos`; -1 leaves one out. Errors: SC_E_NOMEM */
sc_code sc_post_init(sc_post *p, int32_t bos, int32_t eos, sc_err *err) SC_CHECKED;
void sc_post_drop(sc_post *p);

/**
 * Appends what `list` makes of the ids of one text or two.
 *
 * Errors: SC_E_UNSUPPORTED when the library has no ids for such a text, SC_E_NOMEM
 */
sc_code sc_post_run(const sc_post_list *list, const sc_ids *a, const sc_ids *b, sc_ids *out,
                    sc_err *err) SC_CHECKED;

#endif
