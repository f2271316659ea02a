/**
 * root.h - the file tree that a box sees, and how a used folder becomes empty.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_ROOT_H
#define SC_GUEST_ROOT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Makes a small memory file system the root: the interpreter's files read-only, three devices, an
 * empty /tmp and nothing else; with `tools` also Debian's Python packages.
 *
 * Needs:  a mount namespace of our own and the right to mount in it.
 * Errors: SC_E_SANDBOX
 */
sc_code sc_root_mount(const char *stdlib, const char *libs, bool tools, sc_err *err) SC_CHECKED;

/**
 * Kills every process of the user `uid` (0: none) and empties the folder `home`, as that user and
 * without following a link.
 *
 * Errors: SC_E_SANDBOX when something is left
 */
sc_code sc_root_sweep(const char *home, uint32_t uid, sc_err *err) SC_CHECKED;

#endif
