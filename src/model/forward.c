/*
 * forward.c - one step of the decoder.
 *
 * Every thread runs `run` over the whole net and takes its share of each stage: rows of the batch
 * where the work is by row, panels of the output where it is a product. Between two stages that
 * read each other's results stands a barrier. With one row in the batch the work by row is done
 * by every thread for itself, which is cheaper than a barrier.
 */
// SPDX-License-Identifier: MIT
#include "model/forward.h"
#include "kern/dequant.h"

#include <math.h>
#include <string.h>

enum {
    // Bytes a thread that a step packs for good, and as many more for so many rows: packing takes
    // as
    // long as a few rows do, so no step gets slow by it.
    KEEP_MOST = 16 << 20,
    KEEP_ROWS = 16,
};

/* A thread's view of the encoded input of a product. */
typedef struct input {
    sc_acts acts[SC_ACTS_KIND_N];
    bool used[SC_ACTS_KIND_N];
    bool lone; // this thread's own copy of a single row
} input;

static void share_rows(const sc_worker *me, size_t rows, size_t *from, size_t *to)
{
    sc_pool_share(me, rows, 1, from, to);
}

static void use_kinds(const sc_step *s, const sc_linear *l, input *in)
{
    for (uint32_t p = 0; p < l->n_parts; p++)
        in->used[sc_acts_kind_for(l->part[p].dtype, s->compute)] = true;
}

/* An input of `rows` rows for one or two linear layers. */
static input new_input(const sc_step *s, const sc_worker *me, const sc_linear *a,
                       const sc_linear *b, size_t cols, size_t rows)
{
    input in = {.lone = rows == 1};
    use_kinds(s, a, &in);
    if (b)
        use_kinds(s, b, &in);
    const sc_work *w = s->work;
    for (unsigned k = 0; k < SC_ACTS_KIND_N; k++) {
        if (in.used[k])
            in.acts[k] = (sc_acts){
                .kind = k,
                .cols = cols,
                .batch = rows,
                .data = in.lone ? w->lone_acts[k] + me->index * w->acts_lone_size[k] : w->acts[k]};
    }
    return in;
}

/* Encodes the row at `x` as input row `i`. */
static void encode_row(const sc_step *s, const input *in, const float *x, size_t i)
{
    for (unsigned k = 0; k < SC_ACTS_KIND_N; k++)
        if (in->used[k])
            s->kern->encode(&in->acts[k], x, 0, i, i + 1);
}

/* The rows of an input that this thread encodes: all of it when it has a copy of its own. */
static void share_input(const sc_worker *me, const input *in, size_t rows, size_t *from, size_t *to)
{
    *from = 0;
    *to = rows;
    if (!in->lone)
        share_rows(me, rows, from, to);
}

/*
 * The rows of an input that this thread encodes next; *to begins as 0. Those of a prompt are dealt
 * in round `round`, so that nobody waits for a thread whose CPU was taken.
 */
static bool take_rows(const sc_step *s, const sc_worker *me, const input *in, size_t rows,
                      uint32_t round, size_t *from, size_t *to)
{
    enum { LEAST = 64, UNIT = 20 };
    if (me->n > 1 && rows >= LEAST && rows <= SC_DEAL_MOST)
        return sc_deal_take(s->work->deal, me, round, rows, UNIT, from, to);
    if (*to)
        return false;
    share_input(me, in, rows, from, to);
    return *from < *to;
}

static uint32_t next_round(const sc_step *s, const sc_worker *me)
{
    return ++s->work->supply[me->index].round;
}

static void input_done(const sc_worker *me, const input *in)
{
    if (!in->lone)
        sc_pool_barrier(me);
}

static void normalise(const sc_step *s, const sc_norm *n, const float *x, float *y)
{
    const sc_config *c = &s->net->config;
    if (c->norm == SC_NORM_RMS)
        s->kern->rmsnorm(y, x, n->w, c->hidden, c->norm_eps, c->norm_plus_one ? 1 : 0);
    else
        s->kern->layernorm(y, x, n->w, n->b, c->hidden, c->norm_eps);
}

