/**
 * quant_k.h - one block of the types whose scales are quantised themselves, from floats.
 *
 * The integers, the scales of the groups and the scale of the block are chosen for the least sum of
 * squared errors that a search of fixed length finds: a grid of scales for each group, its best
 * member by least squares, then the rounded scales and their neighbours against the values, then
 * the block's scale again by least squares.
 *
 * Threads: any thread (pure functions).
 * Source:  the block layouts are those of ggml-common.h; the search is ours.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_QUANT_K_H
#define SC_KERN_QUANT_K_H

#include <stdint.h>

/*
 * Shapes: b: one block; x [256], for IQ4_NL [32]
 * Needs:  x is finite, |x[i]| <= 65504
 */
void sc_quant_q2_k(uint8_t *b, const float *x);
void sc_quant_q3_k(uint8_t *b, const float *x);
void sc_quant_q4_k(uint8_t *b, const float *x);
void sc_quant_q5_k(uint8_t *b, const float *x);
void sc_quant_q6_k(uint8_t *b, const float *x);
void sc_quant_iq4_nl(uint8_t *b, const float *x);

#endif
