/**
 * zip.h - reads the directory of a ZIP archive whose members are stored, not compressed.
 *
 * Such an archive can be used in place: a member is a range of the file. The checks are those that
 * keep two readers from seeing two different archives: names are plain and differ, local headers
 * say what the directory says, members do not overlap.
 *
 * Threads: immutable after parsing; any number of threads may read.
 * Source:  PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5; ZIP64 as caffe2/serialize writes it.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_ZIP_H
#define SC_FMT_ZIP_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sc_zip sc_zip;

typedef struct sc_zip_member {
    sc_str name;   // borrowed from the file
    uint64_t at;   // of the first byte, from the start of the file
    uint64_t size; // bytes
    uint32_t crc;  // CRC-32 that they should have
    uint64_t head; // of the local header
} sc_zip_member;

/**
 * Parses the `size` bytes of a file, which the caller keeps until sc_zip_free.
 *
 * Owns:   the caller frees *out with sc_zip_free
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED (compressed, encrypted, several disks), SC_E_LIMIT,
 *         SC_E_NOMEM
 */
sc_code sc_zip_parse(const void *bytes, size_t size, sc_zip **out, sc_err *err) SC_CHECKED;

void sc_zip_free(sc_zip *z);

/** The members in the order of the directory; *n is their count. Borrowed until it is freed. */
const sc_zip_member *sc_zip_members(const sc_zip *z, size_t *n);

/** The member called `name`, or NULL. Borrowed until it is freed. */
const sc_zip_member *sc_zip_find(const sc_zip *z, sc_str name);

/** Reads the whole member and compares its CRC-32. Errors: SC_E_FORMAT when it differs */
sc_code sc_zip_check(const sc_zip *z, const sc_zip_member *m, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_zip, sc_zip_free);

#endif
