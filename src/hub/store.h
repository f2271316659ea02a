/**
 * store.h - writes the Hugging Face cache: locks, links, references.
 *
 * Threads: any thread, any number of processes; the lock of a file's hash keeps writers apart, with
 * the same lock files as huggingface_hub.
 * Source:  file_download.py of huggingface_hub; flock(2) as its filelock package uses it.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_STORE_H
#define SC_HUB_STORE_H

#include "base/buf.h"
#include "hub/ask.h"

/** Makes the cache's root with its CACHEDIR.TAG, and the repository's folder. Errors: SC_E_IO */
sc_code sc_hub_store_prepare(const sc_hub_places *places, const char *repo_dir,
                             sc_err *err) SC_CHECKED;

/**
 * Takes the lock file `path`, waiting for another holder.
 *
 * Owns:   the caller gives *fd to sc_hub_store_unlock.
 * Errors: SC_E_IO, SC_E_INTERRUPTED, SC_E_LIMIT when it is held for an hour
 */
sc_code sc_hub_store_lock(sc_hub_session *s, const char *path, int *fd, sc_err *err) SC_CHECKED;
void sc_hub_store_unlock(int fd);

/**
 * Makes `snapshot`/`path` lead to `blobs`/`blob`: a relative link, or with no_symlinks (or on a
 * file system without them) the file itself. An older entry is replaced at once.
 *
 * Errors: SC_E_IO, SC_E_NOMEM
 */
sc_code sc_hub_store_link(const sc_hub_places *places, const char *repo_dir, const char *commit,
                          const char *path, const char *blob, sc_err *err) SC_CHECKED;

/** Writes refs/<revision>. Errors: SC_E_IO, SC_E_NOMEM */
sc_code sc_hub_store_ref(const char *repo_dir, sc_str revision, const char *commit,
                         sc_err *err) SC_CHECKED;

#endif
