/**
 * tree.h - CPU time and memory of a process and everything below it, from outside.
 *
 * The kernel's own sums miss children that nobody waited for, so the tree is looked at from time to
 * time and what a process had used when it was last seen is kept.
 *
 * Threads: one thread at a time.
 * Source:  proc(5); clock_getcpuclockid(3).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_TREE_H
#define SC_BOX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SC_TREE_MAX = 512 };

typedef struct sc_tree {
    pid_t root;
    size_t n;
    struct {
        pid_t pid;
        bool alive;
        uint64_t cpu_ns;
    } seen[SC_TREE_MAX];
    uint64_t gone_ns;  // of processes that had to make room
    uint64_t cpu_ns;   // of all ever seen
    uint64_t delay_ns; // that the root was ready to run and had to wait for a CPU
    uint64_t rss_kib;  // now, as if nothing were shared
    uint64_t peak_kib; // largest proportional size seen
    size_t alive;      // processes at the last look
} sc_tree;

void sc_tree_init(sc_tree *t, pid_t root);

/** Looks once. `limit_kib`: only near it is the exact, dear size of a tree asked for. */
void sc_tree_look(sc_tree *t, uint64_t limit_kib);

/** The direct children of `pid`, at most `max`; their number, or 0 when it is gone. */
size_t sc_tree_children(pid_t pid, pid_t *out, size_t max);

/** The kernel's list of the children of a process with one thread, to be counted again and again;
 * -1: this kernel has none. The caller closes it. */
int sc_tree_open_children(pid_t pid);

/** How many it has now; 0 when it is gone. */
size_t sc_tree_count_children(int fd);

/** The process behind a pidfd, as this process numbers it; -1: gone. */
pid_t sc_tree_pid_of(int pidfd);

#endif
