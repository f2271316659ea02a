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
        bool alive, walked; // at the last look; at the last walk
        uint64_t cpu_ns;
    } seen[SC_TREE_MAX];
    uint64_t gone_ns;  // of processes that had to make room
    uint64_t cpu_ns;   // of all ever seen
    uint64_t delay_ns; // that the root was ready to run and had to wait for a CPU
    uint64_t rss_kib;  // now
    uint64_t peak_kib; // largest size that was sure
    size_t alive;      // processes at the last look
    struct {           // the last time that the kernel walked over all their pages
        uint64_t end_ns, took_ns;
        uint64_t twice_kib, anon_twice_kib; // what adding up sizes counts more than once
    } walk;
} sc_tree;

void sc_tree_init(sc_tree *t, pid_t root);

/**
 * Looks once. The size of one process, and of several whose sizes add up to no more than half of
 * `limit_kib`, is that sum. Beyond it what forked processes share counts once, which only the
 * kernel knows: it then walks over all their pages, 12 µs a MiB and several times that on a busy
 * machine, in which they grow. So that is asked for when the limit may have been passed, else for a
 * ninth of the time at most; between two walks what was shared is taken off. `rss_kib` above the
 * limit is never a guess.
 */
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
