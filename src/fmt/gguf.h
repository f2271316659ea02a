/**
 * gguf.h - reads the directory and the metadata of a GGUF file (versions 2 and 3).
 *
 * Nothing is copied: names, values and tensors point into the file, and every offset and size has
 * been checked against it. Dimensions are turned round to outermost first.
 *
 * Threads: immutable after parsing; any number of threads may read.
 * Source:  the GGUF specification, docs/gguf.md and src/gguf.cpp of ggml-org/ggml.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_GGUF_H
#define SC_FMT_GGUF_H

#include "fmt/tensor.h"

typedef struct sc_gguf sc_gguf;

/** The type of a value, with the numbers of the file. */
typedef enum sc_gguf_type {
    SC_GGUF_U8 = 0,
    SC_GGUF_I8 = 1,
    SC_GGUF_U16 = 2,
    SC_GGUF_I16 = 3,
    SC_GGUF_U32 = 4,
    SC_GGUF_I32 = 5,
    SC_GGUF_F32 = 6,
    SC_GGUF_BOOL = 7,
    SC_GGUF_STR = 8,
    SC_GGUF_ARRAY = 9,
    SC_GGUF_U64 = 10,
    SC_GGUF_I64 = 11,
    SC_GGUF_F64 = 12,
} sc_gguf_type;

/** One value, or an array of them. */
typedef struct sc_gguf_kv {
    sc_str key;          // borrowed from the file
    bool is_array;       //
    sc_gguf_type type;   // of the value or of the elements; never SC_GGUF_ARRAY
    uint64_t n;          // elements; 1 for a plain value
    const uint8_t *data; // borrowed: n little-endian values; strings each with a u64 length before
    size_t size;         // bytes at data
} sc_gguf_kv;

/**
 * Parses the `size` bytes of a file, which the caller keeps until sc_gguf_free.
 *
 * Owns:   the caller frees *out with sc_gguf_free
 * Errors: SC_E_FORMAT      not GGUF, truncated, or inconsistent (err->at is the byte)
 *         SC_E_UNSUPPORTED a version, byte order or tensor type that this program does not know
 *         SC_E_NOMEM
 */
sc_code sc_gguf_parse(const void *bytes, size_t size, sc_gguf **out, sc_err *err) SC_CHECKED;

void sc_gguf_free(sc_gguf *g);

/** The tensors in file order; *n is their count. Borrowed until it is freed. */
const sc_tensor *sc_gguf_tensors(const sc_gguf *g, size_t *n);

/** The values in file order; *n is their count. Borrowed until it is freed. */
const sc_gguf_kv *sc_gguf_kvs(const sc_gguf *g, size_t *n);

/** The value of `key`, or NULL. Borrowed until it is freed. */
const sc_gguf_kv *sc_gguf_find_kv(const sc_gguf *g, const char *key);

/**
 * The plain value of `key`: *out stays as it is when the key is absent.
 *
 * Any integer type is taken for an integer, any number for a number.
 * Errors: SC_E_FORMAT when it has another type or lies outside [low, high]; it names the key
 */
sc_code sc_gguf_get_int(const sc_gguf *g, const char *key, int64_t low, int64_t high, int64_t *out,
                        sc_err *err) SC_CHECKED;
sc_code sc_gguf_get_u32(const sc_gguf *g, const char *key, uint32_t *out, sc_err *err) SC_CHECKED;
sc_code sc_gguf_get_f32(const sc_gguf *g, const char *key, float *out, sc_err *err) SC_CHECKED;
sc_code sc_gguf_get_bool(const sc_gguf *g, const char *key, bool *out, sc_err *err) SC_CHECKED;
sc_code sc_gguf_get_str(const sc_gguf *g, const char *key, sc_str *out, sc_err *err) SC_CHECKED;

/**
 * The array at `key` with elements of `type`: *out stays as it is when the key is absent.
 *
 * Errors: SC_E_FORMAT when it is no array, or one of another type; it names the key
 */
sc_code sc_gguf_get_array(const sc_gguf *g, const char *key, sc_gguf_type type,
                          const sc_gguf_kv **out, sc_err *err) SC_CHECKED;

/** Element `i` of a value or array of integers (or bools); a u64 above INT64_MAX gives INT64_MAX.
 *  Needs: i < kv->n, not a string, not a float. */
int64_t sc_gguf_int_at(const sc_gguf_kv *kv, uint64_t i);

/** Element `i` of a value or array of any numbers. Needs: i < kv->n, not a string. */
double sc_gguf_num_at(const sc_gguf_kv *kv, uint64_t i);

/**
 * Walks the strings of a value or array: start with *pos = 0, until false.
 *
 * Needs: kv holds strings
 */
bool sc_gguf_next_str(const sc_gguf_kv *kv, size_t *pos, sc_str *out);

/** The storage type with the number `type` in a tensor entry, or SC_DTYPE_N; *name (may be NULL)
 *  is what ggml calls it, NULL for a number that was never given out. */
sc_dtype sc_gguf_dtype(uint32_t type, const char **name);

/** The number of `dtype` in a tensor entry, or -1 when GGUF has none. */
int sc_gguf_type_of(sc_dtype dtype);

/** Whether the bytes begin as a GGUF file does. */
bool sc_gguf_is(const void *bytes, size_t size);

SC_AUTO_DEFINE(sc_gguf, sc_gguf_free);

#endif
