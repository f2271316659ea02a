/**
 * touch.h - the pages that every program writes to, written to before it has begun.
 *
 * A fork shares its pages with the process it came from, and each is copied when it is first
 * written to: most of what a small program costs. Which pages that are is learnt once, in a fork
 * that runs a program of the usual kind with its memory write-protected; a process that waits for
 * its program then has them copied ahead. What they hold does not change.
 *
 * Threads: one thread at a time, in a process with one thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_TOUCH_H
#define SC_GUEST_TOUCH_H

#include "guest/py.h"

/** Once, in the warm interpreter. Where that cannot be found out no page is known: only slower. */
void sc_touch_learn(const sc_py *py);

/** In a fork of it: copies the known pages. */
void sc_touch(void);

#endif