/* The norm of the residual stream as the input of one or two linear layers. */
static input norm_input(const sc_step *s, const sc_worker *me, const sc_norm *n, const sc_linear *a,
                        const sc_linear *b)
{
    const sc_work *w = s->work;
    const size_t hidden = s->net->config.hidden;
    const input in = new_input(s, me, a, b, hidden, s->n);
    float *y = w->lone + me->index * ((w->widest + 15) / 16 * 16);
    const uint32_t round = next_round(s, me);
    size_t from = 0, to = 0;
    while (take_rows(s, me, &in, s->n, round, &from, &to)) {
        for (size_t i = from; i < to; i++) {
            normalise(s, n, w->x + i * hidden, y);
            encode_row(s, &in, y, i);
        }
    }
    input_done(me, &in);
    return in;
}

/* Rows of floats as an input. */
static input plain_input(const sc_step *s, const sc_worker *me, const float *x, size_t ldx,
                         size_t cols, size_t rows, const sc_linear *a)
{
    const input in = new_input(s, me, a, NULL, cols, rows);
    const uint32_t round = next_round(s, me);
    size_t from = 0, to = 0;
    while (take_rows(s, me, &in, rows, round, &from, &to))
        for (size_t i = from; i < to; i++)
            encode_row(s, &in, x + i * ldx, i);
    input_done(me, &in);
    return in;
}

typedef struct product {
    const sc_linear *l;
    const input *in;
    float *y;
    size_t ldy;
    sc_epi epi;
    sc_act act;
} product;

/* The panels [from, to) of a linear layer, counted through all its parts. */
static void multiply_panels(const sc_step *s, const sc_worker *me, const product *p, size_t from,
                            size_t to)
{
    const sc_linear *l = p->l;
    size_t base = 0;
    for (uint32_t i = 0; i < l->n_parts; i++) {
        const sc_mat *w = &l->part[i];
        const size_t n = sc_panels(w->rows);
        const size_t a = from > base ? from - base : 0, b = to > base ? to - base : 0;
        const size_t last = b < n ? b : n;
        if (a < last) {
            const sc_mul job = {.w = w,
                                .x = &p->in->acts[sc_acts_kind_for(w->dtype, s->compute)],
                                .y = p->y + l->at[i],
                                .ldy = p->ldy,
                                .epi = p->epi,
                                .act = p->act,
                                .bias = l->bias[i]};
            if (l->source[i])
                sc_source_mul(l->source[i], &job, a, last, &s->work->supply[me->index].of);
            else
                sc_kern_mul(s->kern, &job, a, last);
        }
        base += n;
    }
}

static size_t panels_of(const sc_linear *l)
{
    size_t panels = 0;
    for (uint32_t i = 0; i < l->n_parts; i++)
        panels += sc_panels(l->part[i].rows);
    return panels;
}

/* This thread's even share of the panels of a linear layer. */
static void multiply_share(const sc_step *s, const sc_worker *me, const product *p)
{
    size_t from = 0, to = 0;
    sc_pool_share(me, panels_of(p->l), 1, &from, &to);
    multiply_panels(s, me, p, from, to);
}

/* A linear layer; whoever is done with its share helps the others. */
static void multiply(const sc_step *s, const sc_worker *me, const product *p)
{
    const sc_linear *l = p->l;
    const size_t panels = panels_of(l);
    if (me->n == 1 || panels > SC_DEAL_MOST) {
        multiply_share(s, me, p);
        return;
    }
    size_t unit = 1, from = 0, to = 0;
    for (uint32_t i = 0; i < l->n_parts; i++) {
        const sc_mat *w = &l->part[i];
        const size_t n = sc_mul_unit(w, &p->in->acts[sc_acts_kind_for(w->dtype, s->compute)]);
        unit = n > unit ? n : unit;
    }
    const uint32_t round = next_round(s, me);
    while (sc_deal_take(s->work->deal, me, round, panels, unit, &from, &to))
        multiply_panels(s, me, p, from, to);
}

