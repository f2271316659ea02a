// SPDX-License-Identifier: MIT
#include "eval/speed.h"

#include "base/mem.h"
#include "base/rng.h"

#include <inttypes.h>

/* State of one measurement. */
typedef struct bench {
    sc_model *m; // borrowed
    const sc_speed_test *t;
    const sc_clock *clock;
    const atomic_bool *stop;
    sc_row *rows; // owned, [max(block, batch)]
    sc_seq *seq;  // owned, [batch]; -1: not open
    sc_seq base;  // with `depth` tokens; -1: not open
    uint32_t vocab;
    size_t block; // rows of a step while reading
} bench;

static void bench_drop(bench *b)
{
    for (uint32_t i = 0; b->seq && i < b->t->batch; i++)
        if (b->seq[i] >= 0)
            sc_model_seq_free(b->m, b->seq[i]);
    if (b->base >= 0)
        sc_model_seq_free(b->m, b->base);
    sc_free(b->rows);
    sc_free(b->seq);
}
SC_AUTO_DEFINE_VALUE(bench, bench_drop);

void sc_speed_result_drop(sc_speed_result *r)
{
    sc_free(r->tok_s);
    sc_free(r->step_s);
    *r = (sc_speed_result){0};
}

static int32_t token(const bench *b, uint64_t stream, uint64_t i)
{
    return (int32_t)(sc_rng_u64(1, stream, i) % b->vocab);
}

static sc_code check_stop(const bench *b, sc_err *err)
{
    if (b->stop && atomic_load(b->stop))
        return sc_fail(err, SC_E_INTERRUPTED, "stopped");
    return SC_OK;
}

/* One step; its time goes to *step_s when that is not NULL. */
static sc_code step(bench *b, size_t n, double *step_s, sc_err *err)
{
    SC_TRY(check_stop(b, err));
    const uint64_t from = sc_clock_ns(b->clock);
    SC_TRY(sc_model_step(b->m, b->rows, n, err));
    if (step_s)
        *step_s = sc_clock_seconds(from, sc_clock_ns(b->clock));
    return SC_OK;
}

/* Reads `n` tokens into sequence `s` in blocks, the logits of the last one with them when asked
 * for. */
static sc_code feed(bench *b, sc_seq s, uint64_t stream, uint32_t n, bool logits, double *step_s,
                    size_t *n_steps, sc_err *err)
{
    for (uint32_t at = 0; at < n;) {
        size_t k = 0;
        for (; k < b->block && at < n; k++, at++)
            b->rows[k] = (sc_row){
                .seq = s, .token = token(b, stream, at), .want_logits = logits && at + 1 == n};
        SC_TRY(step(b, k, step_s ? &step_s[*n_steps] : NULL, err));
        if (step_s)
            (*n_steps)++;
    }
    return SC_OK;
}

static sc_code open_all(bench *b, sc_err *err)
{
    for (uint32_t i = 0; i < b->t->batch; i++)
        SC_TRY(sc_model_seq_fork(b->m, b->base, &b->seq[i], err));
    return SC_OK;
}

static void close_all(bench *b)
{
    for (uint32_t i = 0; i < b->t->batch; i++) {
        if (b->seq[i] >= 0)
            sc_model_seq_free(b->m, b->seq[i]);
        b->seq[i] = -1;
    }
}

static sc_code prefill(bench *b, double *step_s, size_t *n_steps, sc_err *err)
{
    for (uint32_t i = 0; i < b->t->batch; i++)
        SC_TRY(feed(b, b->seq[i], i + 1, b->t->n, true, step_s, n_steps, err));
    return SC_OK;
}

static sc_code decode(bench *b, double *step_s, size_t *n_steps, sc_err *err)
{
    for (uint32_t at = 0; at < b->t->n; at++) {
        for (uint32_t i = 0; i < b->t->batch; i++)
            b->rows[i] =
                (sc_row){.seq = b->seq[i], .token = token(b, i + 1, at), .want_logits = true};
        SC_TRY(step(b, b->t->batch, &step_s[*n_steps], err));
        (*n_steps)++;
    }
    return SC_OK;
}

/* One repeat: tokens a second, and the times of its steps behind those that are there. */
static sc_code repeat(bench *b, double *tok_s, double *step_s, size_t *n_steps, sc_err *err)
{
    SC_TRY(open_all(b, err));
    const uint64_t from = sc_clock_ns(b->clock);
    if (b->t->decode)
        SC_TRY(decode(b, step_s, n_steps, err));
    else
        SC_TRY(prefill(b, step_s, n_steps, err));
    const double seconds = sc_clock_seconds(from, sc_clock_ns(b->clock));
    *tok_s = (double)b->t->n * (double)b->t->batch / seconds;
    return SC_OK;
}

