/**
 * huge.h - the memory that every sample starts with, in huge pages.
 *
 * A sample is a fork of the warm interpreter. Page by page a fork copies a table entry for each
 * page of the heap, brings the program's code in by faults, and takes everything apart again at its
 * end; that is most of what a short program costs. In huge pages the code is there at once, and
 * what is read or left alone is copied and dropped whole. Only speed: where the machine has no huge
 * page to give, everything stays as it was.
 *
 * Threads: one thread at a time, before any other exists.
 * Source:  Documentation/admin-guide/mm/transhuge.rst of Linux
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_HUGE_H
#define SC_GUEST_HUGE_H

#include <stddef.h>

enum { SC_HUGE = 2 << 20 };

/** Moves the segments of this program that are large and aligned. Needs /proc. */
void sc_huge_program(void);

/** Makes the next 2 MiB that malloc gives come out of one huge page. */
void sc_huge_heap(void);

/** Room of `size` bytes, a multiple of SC_HUGE, in huge pages where there are any; NULL: none at
 * all. */
char *sc_huge_room(size_t size);

#endif