/* The rows of y that `multiply_share` of this thread writes: a range of each part. */
static void written(const sc_worker *me, const sc_linear *l, uint32_t part, size_t *from,
                    size_t *to)
{
    size_t a = 0, b = 0, base = 0;
    for (uint32_t i = 0; i < part; i++)
        base += sc_panels(l->part[i].rows);
    sc_pool_share(me, panels_of(l), 1, &a, &b);
    const size_t rows = l->part[part].rows;
    a = a > base ? (a - base) * SC_PANEL : 0;
    b = b > base ? (b - base) * SC_PANEL : 0;
    *from = l->at[part] + (a < rows ? a : rows);
    *to = l->at[part] + (b < rows ? b : rows);
}

/* x += residual_scale * (W in + b) */
static void add_product(const sc_step *s, const sc_worker *me, const sc_linear *l, const input *in)
{
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    const float scale = c->residual_scale;
    product p = {.l = l, .in = in, .y = w->x, .ldy = c->hidden, .epi = SC_EPI_ADD};
    if (!(scale < 1) && !(scale > 1)) {
        multiply(s, me, &p);
        return;
    }
    p.y = w->side;
    p.epi = SC_EPI_STORE;
    multiply_share(s, me, &p);
    for (uint32_t part = 0; part < l->n_parts; part++) {
        size_t from = 0, to = 0;
        written(me, l, part, &from, &to);
        for (size_t i = 0; i < s->n; i++)
            for (size_t r = from; r < to; r++)
                w->x[i * c->hidden + r] += scale * w->side[i * c->hidden + r];
    }
}

static void embed_rows(const sc_step *s, const sc_worker *me)
{
    const sc_net *net = s->net;
    const sc_config *c = &net->config;
    const sc_work *w = s->work;
    const size_t half = c->rope.dim / 2;
    size_t from = 0, to = 0;
    share_rows(me, s->n, &from, &to);
    for (size_t i = from; i < to; i++) {
        float *x = w->x + i * c->hidden;
        sc_net_embed(net, s->row[i].token, x);
        const float scale = net->embed_scale;
        if (scale < 1 || scale > 1)
            for (size_t j = 0; j < c->hidden; j++)
                x[j] *= scale;
        if (net->positions) {
            float *p = w->norm + i * c->hidden;
            sc_dequant_row(net->positions_type, p,
                           net->positions + (size_t)s->row[i].pos * net->positions_row, c->hidden);
            s->kern->add(x, p, c->hidden);
        }
        if (half)
            sc_rope_angles(s->rope, s->row[i].pos, s->row[i].len, w->cos + i * half,
                           w->sin + i * half);
    }
}

/* The norm of the heads [from, to) at x, which is where the first of all heads stands. */
static void norm_heads(const sc_step *s, const sc_norm *n, float *x, size_t from, size_t to)
{
    const sc_config *c = &s->net->config;
    const size_t d = c->head_dim;
    x += from * d;
    for (size_t h = from; h < to; h++, x += d) {
        if (c->qk_norm == SC_QK_RMS)
            s->kern->rmsnorm(x, x, n->w, d, c->norm_eps, c->norm_plus_one ? 1 : 0);
        else if (c->qk_norm == SC_QK_LAYER)
            s->kern->layernorm(x, x, n->w, n->b, d, c->norm_eps);
        else
            s->kern->layernorm(x, x, n->w + h * d, NULL, d, c->norm_eps);
    }
}

/*
 * Norms of q and k, rotation, and the new key and value into their page: the kv heads [from, to) of
 * row `i`, and the query heads that look at them.
 */