static uint32_t block_of(const sc_model *m)
{
    const uint32_t most = sc_model_max_rows(m);
    return most < SC_SPEED_BLOCK ? most : SC_SPEED_BLOCK;
}

static sc_code check(const bench *b, sc_err *err)
{
    const sc_speed_test *t = b->t;
    if (t->n == 0 || t->batch == 0)
        return sc_fail(err, SC_E_USAGE, "a speed test needs at least one token and one sequence");
    const uint64_t need = (uint64_t)t->depth + t->n;
    if (need > sc_model_ctx(b->m))
        return sc_fail(err, SC_E_LIMIT,
                       "depth %" PRIu32 " and %" PRIu32 " tokens exceed the context of %" PRIu32,
                       t->depth, t->n, sc_model_ctx(b->m));
    if (t->batch >= sc_model_max_seqs(b->m) || t->batch > sc_model_max_rows(b->m))
        return sc_fail(err, SC_E_LIMIT, "%" PRIu32 " sequences at a time are too many", t->batch);
    return SC_OK;
}

sc_code sc_speed_measure(sc_model *m, const sc_speed_test *t, unsigned warmup, unsigned repeats,
                         const sc_clock *clock, const atomic_bool *stop, sc_speed_result *out,
                         sc_err *err)
{
    SC_AUTO(bench) b = {.m = m, .t = t, .clock = clock, .stop = stop, .base = -1};
    b.vocab = sc_model_config(m)->vocab;
    b.block = block_of(m);
    SC_TRY(check(&b, err));
    const size_t blocks = (t->n + b.block - 1) / b.block;
    const size_t per_run = t->decode ? t->n : blocks * t->batch;
    SC_AUTO(sc_speed_result) r = {0};
    b.rows = sc_alloc(b.block > t->batch ? b.block : t->batch, sizeof *b.rows);
    b.seq = sc_alloc(t->batch, sizeof *b.seq);
    r.tok_s = sc_alloc(repeats, sizeof *r.tok_s);
    // One run more than counts: warm-up runs write behind the others and are cut off.
    r.step_s = sc_alloc((size_t)repeats + 1, per_run * sizeof *r.step_s);
    if (!b.rows || !b.seq || !r.tok_s || !r.step_s)
        return sc_fail_nomem(err);
    for (uint32_t i = 0; i < t->batch; i++)
        b.seq[i] = -1;
    SC_TRY(sc_model_seq_new(m, &b.base, err));
    SC_TRY(feed(&b, b.base, 0, t->depth, false, NULL, NULL, err));
    for (unsigned i = 0; i < warmup + repeats; i++) {
        double tok_s = 0;
        size_t n_steps = r.n_steps;
        SC_TRY(repeat(&b, &tok_s, r.step_s, &n_steps, err));
        r.kv_bytes = sc_model_memory_get(m).kv;
        close_all(&b);
        if (i < warmup)
            continue;
        r.tok_s[r.n_runs++] = tok_s;
        r.n_steps = n_steps;
    }
    *out = r;
    r = (sc_speed_result){0};
    return SC_OK;
}

static void add_cost(sc_speed_cost *c, const sc_cost *step, double times)
{
    const double *m = step->macs;
    c->bytes += times * step->bytes;
    c->f32 += times * (m[SC_ACTS_F32] + m[SC_ACTS_F32R]);
    c->bf16 += times * m[SC_ACTS_BF16];
    c->int8 += times * (m[SC_ACTS_Q8] + 9.0 / 8 * m[SC_ACTS_Q8X]);
}

sc_speed_cost sc_speed_cost_of(const sc_model *m, const sc_speed_test *t)
{
    sc_speed_cost c = {0};
    if (t->decode) {
        const double middle = t->depth + (t->n + 1.0) / 2;
        const sc_cost step = sc_model_cost(
            m, &(sc_step_shape){t->batch, t->batch, t->batch, middle, middle, t->depth});
        add_cost(&c, &step, t->n);
        c.step_bytes = step.bytes;
        return c;
    }
    const uint32_t most = block_of(m);
    for (uint32_t at = 0; at < t->n;) {
        const uint32_t rows = t->n - at < most ? t->n - at : most;
        const double keys = t->depth + at + (rows + 1.0) / 2;
        const bool last = at + rows == t->n;
        const sc_cost step = sc_model_cost(
            m, &(sc_step_shape){rows, last, 1, keys, (double)t->depth + at + rows, 0});
        add_cost(&c, &step, t->batch);
        c.step_bytes = step.bytes;
        at += rows;
    }
    return c;
}

sc_speed_floor sc_speed_floor_of(const sc_speed_cost *c, const sc_limits *l)
{
    const double memory = c->bytes / l->read_all;
    const double compute = c->f32 / l->f32 + c->bf16 / l->bf16 + c->int8 / l->int8;
    return memory > compute ? (sc_speed_floor){memory, true} : (sc_speed_floor){compute, false};
}
