/**
 * pull.h - downloads a model of the hub into the Hugging Face cache.
 *
 * The files land where huggingface_hub would put them, under the same locks, so transformers finds
 * them and both programs may run at once. A file is visible only when it is whole and its hash is
 * the hub's; an interrupted download goes on from where it stopped.
 *
 * Threads: any thread; parallel pulls of the same files wait for each other.
 * Source:  file_download.py and hf_api.py of huggingface/huggingface_hub.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_PULL_H
#define SC_HUB_PULL_H

#include "base/clock.h"
#include "hub/choose.h"
#include "hub/name.h"
#include "hub/places.h"

#include <stdatomic.h>

/** What a download reports, about ten times a second and at the end of each file. */
typedef struct sc_hub_progress {
    sc_str repo;
    sc_str file; // the one at work
    size_t i_file, n_files;
    uint64_t done, total; // bytes over all files; what was there before counts as done
    uint64_t retry_in_ms; // not 0: waiting for the server that long
    const char *why;      // the reason for it; borrowed for the call
} sc_hub_progress;

typedef void sc_hub_progress_fn(void *ctx, const sc_hub_progress *p);

typedef struct sc_hub_pull_opts { // all-zero: silent, four connections, the real clock
    sc_hub_progress_fn *progress;
    void *progress_ctx;      // borrowed
    const atomic_bool *stop; // borrowed; set: ends within a second with SC_E_INTERRUPTED
    unsigned connections;    // 1 to 16; 0: 4
    uint64_t segment_size;   // bytes asked for at once on one connection; 0: 8 MiB
    // For tests: time, and the wait between tries, and the free space of a folder.
    const sc_clock *clock;                              // borrowed; NULL: real
    void (*wait_ms)(void *ctx, uint64_t ms);            // NULL: really waits
    uint64_t (*free_bytes)(void *ctx, const char *dir); // NULL: asks the file system
    void *test_ctx;                                     // borrowed
} sc_hub_pull_opts;

/**
 * Downloads what `want` needs of `name`; files that are in the cache already are not fetched again.
 * *path is as for sc_hub_cache_find.
 *
 * Owns:   the caller frees *path with sc_free.
 * Errors: SC_E_NET the hub answered something else than the file, for good or too often (err->sys
 *         is the HTTP status, 0 when there was none); SC_E_NOTFOUND no such repository, revision or
 *         file; SC_E_FORMAT an answer that makes no sense, or a wrong hash; SC_E_LIMIT not enough
 *         space on the disk; SC_E_USAGE HF_HUB_OFFLINE is set; SC_E_INTERRUPTED; SC_E_IO;
 * SC_E_NOMEM
 */
sc_code sc_hub_pull(const sc_hub_places *places, const sc_hub_name *name, sc_hub_want want,
                    const sc_hub_pull_opts *opts, char **path, sc_err *err) SC_CHECKED;

#endif
