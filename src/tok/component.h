/**
 * component.h - the parts of a tokenizer.json that have a "type": normalizers, pre-tokenizers,
 * decoders. Each kind of part is a table of types and the functions that read them.
 *
 * Threads: pure functions.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_COMPONENT_H
#define SC_TOK_COMPONENT_H

#include "tok/tape.h"

typedef struct sc_component {
    const char *type;                                   // NULL ends a table
    sc_code (*read)(sc_tv v, void *owner, sc_err *err); // adds what `v` says to its owner
} sc_component;

/**
 * Reads `v` by its "type" into `owner`, which the table's functions know. A "Sequence" is read item
 * by item from the list under `items`.
 *
 * Errors: SC_E_UNSUPPORTED for a type that is not in the table, SC_E_FORMAT for a Sequence without
 *         its list; what the reader says, behind the type
 */
sc_code sc_component_read(sc_tv v, const sc_component *table, const char *items, void *owner,
                          sc_err *err) SC_CHECKED;

/** Parses a text of our own and hands its root to `read`. Errors: SC_E_NOMEM, and what `read` says
 */
sc_code sc_component_parse(const char *json, sc_code (*read)(sc_tv root, void *out, sc_err *err),
                           void *out, sc_err *err) SC_CHECKED;

#endif
