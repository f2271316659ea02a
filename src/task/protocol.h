/**
 * protocol.h - how a completion is asked for: a name, a version, and the numbers behind it.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TASK_PROTOCOL_H
#define SC_TASK_PROTOCOL_H

#include <stdint.h>

typedef struct sc_protocol {
    const char *name; // "seed@1": name and version
    const char *about;
    double temperature;
    double top_p;
    uint32_t top_k;
    uint32_t max_tokens;
} sc_protocol;

/** The protocol of the original benchmark. */
extern const sc_protocol sc_protocol_seed;

#endif
