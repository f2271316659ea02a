/**
 * kern.h - the arithmetic of the models: matrix products, attention, norms, activations.
 *
 * Pure functions on ranges: no threads, no allocation, no state. A table of them is filled for the
 * levels that the machine has (cpu.h) and passed by const pointer. Weights are packed once
 * (pack.h); the input of a layer is encoded once (sc_acts) and used by every product of that input.
 *
 * The rule that makes batches free: every output is ONE chain over k, in ascending order, whatever
 * the batch, the tile or the split over threads. A tile may change who computes an output, never
 * how. Where the header says "same bits at every level", ref, AVX2 and AVX-512 agree too.
 *
 * Threads: immutable after sc_kern_init; any number of threads may call, on ranges of their own.
 * Source:  the recipes are written out per operation below; docs/PERFORMANCE.md says why.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_KERN_H
#define SC_KERN_KERN_H

#include "kern/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the user asks for: what activations are rounded to before they meet the weights. */
typedef enum sc_compute {
    SC_COMPUTE_AUTO, // fast and close: see sc_acts_kind_for
    SC_COMPUTE_INT8,
    SC_COMPUTE_BF16,
    SC_COMPUTE_F32, // the exact one
    SC_COMPUTE_N,
} sc_compute;

/** How an encoded input holds its values. */
typedef enum sc_acts_kind {
    SC_ACTS_F32,  // as they are
    SC_ACTS_F32R, // rounded to bf16, held as float (for weights that are not bf16)
    SC_ACTS_BF16, // rounded to bf16, pairs for vdpbf16ps
    SC_ACTS_Q8,   // 8 bits and a scale for each 32 values
    SC_ACTS_Q8X,  // the same, but of each 32 the four values around the largest have 15 bits
    SC_ACTS_KIND_N,
} sc_acts_kind;

/** A matrix in panels of 32 rows, packed by pack.h. */
typedef struct sc_mat {
    sc_dtype dtype;
    size_t rows;         // real rows; the last panel is filled up with rows of zeros
    size_t cols;         // k; a multiple of the type's block
    size_t panel_size;   // bytes
    const uint8_t *data; // borrowed; [panels, panel_size], aligned to 64
} sc_mat;

enum { SC_PANEL = 32 };

/** The number of panels of `rows` rows. */
static inline size_t sc_panels(size_t rows)
{
    return (rows + SC_PANEL - 1) / SC_PANEL;
}

/** The encoded inputs of a batch; the memory is the caller's. */
typedef struct sc_acts {
    sc_acts_kind kind;
    size_t cols;   // k
    size_t batch;  // rows of input, 1 or more
    uint8_t *data; // borrowed; sc_acts_size bytes, aligned to 64
} sc_acts;

/**
 * The encoding that products with `dtype` want under `compute`.
 *
 *           F32, F16   BF16   quantised
 *   auto    F32        BF16   Q8X
 *   int8    F32        BF16   Q8
 *   bf16    F32R       BF16   F32R
 *   f32     F32        F32    F32
 */
sc_acts_kind sc_acts_kind_for(sc_dtype dtype, sc_compute compute);

/** Bytes of the encoding of `batch` inputs of `cols` values; it grows with both. */
size_t sc_acts_size(sc_acts_kind kind, size_t cols, size_t batch);

/** The functions of an activation layer. */
typedef enum sc_act {
    SC_ACT_NONE,
    SC_ACT_SILU,       // x * s(x), s(x) = 1 / (1 + exp(-x))
    SC_ACT_GELU,       // x * (1 + erf(x / sqrt 2)) / 2
    SC_ACT_GELU_TANH,  // x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2
    SC_ACT_QUICK_GELU, // x * s(1.702 x)
    SC_ACT_RELU,
    SC_ACT_N,
} sc_act;

/** What becomes of a product before it reaches memory; `v` is the sum over k plus the bias. */
typedef enum sc_epi {
    SC_EPI_STORE,   // y[b][r] = act(v)
    SC_EPI_ADD,     // y[b][r] = y[b][r] + v
    SC_EPI_ACT_MUL, // panels hold 16 gate rows, then the 16 up rows that belong to them:
                    // y[b][16 p + i] = act(v[i]) * v[16 + i] for panel p
} sc_epi;

typedef struct sc_mul {
    const sc_mat *w;
    const sc_acts *x;
    float *y;   // [batch, ldy]
    size_t ldy; // elements from one row of y to the next
    sc_epi epi;
    sc_act act;        // SC_ACT_NONE with SC_EPI_ADD
    const float *bias; // [w->rows] in the order of the packed rows, or NULL
} sc_mul;

/** The keys and values of 16 positions of one layer, all kv heads: see kv_put. */
typedef struct sc_kv {
    sc_dtype type; // SC_F32, SC_F16, SC_BF16 or SC_Q8_0
    uint32_t n_kv; // heads
    uint32_t head_dim;
} sc_kv;

enum { SC_KV_PAGE = 16 };

/** Bytes of one page (16 positions, all heads, keys and values), a multiple of 64. */
size_t sc_kv_page_size(const sc_kv *kv);

