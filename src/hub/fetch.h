/**
 * fetch.h - downloads one file: parallel pieces, resumed after every kind of cut, checked.
 *
 * Pieces are asked for on several connections and written in order, so that what is on the disk is
 * always the file's beginning: an interrupted download can be resumed, by huggingface_hub too, and
 * the hash is computed while the bytes pass by. A server that knows no ranges is read in one piece.
 *
 * Memory: (connections + 2) pieces at most.
 * Threads: one thread at a time per session.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_FETCH_H
#define SC_HUB_FETCH_H

#include "hub/ask.h"

typedef struct sc_hub_source {
    const char *name;    // for messages
    const char *ask_url; // the hub's own address of the file
    char *url;           // owned: where the bytes are, after the hub's redirect
    char *etag;          // owned: of the content, as the cache names it
    uint64_t size;
} sc_hub_source;

void sc_hub_source_drop(sc_hub_source *s);

/**
 * Asks the hub for the place, the size and the hash of the file at `ask_url` (borrowed).
 *
 * Owns:   the caller drops *out with sc_hub_source_drop.
 * Errors: as sc_hub_ask; SC_E_FORMAT for headers that make no sense, or another commit than
 * `commit`
 */
sc_code sc_hub_source_find(sc_hub_session *s, const char *name, const char *ask_url,
                           const char *commit, sc_hub_source *out, sc_err *err) SC_CHECKED;

/**
 * Downloads into `part` (resumed when it is there), checks the hash, and renames it to `path`.
 *
 * session->progress.done grows by the bytes as they are written; those that were in `part` count.
 * Errors: as sc_hub_ask; SC_E_FORMAT the hash is wrong (and `part` is gone), SC_E_IO
 */
sc_code sc_hub_fetch(sc_hub_session *s, sc_hub_source *from, const char *part, const char *path,
                     sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_hub_source, sc_hub_source_drop);

#endif
