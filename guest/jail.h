/**
 * jail.h - the locks: namespaces, a private root, limits, capabilities, Landlock, seccomp.
 *
 * Two steps. sc_jail_box prepares the worker once, before an interpreter exists; sc_jail_sample
 * locks one forked sample, before any byte of its code is looked at. Every call is checked: a lock
 * that does not hold ends the process, and the message says which one it was.
 *
 * Threads: one thread at a time; both steps need a process with a single thread.
 * Source:  user_namespaces(7), pid_namespaces(7), mount_namespaces(7), landlock(7), seccomp(2).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_JAIL_H
#define SC_GUEST_JAIL_H

#include "base/err.h"
#include "box/wire.h"

#include <stdbool.h>

typedef struct sc_jail sc_jail;

typedef struct sc_jail_opts {
    uint32_t level;      // sc_box_level
    uint32_t uid;        // host uid to become; 0: stay
    bool tools;          // Debian's Python packages are visible too
    const char *scratch; // reduced levels: the worker's writable folder (full: made inside)
    const char *root;    // reduced-uid: the prepared root folder
    const char *stdlib;  // folder of the standard library
    const char *libs;    // folder of the shared libraries
} sc_jail_opts;

/**
 * Locks this process into its box. At level full it forks: the call returns in the child, pid 1 of
 * the box, and the parent waits for it and exits with its status.
 *
 * Owns:   the caller keeps *out for ever.
 * Errors: SC_E_SANDBOX names the step and the errno
 */
sc_code sc_jail_box(const sc_jail_opts *o, sc_jail **out, sc_err *err) SC_CHECKED;

/** After the interpreter is warm: no new privileges, and the allow list of the whole box. */
sc_code sc_jail_seal(sc_jail *j, sc_err *err) SC_CHECKED;

/**
 * Forks a sample: at level full it is pid 1 of a pid namespace of its own. As fork(2); -1 sets err.
 */
int sc_jail_fork(sc_jail *j, sc_err *err);

/**
 * Forks the checker. At level reduced-uid it is a child that only __WALL waits for, so that a plain
 * wait ends when nothing of a sample is left.
 */
int sc_jail_fork_checker(sc_jail *j, sc_err *err);

/** In the forked sample: all locks. */
sc_code sc_jail_sample(sc_jail *j, const sc_wire_limits *l, sc_err *err) SC_CHECKED;

/** In the forked checker: as a sample, but nothing is writable and no process can be started. */
sc_code sc_jail_checker(sc_jail *j, const sc_wire_limits *l, sc_err *err) SC_CHECKED;

/** In the zygote, after a sample ended: kills what it left and empties its folder (reduced levels).
 */
sc_code sc_jail_sweep(sc_jail *j, sc_err *err) SC_CHECKED;

/** The folder that a sample may write, as it sees it. */
const char *sc_jail_home(const sc_jail *j);

#endif
