/**
 * dtype.h - the storage types of tensors: name, block length, block size.
 *
 * Quantised types store blocks of a fixed number of consecutive values; plain types are blocks of
 * one. A row of a matrix is a whole number of blocks.
 *
 * Threads: immutable.
 * Source:  ggml's block definitions (ggml-common.h) for everything from SC_Q4_0 on.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_DTYPE_H
#define SC_KERN_DTYPE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sc_dtype {
    SC_F32,
    SC_F16,
    SC_BF16,
    SC_F64,
    SC_I8,
    SC_U8,
    SC_I16,
    SC_I32,
    SC_I64,
    SC_BOOL,
    SC_Q4_0,
    SC_Q4_1,
    SC_Q5_0,
    SC_Q5_1,
    SC_Q8_0,
    SC_Q2_K,
    SC_Q3_K,
    SC_Q4_K,
    SC_Q5_K,
    SC_Q6_K,
    SC_IQ4_NL,
    SC_IQ4_XS,
    SC_MXFP4,
    SC_IQ1_S,
    SC_IQ1_M,
    SC_IQ2_XXS,
    SC_IQ2_XS,
    SC_IQ2_S,
    SC_IQ3_XXS,
    SC_IQ3_S,
    SC_TQ1_0,
    SC_TQ2_0,
    SC_DTYPE_N,
} sc_dtype;

typedef struct sc_dtype_facts {
    const char *name; // as it is written in reports and in GGUF tools: "F32", "Q4_K"
    uint16_t block;   // values a block
    uint16_t size;    // bytes a block
    bool weights;     // the kernels multiply with it
} sc_dtype_facts;

/** The longest block of any type, in values. */
enum { SC_BLOCK_MAX = 256 };

/** The facts of `t`. Needs: t < SC_DTYPE_N */
const sc_dtype_facts *sc_dtype_info(sc_dtype t);

/**
 * Bytes of a row of `n` values of type `t`.
 *
 * Errors: false, and *size untouched, when `n` is no whole number of blocks or the size wraps.
 */
bool sc_dtype_row_size(sc_dtype t, uint64_t n, uint64_t *size);

/** The type called `name`, in upper or lower case. Errors: false, and *t untouched: none is. */
bool sc_dtype_find(sc_str name, sc_dtype *t);

#endif