static void place_row(const sc_step *s, uint32_t l, size_t i, size_t from, size_t to)
{
    const sc_config *c = &s->net->config;
    const sc_layer *layer = &s->net->layer[l];
    const sc_work *w = s->work;
    const size_t d = c->head_dim, q = c->heads * d, kv = c->kv_heads * d;
    const size_t half = c->rope.dim / 2, each = c->heads / c->kv_heads;
    float *row = w->qkv + i * (q + 2 * kv);
    if (layer->q_norm.w) {
        norm_heads(s, &layer->q_norm, row, from * each, to * each);
        norm_heads(s, &layer->k_norm, row + q, from, to);
    }
    if (half) {
        const float *cos = w->cos + i * half, *sin = w->sin + i * half;
        s->kern->rope(row + from * each * d, (to - from) * each, d, c->rope.dim, cos, sin,
                      c->rope.style);
        s->kern->rope(row + q + from * d, to - from, d, c->rope.dim, cos, sin, c->rope.style);
    }
    const sc_kv one = {s->kv->kv.type, 1, c->head_dim};
    const size_t size = sc_kv_page_size(&one);
    const uint32_t pos = s->row[i].pos;
    uint8_t *page = sc_kv_page(s->kv, s->kv->seq[s->row[i].seq].page[pos / SC_KV_PAGE], l);
    for (size_t h = from; h < to; h++)
        s->kern->kv_put(&one, page + h * size, pos % SC_KV_PAGE, row + q + h * d,
                        row + q + kv + h * d);
}

static void place_keys(const sc_step *s, const sc_worker *me, uint32_t l)
{
    size_t from = 0, to = 0;
    share_rows(me, s->n, &from, &to);
    for (size_t i = from; i < to; i++)
        place_row(s, l, i, 0, s->net->config.kv_heads);
}

/* Keys that a query at `pos` looks at. */
static uint64_t keys_seen(uint32_t pos, uint32_t window)
{
    return window && window < pos + 1 ? window : (uint64_t)pos + 1;
}

/* Pages that the sequences of two rows have in common, of those before both rows. */
static uint32_t pages_shared(const sc_step *s, uint32_t a, uint32_t b)
{
    const sc_step_row *x = &s->row[a], *y = &s->row[b];
    const uint32_t *p = s->kv->seq[x->seq].page, *q = s->kv->seq[y->seq].page;
    uint32_t low = 0, high = sc_kv_pages((x->pos < y->pos ? x->pos : y->pos) + 1);
    if (x->seq == y->seq)
        return high;
    while (low < high) { // what follows a page of one's own is one's own
        const uint32_t at = low + (high - low) / 2;
        if (p[at] == q[at])
            low = at + 1;
        else
            high = at;
    }
    return low;
}

static void swap_rows(uint32_t *a, uint32_t *b)
{
    const uint32_t t = *a;
    *a = *b;
    *b = t;
}

/*
 * Puts rows over the same pages beside each other, in groups that attention takes at once: a
 * block of a prompt, samples of one prompt. One thread does it, for all layers. A row joins those
 * with whose first it shares the most pages, so that a beginning that all prompts have keeps
 * nobody from sharing more.
 */
static void group_rows(sc_step *s)
{
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    const sc_attn a = {.kv = s->kv->kv, .n_heads = c->heads};
    const size_t most = sc_attn_rows(&a);
    for (size_t i = 0; i < s->n; i++)
        w->turn[i] = (uint32_t)i;
    s->n_groups = 0;
    for (size_t at = 0, end = 0; at < s->n; at = end) {
        w->group[s->n_groups++] = (uint32_t)at;
        end = at + 1;
        uint32_t best = 1;
        for (size_t i = at + 1; most > 1 && i < s->n; i++) {
            const uint32_t shared = pages_shared(s, w->turn[at], w->turn[i]);
            if (shared < best)
                continue;
            if (shared > best) {
                best = shared;
                end = at + 1;
            }
            if (end - at < most)
                swap_rows(&w->turn[end++], &w->turn[i]);
            if (end - at == most && s->row[w->turn[i]].seq == s->row[w->turn[at]].seq)
                break;
        }
    }
    w->group[s->n_groups] = (uint32_t)s->n;
}

