/**
 * cache.h - reads the Hugging Face cache. No network code, nothing is written.
 *
 * Layout: models--org--name/ with refs/<revision> (a text: the commit), snapshots/<commit>/<path>
 * (links into blobs/, or real files where links are switched off).
 *
 * Threads: any thread.
 * Source:  the guide "Understand caching" of huggingface_hub.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_CACHE_H
#define SC_HUB_CACHE_H

#include "hub/choose.h"
#include "hub/name.h"
#include "hub/places.h"

/**
 * Finds the model or tokenizer `name` in the cache, complete: *path is its snapshot folder, or the
 * one file (GGUF, .pt) that is the model.
 *
 * Owns:   the caller frees *path with sc_free.
 * Errors: SC_E_NOTFOUND not there, or parts of it are missing, with what is; SC_E_USAGE several
 *         GGUF files; SC_E_FORMAT a refs file that holds no commit; SC_E_IO; SC_E_LIMIT; SC_E_NOMEM
 */
sc_code sc_hub_cache_find(const sc_hub_places *places, const sc_hub_name *name, sc_hub_want want,
                          char **path, sc_err *err) SC_CHECKED;

/** One snapshot of the cache. */
typedef struct sc_hub_cached {
    char *repo;     // owned: "org/name"
    char *commit;   // owned
    char *revision; // owned: a ref that points at it; NULL: none does
    char *path;     // owned: of the snapshot folder
    char *lacks;    // owned: why it cannot be used as a model; NULL: it can
    size_t n_files;
    uint64_t size; // bytes of its files
} sc_hub_cached;

typedef struct sc_hub_cached_list {
    sc_hub_cached *at; // owned, [n], by repository and commit
    size_t n, cap;
} sc_hub_cached_list;

/**
 * All model snapshots of the cache; a cache that does not exist is an empty list.
 *
 * Owns:   the caller drops *out with sc_hub_cached_list_drop.
 * Errors: SC_E_IO, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_hub_cache_list(const sc_hub_places *places, sc_hub_cached_list *out,
                          sc_err *err) SC_CHECKED;

void sc_hub_cached_list_drop(sc_hub_cached_list *l);

SC_AUTO_DEFINE_VALUE(sc_hub_cached_list, sc_hub_cached_list_drop);

#endif
