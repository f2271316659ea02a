/**
 * listing.h - what the hub says a repository holds: pages of JSON and the link to the next page.
 *
 * Everything is hostile: paths that leave the folder, sizes and hashes that are none, endless
 * listings are refused.
 *
 * Threads: one thread at a time per listing.
 * Source:  hf_api.py of huggingface_hub (list_repo_tree), RFC 8288 (Link).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_LISTING_H
#define SC_HUB_LISTING_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { SC_HUB_MAX_ENTRIES = 100000, SC_HUB_HASH_SIZE = 65 };

typedef struct sc_hub_entry {
    char *path; // owned; safe
    uint64_t size;
    char hash[SC_HUB_HASH_SIZE]; // SHA-256 of the bytes (64 digits), or of git's blob (40)
} sc_hub_entry;

typedef struct sc_hub_listing {
    sc_hub_entry *at; // owned, [n]: the files, folders are left out
    size_t n, cap;
} sc_hub_listing;

/**
 * Adds the files of one page of .../tree/<revision>.
 *
 * Errors: SC_E_FORMAT (which entry and why), SC_E_LIMIT too many entries, SC_E_NOMEM; what was
 *         added before stays
 */
sc_code sc_hub_listing_add(sc_hub_listing *l, sc_str page, sc_err *err) SC_CHECKED;

void sc_hub_listing_drop(sc_hub_listing *l);

/** The target of the link with rel="next" in a Link header; empty when there is none. Borrowed. */
sc_str sc_hub_link_next(sc_str header);

/** The commit in the answer of .../revision/<name>. Errors: SC_E_FORMAT, SC_E_NOMEM */
sc_code sc_hub_listing_commit(sc_str answer, char commit[41], sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_hub_listing, sc_hub_listing_drop);

#endif
