/**
 * signals.h - SIGINT, SIGTERM and SIGHUP become flags that every loop looks at.
 *
 * A second signal ends the process at once.
 *
 * Threads: any thread may read the flags.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_SIGNALS_H
#define SC_CLI_SIGNALS_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct sc_signals {
    atomic_bool stop;  // one came
    atomic_int number; // which
} sc_signals;

/** Installs the handlers. The flags are the process's own and stay. */
const sc_signals *sc_signals_watch(void);

#endif
