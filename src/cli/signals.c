// SPDX-License-Identifier: MIT
#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

// A signal handler can reach nothing but a global: this is the one that the house rule allows.
static sc_signals signals;

static void on_signal(int number)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&signals.number, &none, number))
        _exit(128 + number); // asked twice: no more waiting
    atomic_store(&signals.stop, true);
}

/* A page of a mapping is not there any more: its file was shortened, or its disk is broken. */
static void on_bus(int number)
{
    static const char text[] = "scbench: error: a file that is being read was shortened meanwhile, "
                               "or cannot be read any more (SIGBUS)\n";
    (void)number;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(1); // nobody listens
    _exit(1);
}

const sc_signals *sc_signals_watch(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    (void)sigemptyset(&sa.sa_mask); // these cannot fail for these signals
    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
    (void)sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = on_bus;
    (void)sigaction(SIGBUS, &sa, NULL);
    // A reader that went away is an error of the write, not the end of a run with its journal.
    sa.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &sa, NULL);
    return &signals;
}
