/**
 * remote.h - the checker's side of the link to one sample.
 *
 * A failure of the link, or a sample that ended, is remembered: tests that swallow every exception
 * cannot pass over it.
 *
 * Threads: with the interpreter's lock held.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_REMOTE_H
#define SC_GUEST_REMOTE_H

#include "box/wire.h"
#include "guest/codec.h"
#include "guest/wrap.h"

typedef struct sc_remote sc_remote;

/** `says`: the method that gives the text of an exception of the sample's own class. NULL with a
 * Python exception set. */
sc_remote *sc_remote_new(sc_codec *codec, PyObject *says);

/** Begins with the sample at the other end of `fd` (borrowed). */
void sc_remote_begin(sc_remote *r, int fd);

/** Forgets all of the sample: objects, functions, failures. */
void sc_remote_end(sc_remote *r);

/** How the sample's own part ended. */
typedef struct sc_remote_end_state {
    uint32_t outcome; // 0: it still answers
    int32_t line;
    char type[64];
    char message[512];
} sc_remote_end_state;

/**
 * Waits for the locks and the load. *entry is a new reference to the entry point's value, or NULL
 * when the program defines none. false: it did not come so far; sc_remote_state says why.
 */
bool sc_remote_load(sc_remote *r, PyObject **entry);

/** For single and script mode: waits for the sample's word, which must carry the nonce. */
void sc_remote_wait_done(sc_remote *r, const uint64_t nonce[2]);

const sc_remote_end_state *sc_remote_state(const sc_remote *r);

/** The global `name` of the solution: a new reference, or NULL with a NameError. */
PyObject *sc_remote_name(sc_remote *r, PyObject *name);

/** Whether `e` is the exception that the last failing call of the sample raised; *line is its line.
 */
bool sc_remote_raised(const sc_remote *r, PyObject *e, int32_t *line, bool *memory);

/** From now on the sample is not asked for the text of this exception of its own. */
void sc_remote_hush(PyObject *e);

uint32_t sc_remote_calls(const sc_remote *r);
uint32_t sc_remote_flags(const sc_remote *r);

#endif
