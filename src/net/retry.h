/**
 * retry.h - when to ask a server again, and after how long.
 *
 * Threads: immutable (pure functions).
 * Source:  RFC 9110, sections 10.2.3 (Retry-After) and 15.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_NET_RETRY_H
#define SC_NET_RETRY_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { SC_RETRY_MAX_MS = 120000 }; // no server makes us wait longer at once

/** Whether the status may be another one next time: 408, 429, 5xx except 501 and 505. */
bool sc_retry_may(int status);

/**
 * The milliseconds of a Retry-After value (seconds, or an HTTP date seen from `now`), at most
 * SC_RETRY_MAX_MS; 0 for a value that is neither or lies in the past.
 */
uint64_t sc_retry_after_ms(const char *value, time_t now);

/**
 * How long to wait before try number `n_failed` + 1: 0.5 s doubled each time up to 30 s, spread by
 * a quarter either way with `seed` so that parallel callers part, and never below `at_least_ms`.
 */
uint64_t sc_retry_delay_ms(unsigned n_failed, uint64_t at_least_ms, uint64_t seed);

#endif
