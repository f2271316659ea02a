// SPDX-License-Identifier: MIT
#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

// A signal handler can reach nothing but a global: this is the one that the house rule allows.
static atomic_int stop_signal;

static void on_signal(int number)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&stop_signal, &none, number))
        _exit(128 + number); // asked twice: no more waiting
}

const atomic_int *sc_stop_watch(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    (void)sigemptyset(&sa.sa_mask); // these three cannot fail for these signals
    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
    (void)sigaction(SIGHUP, &sa, NULL);
    // A reader that went away is an error of the write, not the end of a run with its journal.
    sa.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &sa, NULL);
    return &stop_signal;
}
