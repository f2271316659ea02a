/**
 * codec.h - Python values as bytes, for the way between a sample's process and the checker.
 *
 * Only exact built-in values travel: an object of a class that the sample defined becomes the
 * built-in value it stores (a subclass of int, str, list ...), read from the storage itself so that
 * no method of the sample takes part, or a handle: a number that stands for the object. What
 * arrives in the checker is therefore always plain data, whose comparisons are Python's own.
 *
 * The containers of a request keep their identity in its answer (sc_codec_kin): what the sample did
 * to a list that it was given shows in that list, and a result that holds it holds that list.
 *
 * A decoder is given bytes from a hostile process: every length is checked against what is left,
 * and depth, nodes and bytes are bounded.
 *
 * Threads: with the interpreter's lock held.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_CODEC_H
#define SC_GUEST_CODEC_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"

enum {
    SC_CODEC_DEPTH = 900, // about as deep as Python itself compares
    SC_CODEC_NODES = 3 * 1000 * 1000,
    SC_CODEC_BYTES = 32 << 20,
    SC_CODEC_ITEMS = 100 * 1000, // of an iterator, which may be endless
};

/** What the two sides do with objects that are no plain data. */
typedef struct sc_codec_ops {
    /** The handle number for `o`, or -1 with a Python exception set. */
    int64_t (*put)(void *ctx, PyObject *o);
    /** A new reference to the object behind a number, or NULL with a Python exception set;
     * `iterates`: it gives elements one by one. */
    PyObject *(*get)(void *ctx, int64_t id, sc_str type_name, bool iterates);
    /** A new reference to a class for the exceptions of the sample's class with this number, called
     * MODULE.NAME there, which descends from `base`; NULL with a Python exception set. NULL:
     * classes are handles. */
    PyObject *(*raised)(void *ctx, int64_t id, sc_str name, PyObject *base);
    void *ctx; // borrowed
    bool lazy; // a generator is an object that is asked for each element, not the list of them
} sc_codec_ops;

/** The classes of the standard library that travel, looked up once. */
typedef struct sc_codec sc_codec;

/** Errors: NULL with a Python exception set. */
sc_codec *sc_codec_new(void);

typedef enum sc_codec_code {
    SC_CODEC_OK,
    SC_CODEC_PYTHON,  // a Python exception is set: an iterator of the sample's raised
    SC_CODEC_TOO_BIG, // beyond the bounds above
    SC_CODEC_BAD,     // not a value of this codec
} sc_codec_code;

/** Appends `o` to `out`. */
sc_codec_code sc_codec_encode(sc_codec *c, const sc_codec_ops *ops, PyObject *o, sc_buf *out);

/** Reads one value; *out is a new reference. */
sc_codec_code sc_codec_decode(sc_codec *c, const sc_codec_ops *ops, sc_cur *in, PyObject **out);

/** The objects that can be changed in place, as both sides of a request know them; borrowed lists
 * or NULL. */
typedef struct sc_codec_kin {
    PyObject *note; // gets those of this value, in the order they begin
    PyObject *old;  // those of the request, for its answer: one of them that is met again is named
} sc_codec_kin;

/** As sc_codec_encode. */
sc_codec_code sc_codec_encode_kin(sc_codec *c, const sc_codec_ops *ops, sc_codec_kin kin,
                                  PyObject *o, sc_buf *out);

/** As sc_codec_decode; an object of kin.old that the value names holds what the value says then. */
sc_codec_code sc_codec_decode_kin(sc_codec *c, const sc_codec_ops *ops, sc_codec_kin kin,
                                  sc_cur *in, PyObject **out);

#endif
