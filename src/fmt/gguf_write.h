/**
 * gguf_write.h - writes a GGUF file (version 3): values and directory first, then the data as it
 * comes, so that a model need not fit in memory.
 *
 * Put the values, name the tensors, then begin, add the data in the same order, finish. The file
 * appears whole or not at all.
 *
 * Threads: one thread at a time.
 * Source:  the GGUF specification, docs/gguf.md of ggml-org/ggml.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_GGUF_WRITE_H
#define SC_FMT_GGUF_WRITE_H

#include "base/buf.h"
#include "fmt/gguf.h"

typedef struct sc_gguf_writer sc_gguf_writer;

/** Owns: the caller frees *out with sc_gguf_writer_free. Errors: SC_E_NOMEM */
sc_code sc_gguf_writer_new(sc_gguf_writer **out, sc_err *err) SC_CHECKED;

/** A file that was begun and not finished is removed. */
void sc_gguf_writer_free(sc_gguf_writer *w);

// Values. Memory that runs out is reported by sc_gguf_writer_begin.
void sc_gguf_put_u32(sc_gguf_writer *w, const char *key, uint32_t v);
void sc_gguf_put_i32(sc_gguf_writer *w, const char *key, int32_t v);
void sc_gguf_put_f32(sc_gguf_writer *w, const char *key, float v);
void sc_gguf_put_bool(sc_gguf_writer *w, const char *key, bool v);
void sc_gguf_put_str(sc_gguf_writer *w, const char *key, sc_str v);

/** A value of another file, as it stands there. */
void sc_gguf_put_kv(sc_gguf_writer *w, const sc_gguf_kv *kv);

/** Begins an array: exactly `n` items of `type` must follow. */
void sc_gguf_put_array(sc_gguf_writer *w, const char *key, sc_gguf_type type, uint64_t n);
void sc_gguf_item_str(sc_gguf_writer *w, sc_str v);
void sc_gguf_item_i32(sc_gguf_writer *w, int32_t v);
void sc_gguf_item_f32(sc_gguf_writer *w, float v);

/**
 * Adds a tensor to the directory; dims are outermost first.
 *
 * Errors: SC_E_USAGE for a shape, name or type that the format does not have; SC_E_NOMEM
 */
sc_code sc_gguf_writer_add(sc_gguf_writer *w, const char *name, sc_dtype dtype, uint32_t n_dims,
                           const uint64_t *dims, sc_err *err) SC_CHECKED;

/** Values and directory as bytes, padded to where the data begins. Errors: SC_E_NOMEM */
sc_code sc_gguf_writer_head(const sc_gguf_writer *w, sc_buf *out, sc_err *err) SC_CHECKED;

/** Opens a temporary file beside `path` and writes the head. Errors: SC_E_IO, SC_E_NOMEM */
sc_code sc_gguf_writer_begin(sc_gguf_writer *w, const char *path, sc_err *err) SC_CHECKED;

/**
 * The next bytes of the data; tensors may come in pieces, padding is added between them.
 *
 * Errors: SC_E_IO; SC_E_USAGE for more than was announced, or past the end of a tensor
 */
sc_code sc_gguf_writer_data(sc_gguf_writer *w, const void *bytes, size_t n, sc_err *err) SC_CHECKED;

/** Flushes the file and gives it its name. Errors: SC_E_IO; SC_E_USAGE when data is missing */
sc_code sc_gguf_writer_finish(sc_gguf_writer *w, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_gguf_writer, sc_gguf_writer_free);

#endif
