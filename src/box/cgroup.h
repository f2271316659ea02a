/**
 * cgroup.h - a control group for the samples of a worker, in a directory that was handed over.
 *
 * Limits of the whole tree by the kernel itself: memory without swap, processes; what was killed
 * for memory is counted, CPU time is summed up with what nobody waited for. The directory belongs
 * to whoever names it; below it we make one group a worker and remove it at the end.
 *
 * Threads: one thread at a time.
 * Source:  Documentation/admin-guide/cgroup-v2.rst of Linux
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_CGROUP_H
#define SC_BOX_CGROUP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sc_cgroup {
    char *path; // owned; NULL: no group
    int dir;    // -1
    int procs;  // who writes "0" here moves in; the supervisor's right to do so goes with it
    uint64_t memory, tasks; // as last written
} sc_cgroup;

/** What the kernel counted since the group was made. */
typedef struct sc_cgroup_state {
    uint64_t cpu_us; // of everything that ever was in it
    uint64_t oom_kills;
    bool populated; // a process is in it
} sc_cgroup_state;

/**
 * Makes sure that groups with limits can be made in `dir`: version 2, controllers memory and pids
 * there and passed on to the groups below.
 *
 * Errors: SC_E_SANDBOX names what is missing
 */
sc_code sc_cgroup_prepare(const char *dir, sc_err *err) SC_CHECKED;

/**
 * Makes the group of worker `slot` of this process in `dir`.
 *
 * Owns:   the caller drops *out with sc_cgroup_drop.
 * Errors: SC_E_SANDBOX, SC_E_NOMEM
 */
sc_code sc_cgroup_make(const char *dir, unsigned slot, sc_cgroup *out, sc_err *err) SC_CHECKED;

/** Opens the files of a group that exists. As sc_cgroup_make; *out takes over `path`. */
sc_code sc_cgroup_open(char *path, sc_cgroup *out, sc_err *err) SC_CHECKED;

/** Limits for the next sample. Errors: SC_E_SANDBOX */
sc_code sc_cgroup_limit(sc_cgroup *g, uint64_t memory, uint64_t tasks, sc_err *err) SC_CHECKED;

/** Errors: SC_E_SANDBOX for a file that cannot be read or has not what it must have */
sc_code sc_cgroup_look(const sc_cgroup *g, sc_cgroup_state *out, sc_err *err) SC_CHECKED;

/** Kills everything in it. */
void sc_cgroup_kill(const sc_cgroup *g);

/** Kills what is left and removes the group. NULL or a group that never was: nothing. */
void sc_cgroup_drop(sc_cgroup *g);

#endif
