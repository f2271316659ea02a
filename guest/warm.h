/**
 * warm.h - what every sample would do for itself, done once before the first fork.
 *
 * Threads: one thread at a time, with the interpreter's lock held.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_WARM_H
#define SC_GUEST_WARM_H

#include "guest/codec.h"
#include "guest/py.h"

/**
 * Compiles and runs a program of the usual kind and sends its values through the codec, so that
 * what is set up on first use (symbols bound when first called, free lists, type caches) is there
 * in every fork. Nothing of it stays visible to a program.
 *
 * Errors: SC_E_SANDBOX with what Python said
 */
sc_code sc_warm_up(sc_codec *codec, sc_err *err) SC_CHECKED;

/** In a fork that is thrown away: what a small program does from its text to its answer. */
void sc_warm_first(const sc_py *py);

#endif