/*
 * Attention, split so that every thread has about as many keys to look at. An item is one kv head
 * of a group; it belongs to the thread in whose part of the whole cost it begins. Where no row sees
 * another's keys of this step, that thread also puts them into place.
 */
static void attend(const sc_step *s, const sc_worker *me, uint32_t l)
{
    enum { FIXED = 32 }; // cost of a row beside its keys, in keys
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    const size_t d = c->head_dim, q = c->heads * d, kv = c->kv_heads * d;
    const uint32_t window = sc_config_window(c, l);
    float scale = c->attn_scale > 0 ? c->attn_scale : 1.0f / sqrtf((float)d);
    if (c->scale_by_layer)
        scale /= (float)(l + 1);
    const sc_attn a = {.kv = s->kv->kv,
                       .n_heads = c->heads,
                       .window = window,
                       .scale = scale,
                       .base = sc_kv_page(s->kv, 0, l),
                       .stride = s->kv->block_size};
    float *scratch = w->scratch + me->index * w->scratch_n;

    uint64_t total = 0;
    for (size_t i = 0; i < s->n; i++)
        total += (keys_seen(s->row[i].pos, window) + FIXED) * c->kv_heads;
    const uint64_t low = total * me->index / me->n, high = total * (me->index + 1) / me->n;
    uint64_t at = 0;
    for (size_t g = 0; g < s->n_groups && at < high; g++) {
        const uint32_t *turn = w->turn + w->group[g];
        const size_t n = w->group[g + 1] - w->group[g];
        sc_attn_row row[SC_ATTN_ROWS];
        uint64_t each = 0;
        for (size_t i = 0; i < n; i++) {
            const sc_step_row *r = &s->row[turn[i]];
            each += keys_seen(r->pos, window) + FIXED;
            row[i] = (sc_attn_row){.out = w->attn + turn[i] * q,
                                   .q = w->qkv + turn[i] * (q + 2 * kv),
                                   .pages = s->kv->seq[r->seq].page,
                                   .n_keys = r->pos + 1};
        }
        const uint64_t end = at + each * c->kv_heads;
        const uint64_t from = low > at ? (low - at + each - 1) / each : 0;
        const uint64_t to = high < end ? (high - at + each - 1) / each : c->kv_heads;
        at = end;
        if (from >= to)
            continue;
        for (size_t i = 0; s->one_each && i < n; i++)
            place_row(s, l, turn[i], (size_t)from, (size_t)to);
        s->kern->attend(&a, row, n, (size_t)from, (size_t)to, scratch);
    }
}

/* The chosen experts of each row and their weights. */
static void route_rows(const sc_step *s, const sc_worker *me)
{
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    const size_t used = c->experts_used;
    size_t from = 0, to = 0;
    share_rows(me, s->n, &from, &to);
    for (size_t i = from; i < to; i++) {
        float *p = w->route + i * c->experts;
        int32_t *pick = w->pick + i * used;
        float *share = w->share + i * used;
        s->kern->softmax(p, c->experts);
        s->kern->topk(p, c->experts, used, pick, share);
        // By rising index: the order in which the results are added, whatever else is in the batch.
        for (size_t a = 1; a < used; a++)
            for (size_t b = a; b > 0 && pick[b - 1] > pick[b]; b--) {
                const int32_t t = pick[b];
                pick[b] = pick[b - 1];
                pick[b - 1] = t;
            }
        float sum = 0;
        for (size_t a = 0; a < used; a++)
            sum += share[a] = p[pick[a]];
        for (size_t a = 0; c->experts_renorm && a < used; a++)
            share[a] /= sum;
    }
}

