/**
 * export_plan.h - which tensors a GGUF file of a model has, and which rows of the model's own
 * tensors they are made of.
 *
 * Threads: one thread at a time.
 * Source:  llama.cpp, convert_hf_to_gguf.py and src/llama-model.cpp; types as llama-quantize
 *          chooses them.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_EXPORT_PLAN_H
#define SC_MODEL_EXPORT_PLAN_H

#include "fmt/weights.h"
#include "model/arch.h"
#include "model/finder.h"

/** Which row of the source becomes row r. */
typedef enum sc_item_order {
    SC_ITEM_SAME,
    SC_ITEM_PERMUTED, // per head, for rotary on adjacent pairs
    SC_ITEM_FUSED,    // q, k and v regrouped to all q, all k, all v
    SC_ITEM_PART,     // q, k or v alone out of the fused matrix
    SC_ITEM_HALVES,   // as SC_ITEM_PART; pairs of neighbours become pairs of halves
} sc_item_order;

enum { SC_ITEM_NAME = 64 };

/** One tensor of the file to write. */
typedef struct sc_item {
    char name[SC_ITEM_NAME];
    sc_dtype dtype;
    uint32_t n_dims;
    uint64_t dims[4];
    const sc_tensor **src; // owned, [n_src]: one after the other; NULL: values
    size_t n_src;
    float *values;   // owned, [cols]; instead of src
    size_t rows;     // to write of one source
    size_t src_rows; // that the source has
    size_t cols;
    sc_item_order order;
    unsigned which; // for SC_ITEM_PART: 0 q, 1 k, 2 v
    bool turned;    // stored [cols, rows]
    bool plus_one;  // 1 is added to every value
    float scale;    // of the first `scaled` rows; 1: none
    size_t scaled;
} sc_item;

typedef struct sc_plan {
    sc_weights *w; // owned
    const sc_arch *arch;
    const char *gguf; // general.architecture
    sc_config c;
    uint32_t ctx;    // context_length to write
    sc_finder names; // owned
    sc_dtype type;   // of the matrices
    sc_item *item;   // owned, [n]
    size_t n;
    size_t cap;
    size_t n_other; // matrices that got another type, for the length of their rows
} sc_plan;

/**
 * Opens the model at `in` and plans its file; p->type is set, the rest of *p is zero.
 *
 * Owns:   the caller drops *p, after an error too.
 * Errors: as sc_export_gguf
 */
sc_code sc_plan_make(sc_plan *p, const char *in, sc_err *err) SC_CHECKED;
void sc_plan_drop(sc_plan *p);

/** Where row `r` of the tensor to write stands in its source. */
size_t sc_plan_row(const sc_plan *p, const sc_item *it, size_t r);

SC_AUTO_DEFINE_VALUE(sc_plan, sc_plan_drop);

#endif
