/**
 * wrap.h - stand-ins for objects of the other process.
 *
 * A Handle stands in the checker for an object of the sample's: attributes, calls, items, length,
 * truth, text, number, membership of a class, and what it gives when iterated over are asked for;
 * comparison is not, because an object that calls itself equal proves nothing: a handle is equal to
 * itself alone, has no order and takes no arithmetic, whose other operand would tell the sample
 * what is expected. A Callback stands in the sample for a function of the tests; the checker runs
 * it.
 *
 * Threads: with the interpreter's lock held.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_WRAP_H
#define SC_GUEST_WRAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/str.h"

#include <stdbool.h>
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
    SC_OP_ITER, // an iterator over it
    SC_OP_NEXT, // operand: how many; (list of elements, whether that was the end)
    SC_OP_DELATTR,
    SC_OP_DELITEM,
    SC_OP_INT,
    SC_OP_INDEX,
    SC_OP_FLOAT,
    SC_OP_ISINSTANCE, // operand: an object; whether it is one of this class
    SC_OP_ISSUBCLASS,
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
    void (*dropped)(void *ctx, int64_t id, PyObject *handle); // it is about to be freed
    void (*unsplit)(void *ctx); // the tests do what can only be done in the sample's interpreter
    void *ctx;
} sc_handle_ops;

/**
 * A new Handle; `ops` outlives it. One that `iterates` is asked for its elements when they are
 * wanted: one by one at first, later some at once. Its own type has the name of the object's, made
 * once for all handles in `types` (a dict from name to type; the usual types have none of their
 * own).
 */
PyObject *sc_handle_new(int64_t id, sc_str type_name, bool iterates, PyObject *types,
                        const sc_handle_ops *ops);

/** Forgets elements that were asked for and not taken: they may refer to the handle itself. */
void sc_handle_forget(PyObject *handle);

/** The number of a Handle, or -1 for any other object. */
int64_t sc_handle_id(PyObject *o);

/** Makes both types ready; once. 0: done. */
int sc_wrap_ready(void);

#endif
