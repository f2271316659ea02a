/**
 * map.h - a file as read-only memory.
 *
 * Threads: immutable after opening; any number of threads may read.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_MAP_H
#define SC_BASE_MAP_H

#include "base/err.h"

#include <stddef.h>

typedef struct sc_map sc_map;

/**
 * Maps the regular file `path` whole, without reading it.
 *
 * A file that another process shortens afterwards ends the reader with SIGBUS, as every mapping
 * does (the program then says so and exits); model files are not written in place.
 *
 * Owns:   the caller closes *out with sc_map_close.
 * Errors: SC_E_IO (err->sys is the errno; a folder or device gives SC_E_FORMAT), SC_E_NOMEM
 */
sc_code sc_map_open(const char *path, sc_map **out, sc_err *err) SC_CHECKED;

/** The bytes; *size is their count. A valid pointer even for an empty file. Borrowed until close.
 */
const void *sc_map_bytes(const sc_map *m, size_t *size);

/** Tells the system that the range will not be read again soon, so that its pages leave our RSS. */
void sc_map_forget(const sc_map *m, size_t at, size_t size);

/**
 * The same for a range inside a mapping. The page of its end stays, for what follows; give back
 * neighbours in rising order and nothing is left over.
 */
void sc_map_leave(const void *from, size_t size);

void sc_map_close(sc_map *m);

SC_AUTO_DEFINE(sc_map, sc_map_close);

#endif
