/* net.c - which configuration belongs to a set of weights; what to do with a bound net. */
// SPDX-License-Identifier: MIT
#include "model/net.h"

#include "base/mem.h"
#include "kern/dequant.h"
#include "kern/pack.h"
#include "model/arch.h"
#include "model/finder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Divisors of frequencies that a GGUF file keeps as a tensor. */
static sc_code read_divisors(sc_weights *w, const char *name, sc_rope_conf *r, float *out,
                             sc_err *err)
{
    const sc_tensor *t = sc_weights_find(w, sc_str_c(name));
    if (!t)
        return sc_fail(err, SC_E_FORMAT, "tensor %s: missing", name);
    if (t->dtype != SC_F32 || t->n_dims != 1 || t->dims[0] != r->dim / 2 ||
        r->dim / 2 > SC_CONFIG_MAX_ROPE)
        return sc_fail(err, SC_E_FORMAT, "tensor %s: [%" PRIu32 "] of F32 expected", name,
                       r->dim / 2);
    const void *data = NULL;
    SC_TRY(sc_weights_data(w, t, &data, err));
    memcpy(out, data, (size_t)t->dims[0] * sizeof *out);
    for (uint64_t i = 0; i < t->dims[0]; i++)
        if (!(out[i] > 0 && out[i] < 1e9f))
            return sc_fail(err, SC_E_FORMAT, "tensor %s: entry %" PRIu64 " is no positive number",
                           name, i);
    r->n_divisors = r->dim / 2;
    return SC_OK;
}

static sc_code read_gguf(sc_weights *w, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_read_gguf(w, c, err));
    sc_rope_conf *r = &c->rope;
    if (r->kind == SC_ROPE_LONG) {
        SC_TRY(read_divisors(w, "rope_factors_short.weight", r, r->short_div, err));
        return read_divisors(w, "rope_factors_long.weight", r, r->long_div, err);
    }
    if (!sc_weights_find(w, SC_STR("rope_freqs.weight")))
        return SC_OK;
    // llama3 scaling, worked out by the converter.
    SC_TRY(read_divisors(w, "rope_freqs.weight", r, r->short_div, err));
    memcpy(r->long_div, r->short_div, sizeof r->long_div);
    r->kind = SC_ROPE_LONG;
    r->attention_factor = 1;
    return SC_OK;
}

/* The rows of layer 0's matrix `base`, 0 when there is none. */
static uint64_t rows_of(sc_finder *n, const char *base)
{
    const sc_tensor *t = sc_finder_find(n, base, 0, 0, ".weight", NULL);
    return t && t->n_dims == 2 && t->dims[0] <= 1u << 24 ? t->dims[0] : 0;
}

/* Sizes of a checkpoint that its config does not give; the vocabulary is always the tensor's. */
static sc_code sizes_from_tensors(sc_finder *n, const json_t *o, sc_config *c, sc_err *err)
{
    const sc_arch_names *names = n->names;
    const sc_tensor *embed = sc_finder_find(n, names->embed, 0, 0, ".weight", NULL);
    if (!embed || embed->n_dims != 2 || embed->dims[0] > 1u << 24 || embed->dims[1] > 1u << 20)
        return sc_fail(err, SC_E_NOTFOUND,
                       "no config.json beside the weights, and no SmallCoder checkpoint either");
    c->vocab = (uint32_t)embed->dims[0];
    c->tied = !sc_finder_find(n, names->head, 0, 0, ".weight", NULL);
    if (!json_object_get(o, "hidden_size"))
        c->hidden = (uint32_t)embed->dims[1];
    if (!json_object_get(o, "intermediate_size"))
        c->inter = (uint32_t)rows_of(n, names->gate);
    if (!json_object_get(o, "num_hidden_layers"))
        for (c->layers = 0; c->layers < SC_CONFIG_MAX_LAYERS; c->layers++)
            if (!sc_finder_find(n, names->norm1, c->layers, 0, ".weight", NULL))
                break;
    if (!json_object_get(o, "num_attention_heads")) {
        // Every size of the original has 4 kv heads; the shapes of q and k then give the rest.
        const uint64_t q = rows_of(n, names->q), k = rows_of(n, names->k);
        if (k && q % k == 0 && q / k <= 1024)
            c->heads = (uint32_t)(q / k) * c->kv_heads;
    }
    if (!json_object_get(o, "head_dim"))
        c->head_dim = c->heads ? c->hidden / c->heads : 0;
    c->rope.dim = c->head_dim;
    return sc_config_check(c, err);
}

