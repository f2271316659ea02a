/**
 * pickle.h - a pickle as a tree of values. Nothing in it is ever executed.
 *
 * Protocols 2 to 5. A name of a function or class stays a name (SC_PKL_GLOBAL); a call stays a
 * record of what was to be called with what (SC_PKL_CALL). Python's own containers are recognised:
 * OrderedDict, defaultdict and Counter become dicts, set and frozenset sets. A pickle that names a
 * function through which Python code or a program could run is refused, called or not.
 *
 * Values may be shared, and a container may hold itself: whoever walks the tree limits the depth
 * and counts the steps.
 *
 * Threads: immutable after parsing.
 * Source:  CPython Lib/pickletools.py (opcodes).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_PICKLE_H
#define SC_FMT_PICKLE_H

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

typedef enum sc_pkl_kind {
    SC_PKL_NONE,
    SC_PKL_BOOL,
    SC_PKL_INT,
    SC_PKL_BIGINT, // more than 64 bits: the text is its little-endian two's complement
    SC_PKL_FLOAT,
    SC_PKL_STR,    // as in the file: UTF-8 is not checked, surrogates may occur
    SC_PKL_BYTES,  //
    SC_PKL_TUPLE,  //
    SC_PKL_LIST,   //
    SC_PKL_SET,    //
    SC_PKL_DICT,   // items are key, value, key, value, ... in the order they were set
    SC_PKL_GLOBAL, // items are module and name, both strings
    SC_PKL_CALL,   // items are function, tuple of arguments, state (or None), then what was added
    SC_PKL_PERSID, // one item: the persistent id
} sc_pkl_kind;

typedef struct sc_pickle sc_pickle;

/** A value of a pickle. */
typedef uint32_t sc_pkl;

/**
 * Reads one pickle from `c` on, up to and with its STOP; `c` stands behind it afterwards.
 *
 * The bytes are the caller's, who keeps them until sc_pickle_free.
 *
 * Owns:   the caller frees *out with sc_pickle_free
 * Errors: SC_E_FORMAT truncated, ill-formed, or naming a function that could run code (err->at is
 *         the offset in c); SC_E_UNSUPPORTED an opcode of protocol 0 and 1; SC_E_LIMIT;
 *         SC_E_NOMEM
 */
sc_code sc_pickle_parse(sc_cur *c, sc_pickle **out, sc_err *err) SC_CHECKED;

void sc_pickle_free(sc_pickle *p);

/** The value of the pickle. */
sc_pkl sc_pickle_root(const sc_pickle *p);

/** How many values there are: they are numbered from 0. */
size_t sc_pickle_n_values(const sc_pickle *p);

sc_pkl_kind sc_pickle_kind(const sc_pickle *p, sc_pkl v);

/** Needs: an int or a bool */
int64_t sc_pickle_int(const sc_pickle *p, sc_pkl v);

/** Needs: a float */
double sc_pickle_float(const sc_pickle *p, sc_pkl v);

/** The text of a string, bytes or a big int, empty for others. Borrowed from the input. */
sc_str sc_pickle_str(const sc_pickle *p, sc_pkl v);

/** How many items a container, global, call or persistent id has; 0 for others. */
size_t sc_pickle_n_items(const sc_pickle *p, sc_pkl v);

/** Needs: i < sc_pickle_n_items(p, v) */
sc_pkl sc_pickle_item(const sc_pickle *p, sc_pkl v, size_t i);

/** The value that the dict `v` has for the string `key`; false when there is none. */
bool sc_pickle_find(const sc_pickle *p, sc_pkl v, const char *key, sc_pkl *out);

/** Whether `v` is the global `module`.`name`. */
bool sc_pickle_is_global(const sc_pickle *p, sc_pkl v, const char *module, const char *name);

SC_AUTO_DEFINE(sc_pickle, sc_pickle_free);

#endif
