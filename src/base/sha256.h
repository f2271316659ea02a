/**
 * sha256.h - SHA-256 through libcrypto.
 *
 * Threads: one thread at a time per state.
 * Source:  FIPS 180-4.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_SHA256_H
#define SC_BASE_SHA256_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sc_sha256 sc_sha256;

enum { SC_SHA256_HEX = 65 }; // 64 hexadecimal digits and the NUL

/** A fresh state. Owns: the caller frees *out with sc_sha256_free. Errors: SC_E_NOMEM */
sc_code sc_sha256_new(sc_sha256 **out, sc_err *err) SC_CHECKED;
void sc_sha256_free(sc_sha256 *s);
void sc_sha256_add(sc_sha256 *s, const void *bytes, size_t n);
/** Writes the digest as lower-case hexadecimal text; the state is used up. */
void sc_sha256_hex(sc_sha256 *s, char hex[SC_SHA256_HEX]);

/** The digest of `n` bytes. Errors: SC_E_NOMEM */
sc_code sc_sha256_bytes(const void *bytes, size_t n, char hex[SC_SHA256_HEX],
                        sc_err *err) SC_CHECKED;

/** The digest of the file `path`, read in blocks. Errors: SC_E_IO, SC_E_NOMEM */
sc_code sc_sha256_file(const char *path, char hex[SC_SHA256_HEX], sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_sha256, sc_sha256_free);

#endif