static sc_code read_smallcoder(sc_weights *w, const json_t *o, sc_config *c, sc_err *err)
{
    SC_TRY(sc_config_read_smallcoder(o, c, err));
    SC_AUTO(sc_finder) n = {0};
    SC_TRY(sc_finder_init(&n, w, sc_arch_find(c->arch), err));
    return sizes_from_tensors(&n, o, c, err);
}

sc_code sc_net_config(sc_weights *w, sc_config *out, sc_err *err)
{
    sc_config c;
    const json_t *o = sc_weights_config(w);
    if (sc_weights_kind_of(w) == SC_WEIGHTS_GGUF)
        SC_TRY(read_gguf(w, &c, err));
    else if (o && json_object_get(o, "model_type"))
        SC_TRY_IN(sc_config_read_hf(o, &c, err), err, "config.json");
    else
        SC_TRY(read_smallcoder(w, o, &c, err));
    if (sc_weights_generation(w))
        SC_TRY_IN(sc_config_read_generation(sc_weights_generation(w), &c, err), err,
                  "generation_config.json");
    *out = c;
    return SC_OK;
}

uint64_t sc_net_packed_most(const sc_weights *w)
{
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(w, &n);
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (t[i].n_dims < 2 || !sc_dtype_info(t[i].dtype)->weights)
            continue;
        const uint64_t cols = t[i].dims[t[i].n_dims - 1], rows = t[i].dims[t[i].n_dims - 2];
        const uint64_t many = t[i].n_dims == 3 ? t[i].dims[0] : 1;
        uint64_t panel = 0, turned = 0, row = 0;
        // Two panels beyond the rows: where a part or a pair begins.
        if (rows < 1u << 26 && cols < 1u << 26 && many < 1u << 16 &&
            sc_dtype_row_size(t[i].dtype, cols, &row)) {
            panel = sc_panel_size(t[i].dtype, cols) * (sc_panels(rows) + 2);
            if (sc_dtype_info(t[i].dtype)->block == 1 && t[i].n_dims == 2)
                turned = sc_panel_size(t[i].dtype, rows) * (sc_panels(cols) + 2);
        }
        const uint64_t most = (panel > turned ? panel : turned) * many;
        if (__builtin_add_overflow(total, most, &total))
            return UINT64_MAX;
    }
    return total;
}

void sc_net_sizes(const sc_net *n, uint64_t *packed, uint64_t *mapped)
{
    *packed = n->packed;
    *mapped = n->mapped;
    for (size_t i = 0; i < n->n_sources; i++)
        sc_source_sizes(n->source[i], packed, mapped);
}

sc_ahead *sc_net_walk_ahead(const sc_net *n)
{
    sc_ahead_range *range = sc_alloc(2 * n->n_sources, sizeof *range);
    if (!range)
        return NULL;
    size_t count = 0;
    // The head was bound first and is needed last.
    for (size_t i = 1; i <= n->n_sources; i++)
        count += sc_source_ranges(n->source[i % n->n_sources], range + count);
    sc_ahead *a = sc_ahead_new(range, count);
    sc_free(range);
    return a;
}

void sc_net_free(sc_net *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_kept; i++)
        sc_free(n->kept[i]);
    sc_free(n->kept);
    for (uint32_t l = 0; n->layer && l < n->config.layers; l++)
        sc_free(n->layer[l].expert);
    sc_free(n->layer);
    for (size_t i = 0; i < n->n_sources; i++) {
        sc_source_drop(n->source[i]);
        sc_free(n->source[i]);
    }
    sc_free(n->source);
    if (n->arena)
        sc_free_pages(n->arena, n->arena_size ? n->arena_size : 64);
    sc_weights_close(n->weights);
    sc_free(n);
}

void sc_net_embed(const sc_net *n, int32_t token, float *x)
{
    const size_t id = (size_t)token;
    if (n->embed) {
        sc_dequant_row(n->embed_type, x, n->embed + id * n->embed_row, n->config.hidden);
        return;
    }
    if (n->head.source[0])
        sc_source_row(n->head.source[0], x, id);
    else
        sc_mat_row(&n->head.part[0], x, id);
}