typedef struct sc_attn {
    sc_kv kv;
    uint32_t
        n_heads; // query heads; a multiple of kv.n_kv: head h reads kv head h / (n_heads / n_kv)
    uint32_t window;     // a query sees this many positions including its own; 0: all
    float scale;         // of q . k
    const uint8_t *base; // borrowed; page i of this layer stands at base + i * stride
    size_t stride;
} sc_attn;

/** One query position: see attend. */
typedef struct sc_attn_row {
    float *out;            // [n_heads, head_dim]
    const float *q;        // [n_heads, head_dim]
    const uint32_t *pages; // pages[i] holds positions 16 i .. 16 i + 15
    size_t n_keys;         // positions up to its own
} sc_attn_row;

enum { SC_ATTN_ROWS = 16 };

/** How many rows over the same pages `attend` likes to see at once, SC_ATTN_ROWS at most. */
size_t sc_attn_rows(const sc_attn *a);

/** Floats of scratch that `attend` needs for `rows` rows of at most `n_keys` positions. */
size_t sc_attn_scratch(const sc_attn *a, size_t rows, size_t n_keys);

typedef enum sc_rope {
    SC_ROPE_HALF,        // pairs (i, i + rot / 2)
    SC_ROPE_INTERLEAVED, // pairs (2 i, 2 i + 1)
} sc_rope;

typedef struct sc_kern sc_kern;

/** One slot of the table of products: panels [from, to) of the job. */
typedef void sc_mul_fn(const sc_kern *k, const sc_mul *job, size_t from, size_t to);

struct sc_kern {
    unsigned levels; // the SC_CPU_ flags it was filled for

    /* By weight type and encoding; NULL where sc_acts_kind_for never leads. Use sc_kern_mul. */
    sc_mul_fn *mul[SC_DTYPE_N][SC_ACTS_KIND_N];

    /**
     * Writes one panel: sc_panel_pack of pack.h, byte for byte, at the speed of memory.
     *
     * Shapes: panel: sc_panel_size bytes; rows[i]: one row as in the file, any alignment, or NULL
     */
    void (*pack)(sc_dtype t, void *panel, const void *const rows[SC_PANEL], size_t cols);

    /**
     * Encodes the inputs [from, to) of the batch: a->data holds what the products read.
     *
     * Q8, Q8X: for 32 values, b = max |x|, s = b * (1 / 127), q = rne(x * (127 / b)), all in float;
     *          b = 0 gives zeros. Q8X: the 32 are eight fours; b is the largest |x| outside the
     *          (first) four with the largest, but at least 1/128 of that one; those four become
     *          q = hi * 128 + lo with hi = (q + 64) >> 7. Not finite: the block's result is not
     * finite. Shapes: x [.., cols] f32, a row starts every `ldx` elements Order:  same bits at
     * every level; an input depends on itself alone
     */
    void (*encode)(const sc_acts *a, const float *x, size_t ldx, size_t from, size_t to);

    /**
     * y = x / sqrt(mean(x^2) + eps) * (w + shift)
     *
     * Shapes: y, x, w [n] f32; y may be x. shift is 0, or 1 for the Gemma form.
     * Bound:  gamma(n / 64 + 12) relative to the exact result
     * Order:  64 sums over k mod 64, then a fixed tree; same bits at every level
     */
    void (*rmsnorm)(float *y, const float *x, const float *w, size_t n, float eps, float shift);

    /**
     * y = (x - mean) / sqrt(var + eps) * w + b, var over n (biased)
     *
     * Shapes: y, x [n] f32; w, b [n] f32 or NULL (ones, zeros); y may be x
     * Order:  as rmsnorm, the mean first
     */
    void (*layernorm)(float *y, const float *x, const float *w, const float *b, size_t n,
                      float eps);

    /**
     * Rotates the first `rot` of `dim` values of each of `n_heads` heads, in place:
     * a' = a cos_i - b sin_i, b' = b cos_i + a sin_i over the pairs (a, b) of `style`.
     *
     * Shapes: x [n_heads, dim] f32; cos, sin [rot / 2] f32 of this position
     * Order:  same bits at every level (two products, one sum; no fused step)
     */
    void (*rope)(float *x, size_t n_heads, size_t dim, size_t rot, const float *cos,
                 const float *sin, sc_rope style);

    /** y[i] = act(x[i]); y may be x. Bound: see sc_act_bound. Same bits at every level. */
    void (*act)(float *y, const float *x, size_t n, sc_act act);

    /** y[i] = act(gate[i]) * up[i]; y may be either. */
    void (*act_mul)(float *y, const float *gate, const float *up, size_t n, sc_act act);

    /** y[i] += x[i] */
    void (*add)(float *y, const float *x, size_t n);

    /** x[i] = exp(x[i] - max x) / sum; 16 sums over i mod 16, then a fixed tree. n >= 1. */
    void (*softmax)(float *x, size_t n);

    /** The index of the largest value, the first of equals; NaN never wins. n >= 1. */
    size_t (*argmax)(const float *x, size_t n);

