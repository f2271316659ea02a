/**
 * hashes.h - SHA-256 of model files, remembered by path, size and time of change.
 *
 * A gigabyte takes a second or more to hash, so a run does it after generating, and a file that did
 * not change since is not read again. The memory is a small file in our cache folder; when it
 * cannot be read or written, files are simply hashed.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_HASHES_H
#define SC_EVAL_HASHES_H

#include "base/err.h"
#include "base/json.h"
#include "base/sha256.h"

#include <stdatomic.h>

typedef struct sc_hashes sc_hashes;

/** `cache_file` may be NULL: nothing is remembered. Owns: the caller frees *out. Errors: SC_E_NOMEM
 */
sc_code sc_hashes_new(const char *cache_file, sc_hashes **out, sc_err *err) SC_CHECKED;
void sc_hashes_free(sc_hashes *h);

/** The digest of the file. Errors: SC_E_IO, SC_E_NOMEM; SC_E_INTERRUPTED when *stop (may be NULL)
 * becomes true */
sc_code sc_hashes_get(sc_hashes *h, const char *path, const atomic_bool *stop,
                      char hex[SC_SHA256_HEX], sc_err *err) SC_CHECKED;

/** Writes what is new to the cache file; a failure costs time later and is ignored. */
void sc_hashes_save(sc_hashes *h);

SC_AUTO_DEFINE(sc_hashes, sc_hashes_free);

#endif
