/**
 * py.h - the embedded interpreter: started once, isolated, warm.
 *
 * Threads: one thread at a time, with the interpreter's lock held after sc_py_start.
 * Source:  Python 3.11, "Python Initialization Configuration".
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_PY_H
#define SC_GUEST_PY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/** Where a solution stands, as tracebacks name it; behind the home folder's path. */
#define SC_PY_SOLUTION "solution.py"

typedef struct sc_py {
    PyObject *out, *errout; // owned: sys.stdout and sys.stderr as they were at the start
    bool *in_sample;        // set in a sample: its own forks get random numbers of their own
    PyObject *glue;         // owned: the module made from guest/py
    struct sc_codec *codec; // owned; of the samples and of the checker
    char *arenas;           // borrowed: where its objects lie; NULL: anywhere
    size_t arenas_size;
} sc_py;

/**
 * Starts the interpreter: no site, no environment, UTF-8, hash seed `hash_seed`; imports the common
 * modules, or those of the tools; runs our own Python source; seeds `random` with 0 for every
 * sample; freezes the collector.
 *
 * Errors: SC_E_SANDBOX with what Python said
 */
sc_code sc_py_start(const char *stdlib, bool tools, uint32_t hash_seed, sc_py *out,
                    sc_err *err) SC_CHECKED;

/** Raises SC_E_SANDBOX from the pending Python exception, which is cleared. */
sc_code sc_py_fail(sc_err *err, const char *what);

/** Writes out what the program printed; a program that broke its own streams loses it. */
void sc_py_flush(const sc_py *py);

/** Bytes of a program to code; NULL with a Python exception set. A coding cookie does not matter.
 */
PyObject *sc_py_compile(sc_str source, const char *name);

#endif