    /**
     * The `k` largest of x in falling order, equals by rising index.
     *
     * Shapes: ids [k], values [k]; k <= n, k <= SC_TOPK_MAX; x holds no NaN
     * Order:  exact
     */
    void (*topk)(const float *x, size_t n, size_t k, int32_t *ids, float *values);

    /**
     * Writes the key and value of one position into slot `slot` (position mod 16) of a page.
     *
     * A page holds for each kv head the keys as [head_dim][16 positions], then the values as
     * [16 positions][head_dim, filled up to 16 with zeros], each part a multiple of 64 bytes.
     * Q8_0: keys as [head_dim / 4][16 positions][4] bytes of q + 128, then their scales as
     * [head_dim / 32][16 positions] f16, then the values as above in bytes of q, then theirs. 32 of
     * a head share a scale: b = max |x|, q = rne(x * (127 / b)), scale = b / 127 rounded to f16.
     * BF16: keys as [head_dim / 2][16 positions][2], values as [8][head_dim filled up to 16][2] of
     * the positions (2 i, 2 i + 1); rounded to nearest, ties to even, |x| <= 2^-56 to zero.
     * Shapes: k, v [n_kv, head_dim] f32; page: sc_kv_page_size bytes, zeroed when it is new
     * Bound:  Q8_0: a value is off by at most b / 253 + |x| 2^-11 (b of at least 127 * 2^-14)
     */
    void (*kv_put)(const sc_kv *kv, void *page, size_t slot, const float *k, const float *v);

    /**
     * Attention of `n` query positions over the pages of their last positions, kv heads [from, to).
     *
     * out[h] = sum_t p_t v_t, p = softmax_t(scale * q[h] . k_t), t < n_keys and inside the window.
     * Rows whose first pages are the same ones are computed together as far as those go; what is
     * given together is a matter of speed alone.
     * Q8_0: q[h] is rounded as the encoding Q8 rounds it, q . k is acc = fma(k's scale * q's,
     * (float)(exact sum), acc) over each 32 of d; a weight is p_t times the scale of the value.
     *
     * BF16: products of pairs as BF16's of sc_kern_mul. q[h] * (scale log2 e) is rounded as kv_put
     * rounds, a score is one sum over pairs of d, p_t = 2^(score - max), at least 2^-40, rounded to
     * bf16 and divided by the sum of those; p v is one sum over pairs of t (2 i, 2 i + 1).
     *
     * Shapes: pages wholly before the window are not read; scratch: sc_attn_scratch floats
     * Bound:  Q8_0, over what was stored: the query's rounding, each 32 of d off by
     *         (b / 254) sum |k|; see kv_put for what storing costs. BF16: p_t within 2^-8 of it
     * Order:  q . k one chain over d; the maximum is exact; 16 sums over t mod 16; p v one chain
     *         over t. Same bits at every level, however heads are split and rows are grouped.
     */
    void (*attend)(const sc_attn *a, const sc_attn_row *row, size_t n, size_t from, size_t to,
                   float *scratch);

    /**
     * Work for limits.h: `rounds` rounds of independent multiply-adds with the level's best
     * instruction for float, bf16 and 8-bit inputs. Returns how many were done.
     */
    uint64_t (*probe_f32)(size_t rounds);
    uint64_t (*probe_bf16)(size_t rounds);
    uint64_t (*probe_int8)(size_t rounds);

    /** Reads n bytes (a multiple of 1024, aligned to 64) and returns something of them. */
    uint64_t (*probe_read)(const void *p, size_t n);
};

enum { SC_TOPK_MAX = 1024 };

/** Fills *k with the best kernel of every operation for `levels`, a set of SC_CPU_ flags. */
void sc_kern_init(sc_kern *k, unsigned levels);

/**
 * y = W x for the panels [from, to) and every input of the batch, then the epilogue.
 *
 * F32 encodings: one fma per k, ascending, over the weights' exact float values (as
 *   sc_dequant_row gives them).
 * BF16: the sum of the pair (k, k + 1): acc = fma(w[k], x[k], fma(w[k+1], x[k+1], acc)), where
 *   denormal inputs and results count as zero: what vdpbf16ps does.
 * Q8, Q8X: per 32 values (where 16 share a scale: 16): t = sum n_i q_i exact in int32;
 *   acc = fma(ws * s, (float)t, acc), then for types with a minimum acc = fma(wm, u, acc) with
 *   u = s * (float)(sum q_i) (Q2_K: both minima of 32 values behind both sums).
 *
 * Shapes: y [batch, ldy]; rows beyond w->rows are not written
 * Needs:  job->x->cols == w->cols; the encoding is one that sc_acts_kind_for gives for the type
 * Bound:  Q8, Q8X: (2 nb + 2) u sum|terms| + sum_b (b_b / 254) sum |w|; F32: gamma(cols) sum
 * |terms| Order:  same bits at every level, for every batch, tile and split
 */
static inline void sc_kern_mul(const sc_kern *k, const sc_mul *job, size_t from, size_t to)
{
    k->mul[job->w->dtype][job->x->kind](k, job, from, to);
}

/** How many panels a thread best takes at a time: as many as share what is in its cache. */
size_t sc_mul_unit(const sc_mat *w, const sc_acts *x);

#endif
