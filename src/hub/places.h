/**
 * places.h - where the Hugging Face cache, the hub and the token are, as the environment says.
 *
 * The rules are huggingface_hub's, so that both programs see the same files. The environment is
 * passed in as a function: tests give their own, nothing here changes the process's.
 *
 * Threads: immutable after sc_hub_places_init; the real environment must not be changed meanwhile.
 * Source:  src/huggingface_hub/constants.py of huggingface/huggingface_hub.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_PLACES_H
#define SC_HUB_PLACES_H

#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sc_hub_env {
    const char *(*get)(void *ctx, const char *name); // NULL when the variable is not set
    void *ctx;                                       // borrowed
} sc_hub_env;

/** The environment of the process. */
sc_hub_env sc_hub_env_real(void);

typedef struct sc_hub_places {
    char *cache;                  // owned: root of the cache
    char *endpoint;               // owned: "https://huggingface.co", without a slash at the end
    char *token;                  // owned; NULL: none. Never part of a message
    char *ca_file;                // owned; NULL: the system's certificates
    bool offline;                 // no network may be used
    bool no_symlinks;             // snapshots get real files
    uint32_t etag_timeout_ms;     // for one question about a file
    uint32_t download_timeout_ms; // for a silence while a file arrives
} sc_hub_places;

/**
 * Reads HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HOME; HF_ENDPOINT; HF_TOKEN,
 * HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN; HF_HUB_OFFLINE,
 * TRANSFORMERS_OFFLINE; HF_HUB_DISABLE_SYMLINKS; HF_HUB_ETAG_TIMEOUT, HF_HUB_DOWNLOAD_TIMEOUT;
 * REQUESTS_CA_BUNDLE, SSL_CERT_FILE.
 *
 * Owns:   the caller drops *out with sc_hub_places_drop.
 * Errors: SC_E_USAGE, naming the variable, when a value makes no sense or no folder can be derived;
 *         SC_E_NOMEM
 */
sc_code sc_hub_places_init(sc_hub_places *out, const sc_hub_env *env, sc_err *err) SC_CHECKED;

void sc_hub_places_drop(sc_hub_places *p);

SC_AUTO_DEFINE_VALUE(sc_hub_places, sc_hub_places_drop);

#endif
