/* cost.c - what a step must do at least, from the shapes of the net. */
// SPDX-License-Identifier: MIT
#include "model/cost.h"

#include <math.h>

/* Adds a product: `rows` inputs meet the matrix, `read` of it is read. */
static void add_linear(sc_cost *c, const sc_linear *l, sc_compute compute, double rows, double read)
{
    for (uint32_t p = 0; p < l->n_parts; p++) {
        const sc_mat *m = &l->part[p];
        c->macs[sc_acts_kind_for(m->dtype, compute)] += rows * (double)m->rows * (double)m->cols;
        c->bytes += read * (double)sc_panels(m->rows) * (double)m->panel_size;
    }
}

/* The share of `n` experts that `rows` rows meet when each chooses `used`, all as likely. */
static double experts_met(double n, double used, double rows)
{
    return 1 - pow(1 - used / n, rows);
}

/* A layer that `all` rows enter and `rows` leave. */
static void add_layer(sc_cost *c, const sc_net *net, const sc_layer *l, sc_compute compute,
                      double all, double rows)
{
    add_linear(c, &l->qkv, compute, all, 1);
    if (!(rows > 0))
        return;
    const sc_linear *const lin[] = {&l->out, &l->up, &l->down, &l->router};
    for (size_t j = 0; j < SC_LEN(lin); j++)
        add_linear(c, lin[j], compute, rows, 1);
    const double n = net->config.experts, used = net->config.experts_used;
    for (uint32_t e = 0; l->expert && e < net->config.experts; e++) {
        const double read = experts_met(n, used, rows);
        add_linear(c, &l->expert[e].up, compute, rows * used / n, read);
        add_linear(c, &l->expert[e].down, compute, rows * used / n, read);
    }
}

static double seen(const sc_config *g, uint32_t layer, double keys)
{
    const double window = sc_config_window(g, layer);
    return window > 0 && keys > window ? window : keys;
}

/* Positions of keys and values that are read: of each sequence its own, shared ones once. */
static double positions(const sc_config *g, uint32_t layer, const sc_step_shape *s)
{
    const double all = seen(g, layer, s->length);
    const double before = s->length - all; // outside the window
    const double shared = s->shared > before ? s->shared - before : 0;
    return shared + s->seqs * (all - shared);
}

sc_cost sc_cost_of(const sc_net *net, sc_kv kv, sc_compute compute, const sc_step_shape *s)
{
    const sc_config *g = &net->config;
    const double width = kv.type == SC_F32 ? 4 : kv.type == SC_Q8_0 ? 34.0 / 32 : 2;
    sc_cost c = {0};
    for (uint32_t l = 0; l < g->layers; l++) {
        // Behind the last layer's keys only rows that want logits go on.
        const bool last = l + 1 == g->layers && !g->parallel;
        add_layer(&c, net, &net->layer[l], compute, s->rows, last ? s->logits : s->rows);
        // Scores, then values.
        c.macs[kv.type == SC_BF16 ? SC_ACTS_BF16 : SC_ACTS_F32] +=
            2.0 * g->heads * g->head_dim * seen(g, l, s->keys) * s->rows;
        c.bytes += 2.0 * g->kv_heads * g->head_dim * width * positions(g, l, s);
    }
    if (s->logits > 0)
        add_linear(&c, &net->head, compute, s->logits, 1);
    return c;
}
