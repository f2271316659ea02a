/**
 * file.h - whole files in, whole files out, and paths.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_FILE_H
#define SC_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Reads the regular file `path` into `out` (cleared first).
 *
 * Errors: SC_E_IO, SC_E_LIMIT when it is longer than `max` bytes, SC_E_NOMEM
 */
sc_code sc_file_read(const char *path, size_t max, sc_buf *out, sc_err *err) SC_CHECKED;

/**
 * Writes `path` so that a reader, or a crash, sees the old file or the whole new one: a temporary
 * file beside it, flushed to the disk, then renamed.
 *
 * Errors: SC_E_IO, SC_E_NOMEM; the old file is untouched and the temporary one removed
 */
sc_code sc_file_write(const char *path, sc_str bytes, sc_err *err) SC_CHECKED;

/** Makes the folder `path` and those above it; an existing folder is fine. Errors: SC_E_IO */
sc_code sc_file_make_dirs(const char *path, sc_err *err) SC_CHECKED;

bool sc_file_is_dir(const char *path);
bool sc_file_is_file(const char *path);

/** Joins "dir/name" on the heap; NULL when memory is out. The caller frees it. */
char *sc_path_join(const char *dir, const char *name) SC_CHECKED;

/** The part behind the last '/'; borrowed from `path`. */
const char *sc_path_base(const char *path);

/** The part before the last '/', "." when there is none; heap, the caller frees; NULL: no memory.
 */
char *sc_path_dir(const char *path) SC_CHECKED;

#endif
