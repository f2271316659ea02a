// SPDX-License-Identifier: MIT
#include "model/kv.h"

#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static size_t table_size(const sc_kv_cache *c)
{
    return (size_t)c->n_seqs * c->ctx_pages * sizeof *c->table;
}

sc_code sc_kv_init(sc_kv_cache *c, sc_kv kv, uint32_t layers, uint32_t ctx, uint32_t n_seqs,
                   uint32_t n_pages, sc_err *err)
{
    memset(c, 0, sizeof *c);
    c->kv = kv;
    c->layers = layers;
    c->page_size = sc_kv_page_size(&kv);
    c->ctx = ctx;
    c->ctx_pages = sc_kv_pages(ctx);
    c->n_pages = c->n_fresh = n_pages;
    c->n_seqs = n_seqs;
    size_t total = 0;
    if (!sc_mul_size(c->page_size, layers, &c->block_size) ||
        !sc_mul_size(c->block_size, n_pages, &total))
        return sc_fail(err, SC_E_LIMIT, "keys and values of %" PRIu32 " pages", n_pages);
    c->base = sc_alloc_pages(total);
    c->refs = sc_alloc(n_pages, sizeof *c->refs);
    c->free = sc_alloc(n_pages, sizeof *c->free);
    c->table = sc_alloc_pages(table_size(c));
    c->seq = sc_alloc(n_seqs, sizeof *c->seq);
    if (!c->base || !c->refs || !c->free || !c->table || !c->seq) {
        sc_kv_drop(c);
        return sc_fail_nomem(err);
    }
    for (uint32_t i = 0; i < n_seqs; i++)
        c->seq[i].page = c->table + (size_t)i * c->ctx_pages;
    return SC_OK;
}

void sc_kv_drop(sc_kv_cache *c)
{
    if (c->base)
        sc_free_pages(c->base, c->block_size * c->n_pages);
    if (c->table)
        sc_free_pages(c->table, table_size(c));
    sc_free(c->refs);
    sc_free(c->free);
    sc_free(c->seq);
    memset(c, 0, sizeof *c);
}

static uint32_t take_page(sc_kv_cache *c)
{
    uint32_t page = 0;
    if (c->n_free > 0) {
        page = c->free[--c->n_free];
        // What a broken sequence left (NaN times a weight of 0 is NaN) must not reach another.
        memset(sc_kv_page(c, page, 0), 0, c->block_size);
    } else {
        assert(c->n_fresh > 0);
        page = c->n_pages - c->n_fresh--;
    }
    c->refs[page] = 1;
    return page;
}

static void drop_page(sc_kv_cache *c, uint32_t page)
{
    if (--c->refs[page] == 0)
        c->free[c->n_free++] = page;
}

sc_code sc_kv_seq_new(sc_kv_cache *c, int32_t *out, sc_err *err)
{
    for (uint32_t i = 0; i < c->n_seqs; i++) {
        sc_kv_seq *s = &c->seq[i];
        if (s->open)
            continue;
        s->open = true;
        s->len = s->n_pages = s->expect = s->adding = 0;
        *out = (int32_t)i;
        return SC_OK;
    }
    return sc_fail(err, SC_E_LIMIT, "all %" PRIu32 " sequences are in use", c->n_seqs);
}

sc_code sc_kv_seq_fork(sc_kv_cache *c, int32_t from, int32_t *out, sc_err *err)
{
    SC_TRY(sc_kv_seq_new(c, out, err));
    const sc_kv_seq *a = &c->seq[from];
    sc_kv_seq *b = &c->seq[*out];
    b->len = a->len;
    b->expect = a->expect;
    b->n_pages = sc_kv_pages(a->len);
    for (uint32_t i = 0; i < b->n_pages; i++) {
        b->page[i] = a->page[i];
        c->refs[b->page[i]]++;
    }
    return SC_OK;
}

void sc_kv_seq_cut(sc_kv_cache *c, int32_t s, uint32_t n)
{
    sc_kv_seq *q = &c->seq[s];
    assert(n <= q->len);
    q->len = n;
    while (q->n_pages > sc_kv_pages(n))
        drop_page(c, q->page[--q->n_pages]);
}

void sc_kv_seq_free(sc_kv_cache *c, int32_t s)
{
    sc_kv_seq_cut(c, s, 0);
    c->seq[s].open = false;
}

/* Whether the page that position `len` falls into is there and somebody else's too. */
static bool shares_last(const sc_kv_cache *c, const sc_kv_seq *q)
{
    return q->len % SC_KV_PAGE && c->refs[q->page[q->len / SC_KV_PAGE]] > 1;
}

uint32_t sc_kv_need(const sc_kv_cache *c, int32_t s, uint32_t add)
{
    const sc_kv_seq *q = &c->seq[s];
    return sc_kv_pages(q->len + add) - q->n_pages + (add && shares_last(c, q));
}

void sc_kv_grow(sc_kv_cache *c, int32_t s, uint32_t add)
{
    sc_kv_seq *q = &c->seq[s];
    if (add && shares_last(c, q)) {
        uint32_t *at = &q->page[q->len / SC_KV_PAGE];
        const uint32_t mine = take_page(c);
        memcpy(sc_kv_page(c, mine, 0), sc_kv_page(c, *at, 0), c->block_size);
        drop_page(c, *at);
        *at = mine;
    }
    while (q->n_pages < sc_kv_pages(q->len + add))
        q->page[q->n_pages++] = take_page(c);
}
