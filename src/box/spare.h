/**
 * spare.h - a sample's process before it has a program: forked, locked, waiting.
 *
 * Made ahead of the program it will run, a spare costs the program's verdict nothing. It was forked
 * from the zygote, which holds nothing of any sample; its namespaces, folder, pipe and sockets are
 * its own. What it was locked with cannot be changed: a program with other limits gets another.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_SPARE_H
#define SC_BOX_SPARE_H

#include "box/wire.h"

typedef struct sc_spare {
    uint32_t serial;       // 0: none
    int pidfd;             // -1: not forked yet
    int control;           // its program goes here
    int output;            // what it prints comes out here
    int link;              // the checker's end
    sc_wire_limits limits; // what it is locked with
} sc_spare;

/**
 * Asks the zygote at `zygote` for one, which it forks when the sample before has ended; with
 * `touch` it prepares itself further while it waits. The zygote's answer brings the pidfd.
 *
 * Owns:   the caller drops *out with sc_spare_drop.
 * Errors: SC_E_IO
 */
sc_code sc_spare_ask(int zygote, uint32_t serial, bool touch, const sc_wire_limits *l,
                     sc_spare *out, sc_err *err) SC_CHECKED;

/** Whether it was locked with exactly these limits. */
bool sc_spare_fits(const sc_spare *s, const sc_wire_limits *l);

/** What a spare that ended by itself said of its locks; false: nothing. */
bool sc_spare_refused(const sc_spare *s, char *text, size_t size);

/** Kills it and closes its descriptors. */
void sc_spare_drop(sc_spare *s);

#endif
