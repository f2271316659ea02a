/**
 * memory.h - what memory this process uses, as the kernel counts it.
 *
 * Threads: any thread.
 * Source:  proc(5): /proc/self/status, /proc/self/clear_refs, /proc/meminfo.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MEASURE_MEMORY_H
#define SC_MEASURE_MEMORY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/** All in bytes. */
typedef struct sc_rss {
    uint64_t now;       // resident
    uint64_t peak;      // most that was ever resident, or since sc_rss_reset_peak
    uint64_t anonymous; // of `now`: our own memory
    uint64_t file;      // of `now`: pages of mapped files, which the page cache holds anyway
    uint64_t shared;    // of `now`: shared memory
} sc_rss;

/** Errors: SC_E_IO when the kernel does not say */
sc_code sc_rss_read(sc_rss *out, sc_err *err) SC_CHECKED;

/** Lets the peak start again from what is resident now; false where the kernel does not allow it.
 */
bool sc_rss_reset_peak(void);

typedef struct sc_system_memory {
    uint64_t total;
    uint64_t available; // what a new process could use without swapping
} sc_system_memory;

/** Errors: SC_E_IO */
sc_code sc_system_memory_read(sc_system_memory *out, sc_err *err) SC_CHECKED;

#endif
