// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t now(void *ctx)
{
    (void)ctx; // the system has one clock
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); // cannot fail with this clock
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

sc_clock sc_clock_real(void)
{
    return (sc_clock){now, NULL};
}
