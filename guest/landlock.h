/**
 * landlock.h - the Landlock calls that glibc 2.36 has no wrapper for, and one ruleset for our use.
 *
 * Threads: one thread at a time.
 * Source:  landlock(7); Linux's include/uapi/linux/landlock.h, ABI 1 to 6.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_LANDLOCK_H
#define SC_GUEST_LANDLOCK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The kernel's Landlock ABI; 0: it has none, or it is switched off. */
int sc_landlock_abi(void);

typedef struct sc_landlock_rule {
    const char *path; // one that does not exist is left out
    bool write;       // else read only
    bool device;      // a device file: read and write, nothing else
    bool late;        // not there yet: opened when the rules are put in force
    int fd;           // of the opened path; -1: none
    uint64_t allowed; // what may be done below it
} sc_landlock_rule;

/**
 * Opens the paths of `rules`, but those that are late, so that the processes forked from this one
 * need not. The descriptors stay open.
 *
 * Errors: SC_E_SANDBOX
 */
sc_code sc_landlock_open(int abi, sc_landlock_rule *rules, size_t n, sc_err *err) SC_CHECKED;

/**
 * Restricts this process for ever to the opened `rules`, and with `late` to the late ones too: no
 * execution, no TCP, and where the
 * kernel can, no signal and no abstract socket to anything outside this domain.
 *
 * Needs:  no_new_privs is set.
 * Errors: SC_E_SANDBOX
 */
sc_code sc_landlock_lock(int abi, const sc_landlock_rule *rules, size_t n, bool late,
                         sc_err *err) SC_CHECKED;

#endif
