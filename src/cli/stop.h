/**
 * stop.h - SIGINT, SIGTERM and SIGHUP become a flag that every loop looks at.
 *
 * A second signal ends the process at once.
 *
 * Threads: any thread may read the flag.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_STOP_H
#define SC_CLI_STOP_H

#include <stdatomic.h>

/** Installs the handlers; the flag holds the number of the signal that came, or 0. */
const atomic_int *sc_stop_watch(void);

#endif
