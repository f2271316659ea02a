/**
 * resolve.h - from what a user writes for a model to a file or folder on this machine.
 *
 * The order: an existing file, an existing folder, one of the short names (codellama-7b,
 * codegen-350m, starcoder-1b), org/name[@revision][:pattern] in the Hugging Face cache, and only
 * when the caller allows it a download into that cache.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_RESOLVE_H
#define SC_HUB_RESOLVE_H

#include "hub/choose.h"
#include "hub/places.h"
#include "hub/pull.h"

typedef enum sc_hub_pull_when {
    SC_HUB_PULL_NEVER,   // the cache alone; no socket is opened
    SC_HUB_PULL_MISSING, // download what the cache lacks
} sc_hub_pull_when;

typedef struct sc_hub_opts { // all-zero: a model, from files and the cache alone
    sc_hub_want want;
    sc_hub_pull_when pull;
    const sc_hub_env *env;       // borrowed; NULL: the process's environment
    const sc_hub_pull_opts *how; // borrowed; progress, stop flag; NULL: none
} sc_hub_opts;

/**
 * Finds the model (or tokenizer) `arg`. *path is a file or folder that exists.
 *
 * Owns:   the caller frees *path with sc_free.
 * Errors: SC_E_NOTFOUND with what was tried and how to get it; SC_E_USAGE; with a download those of
 *         sc_hub_pull
 */
sc_code sc_hub_resolve(const char *arg, const sc_hub_opts *opts, char **path,
                       sc_err *err) SC_CHECKED;

#endif
