/**
 * dequant.h - rows of any weight type as floats, and floats as rows of the types we write.
 *
 * Products are formed in the reference's order (the scale first, then times the integer, then minus
 * the minimum), so the floats have the reference's bits.
 *
 * Threads: any thread (pure functions).
 * Source:  ggml-quants.c and ggml-common.h of ggml-org/ggml (the definition of the block types).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_DEQUANT_H
#define SC_KERN_DEQUANT_H

#include "kern/dtype.h"

/**
 * dst[i] = the i-th value of the row at `src`.
 *
 * Shapes: dst [n] f32; src: sc_dtype_row_size bytes, any alignment
 * Needs:  n is a whole number of blocks; the type's `weights` is set
 */
void sc_dequant_row(sc_dtype t, float *dst, const void *src, size_t n);

/** Whether sc_quant_row writes the type. */
bool sc_quant_has(sc_dtype t);

/**
 * Rounds a row to type `t`: as the reference quantiser does; K types and IQ4_NL nearer than it.
 *
 * Shapes: dst: sc_dtype_row_size bytes; x [n] f32
 * Needs:  sc_quant_has(t), n is a whole number of blocks, x is finite; for types with a scale
 *         |x[i]| <= 65504
 */
void sc_quant_row(sc_dtype t, void *dst, const float *x, size_t n);

#endif
