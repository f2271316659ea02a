// SPDX-License-Identifier: MIT
#include "report/summary.h"

#include "base/mem.h"
#include "stat/quantile.h"
#include "stat/special.h"

#include <math.h>
#include <stdlib.h>

#define NONE ((double)NAN)

/* Figures of one kind while they are collected. */
typedef struct figures {
    double *x; // owned
    size_t n, cap;
    bool bad;
} figures;

static void add(figures *f, double x)
{
    if (isnan(x) || f->bad)
        return;
    f->bad = !sc_grow(&f->x, &f->cap, f->n, SIZE_MAX / sizeof *f->x, sizeof *f->x);
    if (!f->bad)
        f->x[f->n++] = x;
}

/* Sorts, sums up and lets go. */
static sc_code spread(figures *f, sc_spread *out, sc_err *err)
{
    *out = (sc_spread){.n = f->n, NONE, NONE, NONE, NONE, NONE, NONE, NONE};
    const bool bad = f->bad;
    if (!bad && f->n) {
        double sum = 0;
        sc_sort(f->x, f->n);
        for (size_t i = 0; i < f->n; i++)
            sum += f->x[i];
        out->min = f->x[0];
        out->p5 = sc_quantile(f->x, f->n, 0.05);
        out->p50 = sc_quantile(f->x, f->n, 0.5);
        out->p95 = sc_quantile(f->x, f->n, 0.95);
        out->p99 = sc_quantile(f->x, f->n, 0.99);
        out->max = f->x[f->n - 1];
        out->mean = sum / (double)f->n;
    }
    sc_free(f->x);
    *f = (figures){0};
    return bad ? sc_fail_nomem(err) : SC_OK;
}

static sc_task_sum *task_of(sc_summary *s, const sc_record *r, size_t *cap)
{
    for (size_t i = s->n_tasks; i-- > 0;)
        if (sc_str_eq(s->task[i].task, r->task) && sc_str_eq(s->task[i].suite, r->suite))
            return &s->task[i];
    if (!sc_grow(&s->task, cap, s->n_tasks, SIZE_MAX / sizeof *s->task, sizeof *s->task))
        return NULL;
    s->task[s->n_tasks] = (sc_task_sum){.task = r->task, .suite = r->suite};
    return &s->task[s->n_tasks++];
}

static void count_finish(sc_summary *s, sc_str finish)
{
    if (sc_str_is(finish, "stop_id"))
        s->stop_id++;
    else if (sc_str_is(finish, "stop_text"))
        s->stop_text++;
    else if (sc_str_is(finish, "length"))
        s->length++;
    else if (sc_str_is(finish, "context"))
        s->context++;
    else
        s->error++;
}

typedef struct collected {
    figures ttft, token, prefill, decode, queue;
} collected;

static void collect(collected *c, const sc_record *r)
{
    if (!r->shared_prefill && r->n_token_s)
        add(&c->ttft, r->ttft_s);
    add(&c->prefill, sc_record_prefill_rate(r));
    add(&c->decode, sc_record_decode_rate(r));
    add(&c->queue, r->queue_s);
    for (size_t i = 1; i < r->n_token_s; i++)
        add(&c->token, r->token_s[i] - r->token_s[i - 1]);
}

/* Sums while samples are read; finish_task and finish_all make means of them. */
static void add_sample(sc_summary *s, sc_task_sum *t, const sc_record *r)
{
    s->n++;
    t->n++;
    s->tokens += r->n_out;
    s->prompt_tokens += r->n_prompt;
    count_finish(s, r->finish);
    if (r->batch > s->batch_peak)
        s->batch_peak = r->batch;
    if (!r->ok)
        return;
    s->n_ok++;
    t->n_ok++;
    s->n_keywords += r->n_keywords;
    s->share += sc_record_share(r);
    s->word_share += sc_record_word_share(r);
    t->share += sc_record_share(r);
    t->word_share += sc_record_word_share(r);
    s->wall_sum_s += r->wall_s;
    t->wall_s += r->wall_s;
    t->tokens += r->n_out;
    s->rate += r->n_out; // real tokens of completed samples, until finish_all
}

static void finish_task(sc_task_sum *t, uint32_t max_tokens)
{
    const double ok = t->n_ok, n = t->n;
    t->share_ok = t->n_ok ? t->share / ok : NONE;
    t->share /= n;
    t->word_share /= n;
    t->rate = t->wall_s > 0 ? t->tokens / t->wall_s : NONE;
    t->rate_seed = t->wall_s > 0 ? max_tokens * ok / t->wall_s : NONE;
    t->tokens = t->n_ok ? t->tokens / ok : NONE;
    t->wall_s = t->n_ok ? t->wall_s / ok : NONE;
}

/* Student's t interval of the mean of the tasks' means, cut to what a share can be. */
static sc_interval over_tasks(const sc_summary *s, bool words)
{
    const size_t n = s->n_tasks;
    if (n < 2)
        return (sc_interval){NONE, NONE};
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        mean += words ? s->task[i].word_share : s->task[i].share;
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = (words ? s->task[i].word_share : s->task[i].share) - mean;
        square += d * d;
    }
    const double half = sc_t_ppf(0.975, (double)n - 1) * sqrt(square / ((double)n - 1) / (double)n);
    return (sc_interval){fmax(0, mean - half), fmin(1, mean + half)};
}