/* Which rows each expert works on; one thread does it. */
static void sort_by_expert(const sc_step *s)
{
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    const size_t used = c->experts_used, n = s->n * used;
    memset(w->first, 0, ((size_t)c->experts + 1) * sizeof *w->first);
    for (size_t i = 0; i < n; i++)
        w->first[w->pick[i] + 1]++;
    for (uint32_t e = 0; e < c->experts; e++)
        w->first[e + 1] += w->first[e];
    for (size_t i = 0; i < n; i++) {
        const uint32_t at = w->first[w->pick[i]]++;
        w->order[at] = (uint32_t)(i / used);
        w->place[i] = at;
    }
    for (uint32_t e = c->experts; e > 0; e--) // each had moved to the next one's beginning
        w->first[e] = w->first[e - 1];
    w->first[0] = 0;
}

/* Gate and up, then down(act(gate) * up) into `y`; the rows' inputs are encoded in `in`. */
static void mlp(const sc_step *s, const sc_worker *me, const sc_linear *up, const sc_linear *down,
                const input *in, size_t inter, size_t rows, float *y)
{
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    const bool apart = c->gated && !up->paired;
    const product p = {.l = up,
                       .in = in,
                       .y = w->wide,
                       .ldy = w->width,
                       .epi = up->paired ? SC_EPI_ACT_MUL : SC_EPI_STORE,
                       .act = apart ? SC_ACT_NONE : c->act};
    multiply(s, me, &p);
    sc_pool_barrier(me);
    if (apart) {
        size_t from = 0, to = 0;
        share_rows(me, rows, &from, &to);
        for (size_t i = from; i < to; i++) {
            float *g = w->wide + i * w->width;
            s->kern->act_mul(g, g, g + inter, inter, c->act);
        }
        sc_pool_barrier(me);
    }
    const input h = plain_input(s, me, w->wide, w->width, inter, rows, down);
    if (y) {
        const product q = {.l = down, .in = &h, .y = y, .ldy = c->hidden, .epi = SC_EPI_STORE};
        multiply(s, me, &q);
    } else {
        add_product(s, me, down, &h);
    }
    sc_pool_barrier(me);
}

static void mixture(const sc_step *s, const sc_worker *me, const sc_layer *layer)
{
    const sc_config *c = &s->net->config;
    const sc_work *w = s->work;
    size_t from = 0, to = 0;
    share_rows(me, s->n, &from, &to);
    for (size_t i = from; i < to; i++)
        normalise(s, &layer->norm2, w->x + i * c->hidden, w->norm + i * c->hidden);
    sc_pool_barrier(me);
    const input in = plain_input(s, me, w->norm, c->hidden, c->hidden, s->n, &layer->router);
    const product p = {
        .l = &layer->router, .in = &in, .y = w->route, .ldy = c->experts, .epi = SC_EPI_STORE};
    multiply(s, me, &p);
    sc_pool_barrier(me);
    route_rows(s, me);
    sc_pool_barrier(me);
    if (me->index == 0)
        sort_by_expert(s);
    sc_pool_barrier(me);
    for (uint32_t e = 0; e < c->experts; e++) {
        const uint32_t first = w->first[e];
        // A step's rows fit the buffers of a batch, so an expert's rows do: a row picks it once.
        const size_t rows = w->first[e + 1] - first;
        if (rows == 0)
            continue;
        const sc_expert *x = &layer->expert[e];
        const input xin = new_input(s, me, &x->up, NULL, c->hidden, rows);
        share_input(me, &xin, rows, &from, &to);
        for (size_t i = from; i < to; i++)
            encode_row(s, &xin, w->norm + (size_t)w->order[first + i] * c->hidden, i);
        input_done(me, &xin);
        mlp(s, me, &x->up, &x->down, &xin, c->expert_inter, rows,
            w->side + (size_t)first * c->hidden);
    }
    share_rows(me, s->n, &from, &to);
    for (size_t i = from; i < to; i++) {
        float *x = w->x + i * c->hidden;
        for (size_t a = 0; a < c->experts_used; a++) {
            const float *y = w->side + (size_t)w->place[i * c->experts_used + a] * c->hidden;
            const float share = w->share[i * c->experts_used + a] * c->residual_scale;
            for (size_t j = 0; j < c->hidden; j++)
                x[j] += share * y[j];
        }
    }
    sc_pool_barrier(me);
}

