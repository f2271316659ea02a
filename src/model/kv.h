/**
 * kv.h - keys and values in pages, and the sequences that own them.
 *
 * A page holds 16 positions of every layer. Sequences share pages by counting references; a page
 * with more than one reference is copied before it is written. All memory is reserved at the
 * start and touched when it is first used.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_KV_H
#define SC_MODEL_KV_H

#include "base/err.h"
#include "kern/kern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_kv_seq {
    uint32_t len;     // positions filled
    uint32_t n_pages; // pages held; enough for len
    uint32_t expect;  // length of the prompt it belongs to; see sc_model_seq_expect
    uint32_t adding;  // rows of the step at hand
    bool open;
    uint32_t *page; // [pages of the context]
} sc_kv_seq;

typedef struct sc_kv_cache {
    sc_kv kv;
    uint32_t layers;
    size_t page_size;  // bytes of one layer of a page
    size_t block_size; // bytes of all layers
    uint32_t ctx;      // most positions of a sequence
    uint32_t ctx_pages;
    uint32_t n_pages;
    uint32_t n_free;
    uint32_t n_fresh; // pages never used: the last ones, known to be zero
    uint32_t n_seqs;
    uint8_t *base;   // owned pages of memory
    uint32_t *refs;  // owned, [n_pages]
    uint32_t *free;  // owned, [n_pages]: a stack of free pages that were used before
    uint32_t *table; // owned pages of memory, [n_seqs, ctx_pages]
    sc_kv_seq *seq;  // owned, [n_seqs]
} sc_kv_cache;

/** Reserves the cache. Errors: SC_E_NOMEM; then nothing is held */
sc_code sc_kv_init(sc_kv_cache *c, sc_kv kv, uint32_t layers, uint32_t ctx, uint32_t n_seqs,
                   uint32_t n_pages, sc_err *err) SC_CHECKED;
void sc_kv_drop(sc_kv_cache *c);

/** Errors: SC_E_LIMIT when all are open */
sc_code sc_kv_seq_new(sc_kv_cache *c, int32_t *out, sc_err *err) SC_CHECKED;
sc_code sc_kv_seq_fork(sc_kv_cache *c, int32_t from, int32_t *out, sc_err *err) SC_CHECKED;
void sc_kv_seq_cut(sc_kv_cache *c, int32_t s, uint32_t n);
void sc_kv_seq_free(sc_kv_cache *c, int32_t s);

/** How many free pages `seq` needs to take `add` positions more, copies of shared ones included. */
uint32_t sc_kv_need(const sc_kv_cache *c, int32_t s, uint32_t add);

/** Gives `seq` pages of its own for positions [len, len + add). Needs: sc_kv_need of them free */
void sc_kv_grow(sc_kv_cache *c, int32_t s, uint32_t add);

/** Where layer `l` of the page lies. */
static inline uint8_t *sc_kv_page(const sc_kv_cache *c, uint32_t page, uint32_t l)
{
    return c->base + (size_t)page * c->block_size + (size_t)l * c->page_size;
}

static inline uint32_t sc_kv_pages(uint32_t positions)
{
    return positions / SC_KV_PAGE + (positions % SC_KV_PAGE != 0);
}

#endif
