/**
 * tape.h - a strict JSON reader for one big file: the whole document as one flat array of nodes.
 *
 * A tokenizer.json holds hundreds of thousands of short strings. They are unescaped in place, in
 * the caller's copy of the text, and a node says where: no allocation a string, no hash a key. What
 * is read more than once is copied out by the caller.
 *
 * Threads: immutable after parsing; any number of threads may read.
 * Source:  RFC 8259; docs/adr/0005-a-json-tape-for-tokenizers.md says why this stands beside
 * Jansson.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_TAPE_H
#define SC_TOK_TAPE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sc_tape_type {
    SC_TAPE_NULL,
    SC_TAPE_FALSE,
    SC_TAPE_TRUE,
    SC_TAPE_NUMBER,
    SC_TAPE_STRING,
    SC_TAPE_ARRAY,
    SC_TAPE_OBJECT,
} sc_tape_type;

/** A node; the members of an object are key, value, key, value, ... */
typedef struct sc_tape_node {
    uint32_t type; // sc_tape_type
    uint32_t n;    // bytes of a string or number; elements of an array; pairs of an object
    uint32_t at;   // where its text is, or where the array or object began
    uint32_t next; // index of the node behind this one and all that is inside it
} sc_tape_node;

typedef struct sc_tape {
    const char *text;   // borrowed from the caller
    sc_tape_node *node; // owned
    size_t n;
    size_t cap;
} sc_tape;

/**
 * Parses the `n` bytes of `text`, one JSON value, and changes them: strings are unescaped in place.
 *
 * Owns:   the caller keeps `text` alive and drops *out with sc_tape_drop.
 * Errors: SC_E_FORMAT (err->at is the byte): not JSON, not UTF-8, a lone surrogate, nested deeper
 *         than 128, a key twice in an object of up to 64; SC_E_LIMIT above 1 GiB; SC_E_NOMEM
 */
sc_code sc_tape_parse(char *text, size_t n, sc_tape *out, sc_err *err) SC_CHECKED;

void sc_tape_drop(sc_tape *t);

/** A value in a tape; `i` is the index of its node. */
typedef struct sc_tv {
    const sc_tape *tape; // borrowed; NULL: there is no such value
    uint32_t i;
} sc_tv;

static inline sc_tv sc_tape_root(const sc_tape *t)
{
    return (sc_tv){t, 0};
}

/** The node of a value; an absent one reads as a null at byte 0. */
static inline const sc_tape_node *sc_tv_node(sc_tv v)
{
    static const sc_tape_node absent = {.type = SC_TAPE_NULL};
    return v.tape ? &v.tape->node[v.i] : &absent;
}

/** Whether the value is there and of this type. */
static inline bool sc_tv_is(sc_tv v, sc_tape_type type)
{
    return v.tape && sc_tv_node(v)->type == (uint32_t)type;
}

/** Whether the value is there and is not null. */
static inline bool sc_tv_has(sc_tv v)
{
    return v.tape && sc_tv_node(v)->type != SC_TAPE_NULL;
}

/** The text of a string or number; empty for anything else. */
sc_str sc_tv_str(sc_tv v);

/** The member `key` of an object; absent when there is none, or `o` is no object. */
sc_tv sc_tv_get(sc_tv o, const char *key);

/** The elements of an array, or the keys of an object, one after another. */
typedef struct sc_tv_iter {
    sc_tv v;       // the element or key now
    uint32_t left; // how many are left, this one included
    bool pairs;
} sc_tv_iter;

/** `for (sc_tv_iter it = sc_tv_each(v); it.left; sc_tv_next(&it))`; nothing for a scalar. */
sc_tv_iter sc_tv_each(sc_tv v);
void sc_tv_next(sc_tv_iter *it);

/** The value that belongs to the key of an object's iteration. */
sc_tv sc_tv_value(const sc_tv_iter *it);

/** A number; false for another type. */
bool sc_tv_num(sc_tv v, double *out);
/** An integer in [low, high]; false for anything else. */
bool sc_tv_int(sc_tv v, int64_t low, int64_t high, int64_t *out);

/**
 * The member `key`, which must have that type when it is there and not null; else *out is
 * untouched.
 *
 * Errors: SC_E_FORMAT, naming the key
 */
sc_code sc_tv_get_bool(sc_tv o, const char *key, bool *out, sc_err *err) SC_CHECKED;
sc_code sc_tv_get_str(sc_tv o, const char *key, sc_str *out, sc_err *err) SC_CHECKED;
sc_code sc_tv_get_int(sc_tv o, const char *key, int64_t low, int64_t high, int64_t *out,
                      sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_tape, sc_tape_drop);

#endif