/* q, k, v, the cache, and what attention gives, in w->attn. */
static void attention(sc_step *s, const sc_worker *me, uint32_t l)
{
    sc_pool_barrier(me); // the product that made w->qkv
    // Between two barriers, so that at the end of the layer all threads read the same flag.
    if (me->index == 0 && s->stop && atomic_load_explicit(s->stop, memory_order_relaxed))
        s->stopped = true;
    if (!s->one_each) {
        place_keys(s, me, l);
        sc_pool_barrier(me);
    }
    attend(s, me, l);
    sc_pool_barrier(me);
}

/* Whether layer `l` is the last and some rows end with their keys: nobody asks for their logits. */
static bool ends_rows(const sc_step *s, uint32_t l)
{
    const sc_config *c = &s->net->config;
    return l + 1 == c->layers && s->n_logits < s->n && !s->work->hidden && !c->parallel;
}

/* Brings the rows whose logits are wanted to the front; from here on the step has only those. */
static void keep_wanted(sc_step *s, const sc_worker *me)
{
    const sc_config *c = &s->net->config;
    const size_t hidden = c->hidden, q = (size_t)c->heads * c->head_dim;
    const sc_work *w = s->work;
    if (me->index == 0) {
        for (size_t i = 0; i < s->n_logits; i++) {
            const size_t from = s->wanted[i]; // they rise
            if (from == i)
                continue;
            memcpy(w->x + i * hidden, w->x + from * hidden, hidden * sizeof *w->x);
            memcpy(w->attn + i * q, w->attn + from * q, q * sizeof *w->attn);
        }
        s->n = s->n_logits;
    }
    sc_pool_barrier(me);
}

static void run_layer(sc_step *s, const sc_worker *me, uint32_t l)
{
    const sc_config *c = &s->net->config;
    const sc_layer *layer = &s->net->layer[l];
    const sc_work *w = s->work;
    const size_t q = (size_t)c->heads * c->head_dim, kv = (size_t)c->kv_heads * c->head_dim;
    const bool both = c->parallel && c->one_norm && !layer->expert;
    const bool ends = ends_rows(s, l); // asked before a thread changes s->n

    const input in = norm_input(s, me, &layer->norm1, &layer->qkv, both ? &layer->up : NULL);
    const product p = {
        .l = &layer->qkv, .in = &in, .y = w->qkv, .ldy = q + 2 * kv, .epi = SC_EPI_STORE};
    multiply(s, me, &p);
    attention(s, me, l);
    if (c->parallel) {
        // The MLP sees the stream as attention saw it, so it goes first; the sum is the same.
        input a = in;
        if (!both) {
            a = norm_input(s, me, c->one_norm ? &layer->norm1 : &layer->norm2, &layer->up, NULL);
        }
        mlp(s, me, &layer->up, &layer->down, &a, c->inter, s->n, w->side);
        const input o = plain_input(s, me, w->attn, q, q, s->n, &layer->out);
        add_product(s, me, &layer->out, &o);
        sc_pool_barrier(me);
        size_t from = 0, to = 0;
        share_rows(me, s->n, &from, &to);
        for (size_t i = from; i < to; i++)
            s->kern->add(w->x + i * c->hidden, w->side + i * c->hidden, c->hidden);
        sc_pool_barrier(me);
        return;
    }
    if (ends) {
        if (s->n_logits == 0)
            return;
        keep_wanted(s, me);
    }
    const input o = plain_input(s, me, w->attn, q, q, s->n, &layer->out);
    add_product(s, me, &layer->out, &o);
    sc_pool_barrier(me);
    if (layer->expert) {
        mixture(s, me, layer);
        return;
    }
    const input h = norm_input(s, me, &layer->norm2, &layer->up, NULL);
    mlp(s, me, &layer->up, &layer->down, &h, c->inter, s->n, NULL);
}

