/**
 * clock.h - time as a value that is passed in, so that tests can script it.
 *
 * Threads: any thread, for the real clock.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_CLOCK_H
#define SC_BASE_CLOCK_H

#include <stdint.h>

typedef struct sc_clock {
    uint64_t (*now_ns)(void *ctx); // monotonic
    void *ctx;                     // borrowed
} sc_clock;

/** The system's monotonic clock. */
sc_clock sc_clock_real(void);

static inline uint64_t sc_clock_ns(const sc_clock *c)
{
    return c->now_ns(c->ctx);
}

/** Seconds between two readings. */
static inline double sc_clock_seconds(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(to_ns - from_ns) * 1e-9;
}

#endif
