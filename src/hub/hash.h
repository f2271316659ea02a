/**
 * hash.h - the two hashes by which the hub names a file's content.
 *
 * 64 digits: SHA-256 of the bytes (large files). 40 digits: git's blob hash, the SHA-1 of "blob ",
 * the length, a NUL byte and the bytes. SHA-1 is what git has; it finds damage, not an attacker.
 *
 * Threads: one thread at a time per state.
 * Source:  git's hash-object(1); the LFS pointer specification of git-lfs.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_HASH_H
#define SC_HUB_HASH_H

#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_hub_hash sc_hub_hash;

/**
 * Starts to check `size` bytes against `want`, 64 or 40 lower-case digits. Another text (a mirror's
 * own ETag) cannot be checked: sc_hub_hash_holds is then true for the right number of bytes.
 *
 * Owns:   the caller frees *out with sc_hub_hash_free; `want` is copied.
 * Errors: SC_E_NOMEM
 */
sc_code sc_hub_hash_new(const char *want, uint64_t size, sc_hub_hash **out, sc_err *err) SC_CHECKED;

void sc_hub_hash_add(sc_hub_hash *h, const void *bytes, size_t n);

/** Whether the bytes were `size` many and their hash is the wanted one; the state is used up. */
bool sc_hub_hash_holds(sc_hub_hash *h, char got[65]);

void sc_hub_hash_free(sc_hub_hash *h);

SC_AUTO_DEFINE(sc_hub_hash, sc_hub_hash_free);

#endif
