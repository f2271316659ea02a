/**
 * safetensors.h - reads the directory of a safetensors file, and writes such files.
 *
 * The rules are those of the reference reader, and two more: a name twice and a name with control
 * characters are refused. Nothing is copied: a tensor says where its bytes lie in the file, and
 * that range has been checked.
 *
 * Threads: immutable after parsing; any number of threads may read.
 * Source:  huggingface/safetensors, README.md and safetensors/src/tensor.rs.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_SAFETENSORS_H
#define SC_FMT_SAFETENSORS_H

#include "base/buf.h"
#include "base/json.h"
#include "fmt/tensor.h"

typedef struct sc_safetensors sc_safetensors;

/**
 * Parses the `size` bytes of a file, which the caller keeps until sc_safetensors_free.
 *
 * Owns:   the caller frees *out with sc_safetensors_free
 * Errors: SC_E_FORMAT      truncated, not this format, or inconsistent (err->at is the byte)
 *         SC_E_UNSUPPORTED a tensor of a type that this program does not compute with
 *         SC_E_NOMEM
 */
sc_code sc_safetensors_parse(const void *bytes, size_t size, sc_safetensors **out,
                             sc_err *err) SC_CHECKED;

void sc_safetensors_free(sc_safetensors *s);

/** The tensors in the order of their data; *n is their count. Borrowed until it is freed. */
const sc_tensor *sc_safetensors_tensors(const sc_safetensors *s, size_t *n);

/** The object `__metadata__`, whose values are strings, or NULL. Borrowed until it is freed. */
const json_t *sc_safetensors_metadata(const sc_safetensors *s);

/** Whether the file could be of this format: a plausible header length and a '{'. */
bool sc_safetensors_is(const void *bytes, size_t size);

/** One tensor to write. */
typedef struct sc_safetensors_item {
    const char *name; // UTF-8
    sc_dtype dtype;   // not a quantised one
    uint32_t n_dims;
    uint64_t dims[SC_TENSOR_MAX_DIMS];
    const void *data; // borrowed; dense, little-endian
} sc_safetensors_item;

/**
 * Writes `n` tensors as the reference writer would: sorted by descending type, then by name, no
 * gaps, compact header padded with spaces to 8 bytes. `metadata` (an object of strings) may be
 * NULL. The file appears whole or not at all.
 *
 * Errors: SC_E_IO, SC_E_NOMEM; SC_E_USAGE for a quantised type or two tensors of one name
 */
sc_code sc_safetensors_write(const char *path, const sc_safetensors_item *items, size_t n,
                             const json_t *metadata, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_safetensors, sc_safetensors_free);

#endif
