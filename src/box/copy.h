/**
 * copy.h - copies and removes folder trees; a link is copied as what it names and removed as
 * itself.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_COPY_H
#define SC_BOX_COPY_H

#include "base/err.h"

#include <stdbool.h>

/** Makes `path` and the folders above it, readable by everybody. Errors: SC_E_SANDBOX */
sc_code sc_copy_make_dirs(const char *path, sc_err *err) SC_CHECKED;

/** Copies a file; one that does not exist is left out. Errors: SC_E_SANDBOX */
sc_code sc_copy_file(const char *from, const char *to, sc_err *err) SC_CHECKED;

/**
 * Copies the folder `from`, without entries called as one of `without` (NULL at its end, or NULL).
 * With `link` the files are the same ones under a second name.
 */
sc_code sc_copy_tree(const char *from, const char *to, const char *const *without, bool link,
                     sc_err *err) SC_CHECKED;

/** Removes the folder and all in it; false when something is left. */
bool sc_copy_remove(const char *path);

#endif
