/**
 * forward.h - one step of the decoder, run by every thread of a pool together.
 *
 * Threads: one thread at a time calls sc_forward_run; it uses the pool.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_FORWARD_H
#define SC_MODEL_FORWARD_H

#include "base/deal.h"
#include "model/kv.h"
#include "model/net.h"
#include "model/rope.h"

#include <stdatomic.h>

/** What belongs to one thread, on a cache line of its own. */
typedef struct sc_work_supply {
    _Alignas(64) sc_supply of;
    uint32_t round; // rounds of dealing so far: the same on every thread
} sc_work_supply;

/** Memory of a step; everything is part of one block that is touched as it is used. */
typedef struct sc_work {
    uint8_t *block; // owned pages of memory
    size_t size;
    uint32_t max_rows;
    unsigned threads;
    size_t width;  // of a row of `wide`
    size_t widest; // longest input of any product

    float *x;    // [rows, hidden] the residual stream
    float *norm; // [rows, hidden] behind a norm
    float *qkv;  // [rows, q + k + v]
    float *attn; // [rows, heads * head_dim]
    float *wide; // [rows, width] inside the MLP
    float *side; // [rows * max(experts_used, 1), hidden]
    float *cos;  // [rows, rope.dim / 2]
    float *sin;
    float *logits;                 // [rows, vocab]
    float *hidden;                 // [layers + 1, rows, hidden] or NULL
    float *route;                  // [rows, experts]
    float *share;                  // [rows, experts_used] weight of a chosen expert
    int32_t *pick;                 // [rows, experts_used] its index, ascending
    uint32_t *place;               // [rows, experts_used] where its result stands in `side`
    uint32_t *order;               // [rows * experts_used] rows, expert by expert
    uint32_t *first;               // [experts + 1] where an expert's rows begin in `order`
    float *lone;                   // [threads, widest] a row behind a norm, when there is one row
    float *scratch;                // [threads, scratch_n] of attention
    uint32_t *turn;                // [rows] the order in which attention takes them
    uint32_t *group;               // [rows + 1] where its groups begin in `turn`
    uint8_t *acts[SC_ACTS_KIND_N]; // encoded inputs of all rows
    uint8_t *lone_acts[SC_ACTS_KIND_N]; // [threads] encoded input of one row
    size_t acts_lone_size[SC_ACTS_KIND_N];
    sc_work_supply *supply; // [threads]
    sc_keep *keep;          // what the step at hand may pack for good
    sc_deal *deal;          // [threads] panels of a product that nobody has taken
    uint8_t *pack;          // [threads, pack_n] a panel on its way
    size_t scratch_n;
    size_t pack_n;
} sc_work;

typedef struct sc_step_row {
    int32_t token;
    int32_t seq;
    uint32_t pos;
    uint32_t len;   // length of the sequence that dynamic RoPE sees
    int32_t logits; // row of the logits, or -1
} sc_step_row;

/** What the threads share during a step. */
typedef struct sc_step {
    const sc_net *net; // borrowed, all of them
    const sc_kern *kern;
    const sc_kv_cache *kv;
    const sc_rope_table *rope;
    const sc_work *work;
    const atomic_bool *stop; // or NULL
    sc_compute compute;
    const sc_step_row *row; // [n]
    size_t n;               // behind the last layer's attention only those whose logits are wanted
    const uint32_t *wanted; // [n_logits] rows whose logits are wanted, ascending
    size_t n_logits;
    size_t n_groups; // of rows over the same pages; see sc_work.group
    bool one_each;   // no sequence has two rows
    bool stopped;    // out: ended before its time
    uint32_t round;  // rounds of dealing before this step
} sc_step;

/** Errors: SC_E_NOMEM */
sc_code sc_work_init(sc_work *w, const sc_net *net, const sc_kv_cache *kv, sc_compute compute,
                     uint32_t max_rows, unsigned threads, bool hidden, sc_err *err) SC_CHECKED;
void sc_work_drop(sc_work *w);

/**
 * Bytes that a step touches: `rows` rows, `logits` rows of logits, `keys` positions that a row
 * looks at, at most.
 */
uint64_t sc_work_touched(const sc_work *w, const sc_net *net, size_t rows, size_t logits,
                         size_t keys);

void sc_forward_run(sc_pool *pool, sc_step *s);

#endif
