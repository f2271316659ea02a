/**
 * tensor.h - a named array in a model file: where it lies, what it holds, in what shape.
 *
 * Every reader of fmt describes its tensors this way. Dimensions are outermost first, as PyTorch
 * prints them, whatever order the file uses; the last one is contiguous and, for quantised types,
 * made of whole blocks.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_TENSOR_H
#define SC_FMT_TENSOR_H

#include "base/err.h"
#include "base/str.h"
#include "kern/dtype.h"

#include <stdbool.h>
#include <stdint.h>

enum { SC_TENSOR_MAX_DIMS = 8 };

typedef struct sc_tensor {
    sc_str name; // borrowed from the reader; well-formed UTF-8 without control characters
    sc_dtype dtype;
    uint32_t n_dims;                     // 0..SC_TENSOR_MAX_DIMS; 0 is a single value
    uint64_t dims[SC_TENSOR_MAX_DIMS];   // outermost first; unused ones are 1
    uint64_t stride[SC_TENSOR_MAX_DIMS]; // elements from one index to the next, a dimension each
    bool dense;                          // row-major without gaps: the file's bytes are the tensor
    uint32_t file;                       // which of the model's files, from 0
    uint64_t count;                      // elements
    uint64_t size;                       // bytes of all elements side by side
    uint64_t offset;                     // of the first element, from the start of its file
} sc_tensor;

/**
 * Fills count, size, row-major strides and `dense` from dtype, n_dims and dims.
 *
 * Errors: SC_E_FORMAT when a product wraps or the last dimension is not whole blocks; *t is as it
 *         was
 */
sc_code sc_tensor_measure(sc_tensor *t, sc_err *err) SC_CHECKED;

/** "[2, 3]", for messages; cut off when it does not fit. Needs: room for 32 bytes or more. */
void sc_tensor_format_shape(const sc_tensor *t, char *out, size_t size);

/** Whether a tensor may be called `name`: not empty, UTF-8, no control characters, 1024 bytes. */
bool sc_tensor_name_ok(sc_str name);

#endif