static void finish_all(sc_summary *s, uint32_t max_tokens)
{
    const double ok = (double)s->n_ok, n = s->n ? (double)s->n : 1;
    for (size_t i = 0; i < s->n_tasks; i++)
        finish_task(&s->task[i], max_tokens);
    s->success = sc_wilson(s->n_ok, s->n, 0.95);
    s->share_ok = s->n_ok ? s->share / ok : 0;
    s->word_share_ok = s->n_ok ? s->word_share / ok : 0;
    s->share /= n;
    s->word_share /= n;
    s->share_interval = over_tasks(s, false);
    s->word_interval = over_tasks(s, true);
    s->wall_s = s->n_ok ? s->wall_sum_s / ok : 0;
    s->rate = s->wall_sum_s > 0 ? s->rate / s->wall_sum_s : 0;
    s->rate_seed = s->wall_sum_s > 0 ? max_tokens * ok / s->wall_sum_s : 0;
}

sc_code sc_summary_make(const sc_records *all, sc_str model, uint32_t max_tokens, sc_summary *out,
                        sc_err *err)
{
    SC_AUTO(sc_summary) s = {0};
    collected c = {0};
    size_t cap = 0;
    for (size_t i = 0; i < all->n; i++) {
        const sc_record *r = &all->p[i];
        if (!sc_str_eq(r->model, model))
            continue;
        sc_task_sum *t = task_of(&s, r, &cap);
        if (!t) {
            c.ttft.bad = true;
            break;
        }
        add_sample(&s, t, r);
        collect(&c, r);
    }
    finish_all(&s, max_tokens);
    // All five, so that all five let go of their memory; the first failure is the one to report.
    sc_err more = {0};
    sc_code code = spread(&c.ttft, &s.ttft_s, &more);
    code = spread(&c.token, &s.token_s, &more) || code ? SC_E_NOMEM : SC_OK;
    code = spread(&c.prefill, &s.prefill_rate, &more) || code ? SC_E_NOMEM : SC_OK;
    code = spread(&c.decode, &s.decode_rate, &more) || code ? SC_E_NOMEM : SC_OK;
    code = spread(&c.queue, &s.queue_s, &more) || code ? SC_E_NOMEM : SC_OK;
    if (code != SC_OK)
        return sc_fail_nomem(err);
    *out = s;
    s = (sc_summary){0};
    return SC_OK;
}

void sc_summary_drop(sc_summary *s)
{
    sc_free(s->task);
    *s = (sc_summary){0};
}

/* NaN is null: JSON has no other word for it. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *spread_json(const sc_spread *s)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "n", (json_int_t)s->n, "min",
                     number(s->min), "p5", number(s->p5), "p50", number(s->p50), "p95",
                     number(s->p95), "p99", number(s->p99), "max", number(s->max), "mean",
                     number(s->mean));
}

static json_t *interval_json(sc_interval i)
{
    return json_pack("[o, o]", number(i.low), number(i.high));
}

json_t *sc_summary_json(const sc_summary *s)
{
    return json_pack(
        "{s:I, s:I, s:o, s:o, s:{s:o, s:o, s:o}, s:{s:o, s:o, s:o}, s:I, s:I, s:o, s:o, s:o, s:o,"
        " s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I}, s:I}",
        "samples", (json_int_t)s->n, "completed", (json_int_t)s->n_ok, "success_rate",
        number(s->n ? (double)s->n_ok / (double)s->n : NONE), "success_interval",
        interval_json(s->success), "keyword", "mean", number(s->share), "mean_completed",
        number(s->share_ok), "interval", interval_json(s->share_interval), "keyword_words", "mean",
        number(s->word_share), "mean_completed", number(s->word_share_ok), "interval",
        interval_json(s->word_interval), "new_tokens", (json_int_t)s->tokens, "prompt_tokens",
        (json_int_t)s->prompt_tokens, "mean_wall_s", number(s->wall_s), "tokens_per_second",
        number(s->rate), "tokens_per_second_seed", number(s->rate_seed), "ttft_s",
        spread_json(&s->ttft_s), "token_s", spread_json(&s->token_s), "prefill_tokens_per_second",
        spread_json(&s->prefill_rate), "decode_tokens_per_second", spread_json(&s->decode_rate),
        "queue_s", spread_json(&s->queue_s), "finish", "stop_id", (json_int_t)s->stop_id,
        "stop_text", (json_int_t)s->stop_text, "length", (json_int_t)s->length, "context",
        (json_int_t)s->context, "error", (json_int_t)s->error, "batch", (json_int_t)s->batch_peak);
}

json_t *sc_summary_tasks_json(const sc_summary *s)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < s->n_tasks; i++) {
        const sc_task_sum *t = &s->task[i];
        json_t *o =
            json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "task_id",
                      sc_json_text(t->task), "suite", sc_json_text(t->suite), "samples",
                      (json_int_t)t->n, "completed", (json_int_t)t->n_ok, "keyword",
                      number(t->share), "keyword_words", number(t->word_share), "mean_wall_s",
                      number(t->wall_s), "mean_new_tokens", number(t->tokens), "tokens_per_second",
                      number(t->rate), "tokens_per_second_seed", number(t->rate_seed));
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
