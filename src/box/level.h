/**
 * level.h - how much of the sandbox a machine lets us build.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_LEVEL_H
#define SC_BOX_LEVEL_H

/** Ordered: a higher one holds everything that a lower one holds. */
typedef enum sc_box_level {
    SC_BOX_NONE = 0,     // limits only; nothing keeps a program from reading or sending anything
    SC_BOX_REDUCED_SELF, // Landlock, seccomp without fork, limits; as the calling user
    SC_BOX_REDUCED_UID,  // needs root: a user id and a root folder of its own, Landlock, seccomp
    SC_BOX_FULL,         // namespaces for all of it
} sc_box_level;

#endif
