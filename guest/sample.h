/**
 * sample.h - the process that runs a model's code: loads it, then answers calls with plain values.
 *
 * Everything behind sc_sample_run is hostile territory: nothing this process says is evidence of
 * anything but the values it computed. It is written in C so that a program which patches built-ins
 * only breaks itself.
 *
 * Threads: one thread at a time; threads of the sample run while it waits.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_SAMPLE_H
#define SC_GUEST_SAMPLE_H

#include "box/wire.h"
#include "guest/py.h"

typedef struct sc_sample {
    sc_wire_mode mode;
    bool names; // what the usual modules export needs no import
    sc_str source, entry;
    sc_str context, test; // single mode only
    uint64_t nonce[2];    // single and script mode
} sc_sample;

/**
 * In the forked and locked process, after Python's own after-fork work: everything that needs no
 * program. `home` and `py` are borrowed until the end.
 */
void sc_sample_prepare(const sc_py *py, const char *home, int link);

/** Runs the program in the prepared process. Does not return. */
_Noreturn void sc_sample_run(const sc_sample *s);

/** Says which lock did not hold, and ends the process. */
_Noreturn void sc_sample_refuse(int link, const sc_err *err);

#endif
