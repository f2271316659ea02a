/* work.c - plans the memory of a step. */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "model/forward.h"

#include <string.h>

/* Cuts the block into arrays: once to measure, once to place. */
typedef struct cutter {
    uint8_t *base; // NULL while measuring
    size_t used;
    bool bad;
} cutter;

static void *cut(cutter *c, size_t n, size_t size)
{
    size_t bytes = 0, end = 0;
    if (!sc_mul_size(n, size, &bytes) || !sc_add_size(c->used, bytes, &end) ||
        !sc_add_size(end, 63, &end)) {
        c->bad = true;
        return NULL;
    }
    void *p = c->base ? c->base + c->used : NULL;
    c->used = end / 64 * 64;
    return p;
}

static size_t round16(size_t n)
{
    return (n + 15) / 16 * 16;
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The kinds of encodings that any product of the net reads. */
static void kinds_of(const sc_linear *l, sc_compute compute, bool used[SC_ACTS_KIND_N])
{
    for (uint32_t p = 0; p < l->n_parts; p++)
        used[sc_acts_kind_for(l->part[p].dtype, compute)] = true;
}

static void all_kinds(const sc_net *net, sc_compute compute, bool used[SC_ACTS_KIND_N])
{
    kinds_of(&net->head, compute, used);
    for (uint32_t i = 0; i < net->config.layers; i++) {
        const sc_layer *l = &net->layer[i];
        const sc_linear *const lin[] = {&l->qkv, &l->out, &l->up, &l->down, &l->router};
        for (size_t j = 0; j < SC_LEN(lin); j++)
            kinds_of(lin[j], compute, used);
        for (uint32_t e = 0; l->expert && e < net->config.experts; e++) {
            kinds_of(&l->expert[e].up, compute, used);
            kinds_of(&l->expert[e].down, compute, used);
        }
    }
}

static void place(sc_work *w, const sc_net *net, const sc_kv_cache *kv,
                  const bool used[SC_ACTS_KIND_N], bool hidden, cutter *c)
{
    const sc_config *g = &net->config;
    const size_t rows = w->max_rows, q = (size_t)g->heads * g->head_dim;
    const size_t kvw = (size_t)g->kv_heads * g->head_dim;
    const size_t picks = g->experts ? g->experts_used : 0;
    w->x = cut(c, rows * g->hidden, sizeof(float));
    w->norm = cut(c, rows * g->hidden, sizeof(float));
    w->qkv = cut(c, rows * (q + 2 * kvw), sizeof(float));
    w->attn = cut(c, rows * q, sizeof(float));
    w->wide = cut(c, rows * w->width, sizeof(float));
    w->side = cut(c, rows * max_size(picks, 1) * g->hidden, sizeof(float));
    w->cos = cut(c, rows * (g->rope.dim / 2), sizeof(float));
    w->sin = cut(c, rows * (g->rope.dim / 2), sizeof(float));
    w->logits = cut(c, rows * g->vocab, sizeof(float));
    w->hidden = hidden ? cut(c, (size_t)(g->layers + 1) * rows * g->hidden, sizeof(float)) : NULL;
    w->route = cut(c, rows * g->experts, sizeof(float));
    w->share = cut(c, rows * picks, sizeof(float));
    w->pick = cut(c, rows * picks, sizeof(int32_t));
    w->place = cut(c, rows * picks, sizeof(uint32_t));
    w->order = cut(c, rows * picks, sizeof(uint32_t));
    w->first = cut(c, (size_t)g->experts + 1, sizeof(uint32_t));
    w->lone = cut(c, w->threads * round16(w->widest), sizeof(float));
    w->scratch = cut(c, w->threads * w->scratch_n, sizeof(float));
    w->turn = cut(c, rows, sizeof *w->turn);
    w->group = cut(c, rows + 1, sizeof *w->group);
    w->supply = cut(c, w->threads, sizeof *w->supply);
    w->keep = cut(c, 1, sizeof *w->keep);
    w->deal = cut(c, w->threads, sizeof *w->deal);
    w->pack = cut(c, w->threads * w->pack_n, 1);
    for (unsigned k = 0; k < SC_ACTS_KIND_N; k++) {
        if (!used[k])
            continue;
        w->acts_lone_size[k] = (sc_acts_size(k, w->widest, 1) + 63) / 64 * 64;
        w->acts[k] = cut(c, sc_acts_size(k, w->widest, rows), 1);
        w->lone_acts[k] = cut(c, w->threads * w->acts_lone_size[k], 1);
    }
    (void)kv;
}

sc_code sc_work_init(sc_work *w, const sc_net *net, const sc_kv_cache *kv, sc_compute compute,
                     uint32_t max_rows, unsigned threads, bool hidden, sc_err *err)
{
    memset(w, 0, sizeof *w);
    const sc_config *g = &net->config;
    w->max_rows = max_rows;
    w->threads = threads;
    const size_t inter = max_size(g->inter, g->experts ? g->expert_inter : 0);
    w->width = round16(2 * inter); // gate and up side by side, when they are no pair
    w->widest = max_size(max_size(g->hidden, (size_t)g->heads * g->head_dim), inter);
    const sc_attn a = {.kv = kv->kv, .n_heads = g->heads};
    const size_t together = max_rows < sc_attn_rows(&a) ? max_rows : sc_attn_rows(&a);
    w->scratch_n = round16(sc_attn_scratch(&a, together, (size_t)kv->ctx_pages * SC_KV_PAGE));
    for (size_t i = 0; i < net->n_sources; i++)
        w->pack_n = max_size(w->pack_n, net->source[i]->mat.panel_size);
    bool used[SC_ACTS_KIND_N] = {false};
    all_kinds(net, compute, used);
    cutter measure = {0};
    place(w, net, kv, used, hidden, &measure);
    if (measure.bad)
        return sc_fail(err, SC_E_LIMIT, "the workspace is too large to address");
    cutter c = {.base = sc_alloc_small_pages(measure.used)};
    if (!c.base)
        return sc_fail_nomem(err);
    w->block = c.base;
    w->size = measure.used;
    place(w, net, kv, used, hidden, &c);
    return SC_OK;
}

void sc_work_drop(sc_work *w)
{
    if (w->block)
        sc_free_pages(w->block, w->size);
    memset(w, 0, sizeof *w);
}

uint64_t sc_work_touched(const sc_work *w, const sc_net *net, size_t rows, size_t logits,
                         size_t keys)
{
    const sc_config *g = &net->config;
    const size_t q = (size_t)g->heads * g->head_dim, kv = (size_t)g->kv_heads * g->head_dim;
    const size_t picks = g->experts ? g->experts_used : 1;
    uint64_t row = 2ull * g->hidden + 2 * q + 2 * kv + w->width / 2 + picks * g->hidden;
    row *= sizeof(float);
    uint64_t total = row * rows + (uint64_t)logits * g->vocab * sizeof(float);
    const sc_attn a = {.kv = {SC_F32, g->kv_heads, g->head_dim}, .n_heads = g->heads};
    const size_t most = sc_attn_rows(&a), together = rows < most ? rows : most;
    const size_t scratch = sc_attn_scratch(&a, together, keys);
    total += (uint64_t)w->threads * (w->widest + scratch) * sizeof(float);
    total += (uint64_t)w->threads * w->pack_n;
    for (unsigned k = 0; k < SC_ACTS_KIND_N; k++)
        if (w->acts[k])
            total +=
                rows > 1 ? sc_acts_size(k, w->widest, rows) : w->threads * w->acts_lone_size[k];
    return total;
}
