/**
 * pickle_names.h - what a global of a pickle is to us, by its name.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_PICKLE_NAMES_H
#define SC_FMT_PICKLE_NAMES_H

#include "base/str.h"

/**
 * Whether the global is one through which code or a program could be run. A checkpoint needs none
 * of them, so a file that names one is not what it seems. Nothing depends on this list being
 * complete: no global is ever called.
 */
bool sc_pickle_name_is_hostile(sc_str module, sc_str name);

/** Whether calling the global makes a dict. */
bool sc_pickle_name_is_dict(sc_str module, sc_str name);

/** Whether calling the global makes a set. */
bool sc_pickle_name_is_set(sc_str module, sc_str name);

#endif
