// SPDX-License-Identifier: MIT
#include "model/verify.h"

#include "base/mem.h"
#include "kern/cpu.h"
#include "kern/dequant.h"
#include "model/net.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

enum { CHUNK = 1 << 14 }; // values at a time; whole blocks of every type

sc_code sc_verify_shapes(const char *path, sc_pool *pool, const atomic_bool *stop, sc_config *c,
                         sc_err *err)
{
    SC_AUTO(sc_weights) *w = NULL;
    SC_AUTO(sc_net) *net = NULL;
    sc_kern kern;
    sc_kern_init(&kern, sc_cpu_levels());
    SC_TRY(sc_weights_open(path, &w, err));
    SC_TRY_IN(sc_net_config(w, c, err), err, "%s", path);
    const sc_bind_how how = {.pool = pool, .kern = &kern, .stop = stop};
    return sc_net_bind(&w, c, &how, &net, err);
}

/* One tensor, shared out to the team. */
typedef struct job {
    const sc_tensor *t;
    const uint8_t *data;
    float *temp;   // [threads, CHUNK]
    uint64_t *nan; // [threads]
    uint64_t *inf; // [threads]
} job;

static void look(const sc_worker *me, void *arg)
{
    const job *j = arg;
    const sc_dtype_facts *f = sc_dtype_info(j->t->dtype);
    const size_t count = (size_t)j->t->count;
    float *x = j->temp + (size_t)me->index * CHUNK;
    size_t from = 0;
    size_t to = 0;
    sc_pool_share(me, count, CHUNK, &from, &to);
    for (; from < to; from += CHUNK) {
        const size_t n = to - from < CHUNK ? to - from : CHUNK;
        sc_dequant_row(j->t->dtype, x, j->data + from / f->block * f->size, n);
        uint64_t nan = 0;
        uint64_t all = 0;
        for (size_t i = 0; i < n; i++) {
            nan += x[i] != x[i];
            all += !(fabsf(x[i]) <= FLT_MAX);
        }
        j->nan[me->index] += nan;
        j->inf[me->index] += all - nan;
    }
}

static sc_code look_at(sc_weights *w, const sc_tensor *t, sc_pool *pool, float *temp,
                       sc_verify_values *v, sc_err *err)
{
    const void *data = NULL;
    uint64_t nan[SC_POOL_MAX] = {0};
    uint64_t inf[SC_POOL_MAX] = {0};
    SC_TRY(sc_weights_data(w, t, &data, err));
    job j = {.t = t, .data = data, .temp = temp, .nan = nan, .inf = inf};
    sc_pool_run(pool, look, &j);
    sc_weights_forget(w, t);
    const uint64_t before = v->nan + v->inf;
    for (size_t i = 0; i < SC_POOL_MAX; i++) {
        v->nan += nan[i];
        v->inf += inf[i];
    }
    v->tensors++;
    v->values += t->count;
    if (v->nan + v->inf == before)
        return SC_OK;
    v->bad++;
    if (!v->first)
        v->first = t;
    return SC_OK;
}

sc_code sc_verify_values_of(sc_weights *w, sc_pool *pool, const atomic_bool *stop,
                            sc_verify_values *out, sc_err *err)
{
    sc_verify_values v = {0};
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(w, &n);
    float *temp = sc_alloc(sc_pool_size(pool), CHUNK * sizeof *temp);
    if (!temp)
        return sc_fail_nomem(err);
    sc_code code = SC_OK;
    for (size_t i = 0; i < n && code == SC_OK; i++) {
        if (!sc_dtype_info(t[i].dtype)->weights || t[i].count == 0)
            continue;
        code = look_at(w, &t[i], pool, temp, &v, err);
        if (code == SC_OK && stop && atomic_load(stop))
            code = sc_fail(err, SC_E_INTERRUPTED, "interrupted");
    }
    sc_free(temp);
    if (code == SC_OK)
        *out = v;
    return code;
}

sc_code sc_verify_tokens(const sc_tok *t, const sc_config *c, sc_err *err)
{
    if (sc_tok_size(t) > c->vocab)
        return sc_fail(err, SC_E_FORMAT,
                       "the tokenizer has %" PRIu32 " tokens, the embedding %" PRIu32 " rows",
                       sc_tok_size(t), c->vocab);
    for (uint32_t i = 0; i < c->n_eos; i++)
        if (c->eos[i] < 0 || (uint32_t)c->eos[i] >= c->vocab)
            return sc_fail(err, SC_E_FORMAT,
                           "the configuration's end of text is token %" PRId32
                           ", the embedding has %" PRIu32 " rows",
                           c->eos[i], c->vocab);
    return SC_OK;
}
