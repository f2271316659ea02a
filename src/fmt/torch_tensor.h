/**
 * torch_tensor.h - from the record of a call that rebuilds a tensor to the tensor: type, shape,
 * strides, place.
 *
 * Threads: immutable.
 * Source:  pytorch/pytorch torch/_utils.py, the _rebuild functions.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_TORCH_TENSOR_H
#define SC_FMT_TORCH_TENSOR_H

#include "fmt/pickle.h"
#include "fmt/tensor.h"

/** A piece of the file that tensors are views of. */
typedef struct sc_torch_storage {
    sc_str key;       // as the persistent id has it; first, for sc_names
    bool untyped;     // `n` counts bytes and the tensor says the type
    sc_dtype dtype;   // unless untyped
    uint64_t n;       // elements
    uint64_t at;      // of the first byte, from the start of the file
    uint64_t size;    // bytes that are there
    uint64_t view_at; // elements into the storage `key` (only the old stream has such views)
} sc_torch_storage;

/**
 * Reads what the persistent id `v` says of a storage: key, type, elements, view. `at` and `size`
 * are left alone.
 *
 * Errors: SC_E_FORMAT ill-formed; SC_E_UNSUPPORTED a type of storage we do not know
 */
sc_code sc_torch_storage_of(const sc_pickle *p, sc_pkl v, sc_torch_storage *out,
                            sc_err *err) SC_CHECKED;

/** Fills `at` and `size` of a storage. Errors: SC_E_FORMAT when the file does not have it */
typedef sc_code sc_torch_place_fn(const void *ctx, sc_torch_storage *s, sc_err *err);

/** Whether `v` is the record of a call that rebuilds a tensor or a parameter. */
bool sc_torch_is_tensor(const sc_pickle *p, sc_pkl v);

/**
 * The tensor that `v` stands for; its name is left alone.
 *
 * Every element of *out lies inside its storage, whatever its strides.
 *
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED, as the place function
 */
sc_code sc_torch_tensor_of(const sc_pickle *p, sc_pkl v, sc_torch_place_fn *place, const void *ctx,
                           sc_tensor *out, sc_err *err) SC_CHECKED;

#endif