/* Copies the stream for whoever looks for the layer that goes wrong. */
static void keep_hidden(const sc_step *s, const sc_worker *me, uint32_t l)
{
    const sc_work *w = s->work;
    const size_t hidden = s->net->config.hidden;
    if (!w->hidden)
        return;
    size_t from = 0, to = 0;
    share_rows(me, s->n, &from, &to);
    for (size_t i = from; i < to; i++) {
        float *y = w->hidden + ((size_t)l * w->max_rows + i) * hidden;
        memcpy(y, w->x + i * hidden, hidden * sizeof *y);
        if (l == s->net->config.layers)
            normalise(s, &s->net->norm, y, y);
    }
}

static void make_logits(const sc_step *s, const sc_worker *me)
{
    const sc_net *net = s->net;
    const sc_config *c = &net->config;
    const sc_work *w = s->work;
    const input in = new_input(s, me, &net->head, NULL, c->hidden, s->n_logits);
    size_t from = 0, to = 0;
    share_input(me, &in, s->n_logits, &from, &to);
    for (size_t i = from; i < to; i++) {
        float *y =
            in.lone ? w->lone + me->index * ((w->widest + 15) / 16 * 16) : w->norm + i * c->hidden;
        const size_t row = s->n == s->n_logits ? i : s->wanted[i];
        normalise(s, &net->norm, w->x + row * c->hidden, y);
        encode_row(s, &in, y, i);
    }
    input_done(me, &in);
    const product p = {
        .l = &net->head, .in = &in, .y = w->logits, .ldy = c->vocab, .epi = SC_EPI_STORE};
    const float scale = c->logit_scale;
    if (!(scale < 1) && !(scale > 1)) {
        multiply(s, me, &p);
        return;
    }
    multiply_share(s, me, &p);
    for (uint32_t part = 0; part < net->head.n_parts; part++) {
        written(me, &net->head, part, &from, &to);
        for (size_t i = 0; i < s->n_logits; i++)
            for (size_t r = from; r < to; r++)
                w->logits[i * c->vocab + r] *= scale;
    }
}

static void run(const sc_worker *me, void *arg)
{
    sc_step *s = arg;
    s->work->supply[me->index].round = s->round;
    s->work->supply[me->index].of = (sc_supply){
        .kern = s->kern,
        .scratch = s->work->pack + me->index * s->work->pack_n,
        .keep = s->work->keep,
    };
    embed_rows(s, me);
    sc_pool_barrier(me);
    for (uint32_t l = 0; l < s->net->config.layers; l++) {
        keep_hidden(s, me, l);
        run_layer(s, me, l);
        if (s->stopped)
            return;
    }
    keep_hidden(s, me, s->net->config.layers);
    if (s->n_logits)
        make_logits(s, me);
}

/* What this step may pack for good: a stretch behind that of the step before. */
static void move_front(const sc_net *net, sc_keep *k, unsigned threads, size_t rows)
{
    const size_t most = (size_t)KEEP_MOST * threads * (1 + rows / KEEP_ROWS);
    const uint8_t *end = net->arena + net->arena_size;
    if (!k->front)
        k->front = net->arena; // nothing was seen yet
    else
        k->front = (size_t)(end - k->front) > most ? k->front + most : end;
    atomic_store_explicit(&k->left, (int64_t)most, memory_order_relaxed);
    while (k->gone < net->n_sources && sc_source_leave(net->source[k->gone]))
        k->gone++;
}

void sc_forward_run(sc_pool *pool, sc_step *s)
{
    move_front(s->net, s->work->keep, s->work->threads, s->n);
    s->stopped = false;
    group_rows(s);
    s->round = s->work->supply[0].round; // a thread that stayed away has not counted on
    sc_pool_run_some(pool, s->n, run, s);
}
