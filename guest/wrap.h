/**
 * wrap.h - stand-ins for objects of the other process.
 *
 * A Handle stands in the checker for an object of the sample's: attributes, calls, items, length
 * and truth are asked for; comparison is not, because an object that calls itself equal proves
 * nothing: a handle is equal to itself alone, has no order and takes no arithmetic. A Callback
 * stands in the sample for a function of the tests; the checker runs it.
 *
 * Threads: with the interpreter's lock held.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_WRAP_H
#define SC_GUEST_WRAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/str.h"

#include <stdint.h>

/** Set in the number of a callback, never in that of a handle. */
#define SC_CALLBACK_BIT ((int64_t)1 << 40)

typedef enum sc_op {
    SC_OP_GETATTR = 1,
    SC_OP_SETATTR,
    SC_OP_GETITEM,
    SC_OP_SETITEM,
    SC_OP_LEN,
    SC_OP_BOOL,
    SC_OP_STR,
    SC_OP_REPR,
    SC_OP_ITER, // all elements as a list
} sc_op;

typedef PyObject *sc_callback_fn(void *ctx, int64_t id, PyObject *args, PyObject *kwargs);

/** A new callable that asks `fn`. */
PyObject *sc_callback_new(int64_t id, sc_callback_fn *fn, void *ctx);

/** The number of a Callback, or -1 for any other object. */
int64_t sc_callback_id(PyObject *o);

typedef struct sc_handle_ops {
    PyObject *(*call)(void *ctx, int64_t id, PyObject *args, PyObject *kwargs);
    PyObject *(*op)(void *ctx, sc_op op, int64_t id, PyObject *args); // steals args; NULL: failed
    void (*compared)(void *ctx); // two different objects were compared for equality
    void *ctx;
} sc_handle_ops;

/** A new Handle; `ops` outlives it. */
PyObject *sc_handle_new(int64_t id, sc_str type_name, const sc_handle_ops *ops);

/** The number of a Handle, or -1 for any other object. */
int64_t sc_handle_id(PyObject *o);

/** Makes both types ready; once. 0: done. */
int sc_wrap_ready(void);

#endif
