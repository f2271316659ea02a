/**
 * memory.h - how much memory the system could give this process.
 *
 * Threads: any thread.
 * Source:  proc(5): /proc/meminfo; the kernel's cgroup-v2 documentation: memory.max.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_MEMORY_H
#define SC_MODEL_MEMORY_H

#include <stdint.h>

/** Bytes: what is available, or what the control group leaves, if that is less; 0: unknown. */
uint64_t sc_memory_available(void);

#endif
