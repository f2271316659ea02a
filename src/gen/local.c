// SPDX-License-Identifier: MIT
#include "gen/local.h"

#include "base/mem.h"
#include "gen/stop.h"

#include <inttypes.h>

enum {
    DEFAULT_ROWS = 256,
    // Twice the rows from which on more gain nothing (docs/PERFORMANCE.md, "Long contexts and wide
    // batches"): when half of the samples have ended, the others still fill the arithmetic. A run
    // starts with it, and measures.
    WAVE = 48,
    TEXT_LIMIT = 64 << 20,
};

/* A request while it is being worked on. */
typedef struct job {
    const sc_gen_request *r;
    size_t index;
    sc_seq seq;        // owned; the prompt's, while samples may still fork from it; -1: none
    float *logits;     // owned, [vocab]; behind the prompt, once it was read
    sc_detok detok;    // state behind the prompt
    size_t fed;        // prompt tokens read
    uint32_t started;  // samples
    uint64_t start_ns; // when the reading began
    uint64_t ready_ns; // when the logits were there; 0: not yet
    uint64_t pages;    // of the prompt, counted as used
} job;

/* A place in the batch. */
typedef struct slot {
    job *j; // borrowed; NULL: free
    uint32_t sample;
    sc_seq seq; // owned while j is set
    sc_detok detok;
    sc_buf text;        // owned
    int32_t *ids;       // owned, [cap_ids]: the prompt, then the new ones
    uint64_t *token_ns; // owned, [cap_ids]
    size_t cap_ids;
    size_t n_new;
    size_t sent; // bytes of text given to the sink
    uint64_t start_ns;
    uint64_t pages; // counted as used
    uint32_t peak;
    int32_t next; // sampled, not yet fed
    bool fed;     // takes part in this step
    size_t row;   // of this step
    sc_code sampled;
    sc_err why; // of a failed sampling
} slot;

typedef struct local {
    sc_model *model;   // borrowed
    const sc_tok *tok; // borrowed
    sc_gen_local_opts opts;
    uint32_t vocab;
    uint32_t ctx;
    sc_sampler **sampler; // owned, [threads]
    unsigned n_samplers;
    sc_gen_local_stats stats;

    // Of the current run.
    const sc_gen_sink *sink;
    job *jobs; // owned, [n_jobs]
    size_t n_jobs;
    size_t next_job; // first one not admitted
    slot *slots;     // owned, [n_slots]
    uint32_t n_slots;
    uint32_t busy;
    sc_width width;
    uint32_t turn;     // the place at which a step of some of the samples begins
    uint32_t decoding; // samples in this step
    uint64_t unstarted;
    sc_row *rows; // owned, [max_rows]
    size_t max_rows;
    uint64_t pages_total;
    uint64_t pages_used;
    uint64_t begin_ns;
} local;

static uint64_t now(const local *g)
{
    return sc_clock_ns(&g->opts.clock);
}

/* Pages of a whole prompt. */
static uint64_t prompt_pages(const sc_gen_request *r)
{
    const uint64_t per = SC_KV_PAGE;
    return (r->n_prompt + per - 1) / per;
}

/* Pages that one sample adds to those it shares with the prompt. */
static uint64_t sample_pages(const local *g, const sc_gen_request *r)
{
    const uint64_t per = SC_KV_PAGE;
    uint64_t all = (uint64_t)r->n_prompt + r->max_tokens;
    if (all > g->ctx)
        all = g->ctx;
    return (all + per - 1) / per - r->n_prompt / per;
}

static sc_code check_context(const local *g, const sc_gen_request *r, size_t n, sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t need = (uint64_t)r[i].n_prompt + (r[i].may_clip ? 1 : r[i].max_tokens);
        if (r[i].n_prompt >= g->ctx)
            return sc_fail(err, SC_E_LIMIT,
                           "%s: %zu prompt tokens leave no room in the context of %" PRIu32,
                           r[i].name, r[i].n_prompt, g->ctx);
        if (need > g->ctx)
            return sc_fail(err, SC_E_LIMIT,
                           "%s: %zu prompt tokens and %" PRIu32
                           " new ones do not fit the context of %" PRIu32
                           "; ask for at most %" PRIu32 " new tokens",
                           r[i].name, r[i].n_prompt, r[i].max_tokens, g->ctx,
                           g->ctx - (uint32_t)r[i].n_prompt);
        for (size_t k = 0; k < r[i].n_prompt; k++)
            if (r[i].prompt[k] < 0 || (uint32_t)r[i].prompt[k] >= g->vocab)
                return sc_fail(err, SC_E_USAGE,
                               "%s: prompt token %zu is %" PRId32 ", the model has %" PRIu32
                               " tokens; is this its tokenizer?",
                               r[i].name, k, r[i].prompt[k], g->vocab);
    }
    return SC_OK;
}

/* Where the run starts, and whether it may measure its way from there. */
static void choose_width(local *g, uint32_t derived, uint64_t samples)
{
    const uint32_t start = g->opts.batch ? g->n_slots : derived;
    sc_width_init(&g->width, start, g->n_slots);
    if (g->opts.batch)
        sc_width_settle(&g->width);
    g->stats.why = g->opts.batch && start == g->opts.batch ? "asked for"
                   : start == samples                      ? "samples"
                   : start == g->n_slots                   ? "room"
                                                           : "waves";
}

/* How many places the run gets: enough for the arithmetic, no more than the cache can hold. */
static sc_code size_batch(local *g, const sc_gen_request *r, size_t n, sc_err *err)
{
    uint64_t samples = 0;
    uint64_t largest = 0; // pages of a prompt and one sample
    const char *which = "";
    for (size_t i = 0; i < n; i++) {
        const uint64_t pages = prompt_pages(&r[i]) + sample_pages(g, &r[i]);
        samples += r[i].n_samples;
        if (pages > largest) {
            largest = pages;
            which = r[i].name;
        }
    }
    const uint64_t waves = (samples + WAVE - 1) / WAVE;
    const uint64_t derived = (samples + waves - 1) / waves;
    const uint64_t most = g->opts.batch && g->opts.batch < samples ? g->opts.batch : samples;
    // A sequence for each place and one for each prompt that is being read or shared.
    const uint64_t seqs = sc_model_max_seqs(g->model) / 2;
    const uint64_t rows = sc_model_max_rows(g->model) - 1; // one is left for a prompt
    const uint64_t room = seqs < rows ? seqs : rows;
    const uint64_t batch = most < room ? most : room;
    g->pages_total = sc_model_room(g->model) / SC_KV_PAGE;
    if (batch == 0 || largest > g->pages_total)
        return sc_fail(err, SC_E_LIMIT,
                       "%s: a prompt and its completion need %" PRIu64
                       " KV pages, there is room for %" PRIu64,
                       which, largest, g->pages_total);
    g->n_slots = (uint32_t)batch;
    g->unstarted = samples;
    g->pages_used = 0;
    choose_width(g, (uint32_t)(derived < batch ? derived : batch), samples);
    g->max_rows = g->opts.rows ? g->opts.rows : DEFAULT_ROWS;
    if (g->max_rows < batch + 1)
        g->max_rows = batch + 1;
    if (g->max_rows > rows + 1)
        g->max_rows = rows + 1;
    return SC_OK;
}

static sc_code make_room(local *g, const sc_gen_request *r, size_t n, sc_err *err)
{
    SC_TRY(size_batch(g, r, n, err));
    g->jobs = sc_alloc(n, sizeof *g->jobs);
    g->slots = sc_alloc(g->n_slots, sizeof *g->slots);
    g->rows = sc_alloc(g->max_rows, sizeof *g->rows);
    if (!g->jobs || !g->slots || !g->rows)
        return sc_fail_nomem(err);
    g->n_jobs = n;
    for (size_t i = 0; i < n; i++)
        g->jobs[i] = (job){.r = &r[i], .index = i, .seq = -1};
    for (uint32_t i = 0; i < g->n_slots; i++)
        g->slots[i].text = sc_buf_init(TEXT_LIMIT);
    return SC_OK;
}

static void drop_run(local *g)
{
    for (size_t i = 0; g->jobs && i < g->n_jobs; i++) {
        if (g->jobs[i].seq >= 0)
            sc_model_seq_free(g->model, g->jobs[i].seq);
        sc_free(g->jobs[i].logits);
    }
    for (uint32_t i = 0; g->slots && i < g->n_slots; i++) {
        if (g->slots[i].j)
            sc_model_seq_free(g->model, g->slots[i].seq);
        sc_buf_drop(&g->slots[i].text);
        sc_free(g->slots[i].ids);
        sc_free(g->slots[i].token_ns);
    }
    sc_free(g->jobs);
    sc_free(g->slots);
    sc_free(g->rows);
    g->jobs = NULL;
    g->slots = NULL;
    g->rows = NULL;
    g->n_jobs = 0;
    g->n_slots = 0;
    g->next_job = 0;
    g->busy = 0;
    g->turn = 0;
}

/* The text state behind the prompt: a completion does not start a text. */
static sc_code prime_detok(const local *g, job *j, sc_err *err)
{
    SC_AUTO(sc_buf) waste = sc_buf_init(TEXT_LIMIT);
    sc_detok_init(&j->detok, g->tok, true);
    for (size_t i = 0; i < j->r->n_prompt; i++)
        sc_detok_push(&j->detok, j->r->prompt[i], &waste);
    return sc_buf_ok(&waste) ? SC_OK : sc_fail_nomem(err);
}

/* Samples that jobs in flight have not started yet. */
static uint64_t waiting(const local *g)
{
    uint64_t n = 0;
    for (size_t i = 0; i < g->next_job; i++)
        if (g->jobs[i].seq >= 0)
            n += g->jobs[i].r->n_samples - g->jobs[i].started;
    return n;
}

/* Takes up requests while there are places and pages for their first sample. */
static sc_code admit(local *g, sc_err *err)
{
    const uint32_t limit = sc_width_limit(&g->width, g->unstarted);
    while (g->next_job < g->n_jobs && g->busy + waiting(g) < limit) {
        job *j = &g->jobs[g->next_job];
        const uint64_t need = prompt_pages(j->r);
        if (g->pages_used + need + sample_pages(g, j->r) > g->pages_total)
            return SC_OK;
        j->logits = sc_alloc(g->vocab, sizeof *j->logits);
        if (!j->logits)
            return sc_fail_nomem(err);
        SC_TRY(prime_detok(g, j, err));
        SC_TRY(sc_model_seq_new(g->model, &j->seq, err));
        sc_model_seq_expect(g->model, j->seq, (uint32_t)j->r->n_prompt);
        j->pages = need;
        g->pages_used += need;
        g->next_job++;
    }
    return SC_OK;
}

static void close_job(local *g, job *j)
{
    sc_model_seq_free(g->model, j->seq);
    j->seq = -1;
    sc_free(j->logits);
    j->logits = NULL;
    g->pages_used -= j->pages;
}

/* Room for the ids of one sample; kept from sample to sample. */
static sc_code slot_room(slot *s, const sc_gen_request *r, sc_err *err)
{
    size_t need = 0;
    if (!sc_add_size(r->n_prompt, r->max_tokens, &need))
        return sc_fail_nomem(err);
    if (need <= s->cap_ids)
        return SC_OK;
    sc_free(s->ids);
    sc_free(s->token_ns);
    s->cap_ids = 0;
    s->ids = sc_alloc(need, sizeof *s->ids);
    s->token_ns = sc_alloc(need, sizeof *s->token_ns);
    if (!s->ids || !s->token_ns)
        return sc_fail_nomem(err);
    s->cap_ids = need;
    return SC_OK;
}

static sc_code start_sample(local *g, slot *s, job *j, sc_err *err)
{
    SC_TRY(slot_room(s, j->r, err));
    SC_TRY(sc_model_seq_fork(g->model, j->seq, &s->seq, err));
    memcpy(s->ids, j->r->prompt, j->r->n_prompt * sizeof *s->ids);
    sc_buf_clear(&s->text);
    s->j = j;
    s->sample = j->started++;
    s->detok = j->detok;
    s->n_new = 0;
    s->sent = 0;
    s->peak = 0;
    s->start_ns = s->sample == 0 ? j->start_ns : now(g);
    s->pages = sample_pages(g, j->r);
    g->pages_used += s->pages;
    g->busy++;
    g->unstarted--;
    return SC_OK;
}

static void free_slot(local *g, slot *s)
{
    sc_model_seq_free(g->model, s->seq);
    s->j = NULL;
    g->pages_used -= s->pages;
    g->busy--;
}

/* Hands the sample over and frees its place; `cut` is where the text ends. */
static sc_code finish(local *g, slot *s, sc_finish why, size_t cut, sc_err *err)
{
    job *j = s->j;
    const sc_str text = {sc_buf_text(&s->text), cut};
    if (g->sink->piece && cut > s->sent)
        g->sink->piece(g->sink->ctx, j->r, s->sample, sc_str_skip(text, s->sent));
    const sc_gen_result result = {
        .request = j->r,
        .request_index = j->index,
        .sample = s->sample,
        .seed = j->r->seeds[s->sample],
        .finish = why,
        .error = why == SC_FINISH_ERROR ? &s->why : NULL,
        .text = text,
        .full_text = sc_buf_str(&s->text),
        .ids = s->ids + j->r->n_prompt,
        .n_ids = s->n_new,
        .token_ns = s->token_ns,
        .queue_ns = s->start_ns - g->begin_ns,
        .start_ns = s->start_ns,
        .prefill_ns = j->ready_ns - j->start_ns,
        .shared_prefill = s->sample > 0,
        .batch_peak = s->peak,
    };
    sc_code code = SC_OK;
    if (g->sink->done)
        code = g->sink->done(g->sink->ctx, &result, err);
    free_slot(g, s);
    return code;
}

/* Ends the text with what the detokeniser still holds back, then hands over. */
static sc_code finish_whole(local *g, slot *s, sc_finish why, sc_err *err)
{
    sc_detok_flush(&s->detok, &s->text);
    size_t cut = s->text.n;
    if (sc_stop_find(s->j->r->stop_texts, s->j->r->n_stop_texts, sc_buf_str(&s->text), 0, &cut))
        why = SC_FINISH_STOP_TEXT;
    return finish(g, s, why, cut, err);
}

static bool is_stop_id(const sc_gen_request *r, int32_t id)
{
    for (size_t i = 0; i < r->n_stop_ids; i++)
        if (r->stop_ids[i] == id)
            return true;
    return false;
}

/* Takes the sampled token of `s`: text, stops, limits. */
static sc_code take_token(local *g, slot *s, uint64_t at_ns, sc_err *err)
{
    const sc_gen_request *r = s->j->r;
    if (s->sampled != SC_OK)
        return finish(g, s, SC_FINISH_ERROR, s->text.n, err);
    s->ids[r->n_prompt + s->n_new] = s->next;
    s->token_ns[s->n_new] = at_ns - s->start_ns;
    s->n_new++;
    s->peak = g->busy > s->peak ? g->busy : s->peak;
    if (is_stop_id(r, s->next))
        return finish_whole(g, s, SC_FINISH_STOP_ID, err);
    const size_t known = s->text.n;
    sc_detok_push(&s->detok, s->next, &s->text);
    if (!sc_buf_ok(&s->text))
        return sc_fail_nomem(err);
    size_t cut = 0;
    if (sc_stop_find(r->stop_texts, r->n_stop_texts, sc_buf_str(&s->text), known, &cut))
        return finish(g, s, SC_FINISH_STOP_TEXT, cut, err);
    if (s->n_new == r->max_tokens)
        return finish_whole(g, s, SC_FINISH_LENGTH, err);
    if (r->n_prompt + s->n_new >= g->ctx)
        return finish_whole(g, s, SC_FINISH_CONTEXT, err);
    if (g->sink->piece) {
        const sc_str text = sc_buf_str(&s->text);
        const size_t sure = text.n - sc_stop_hold(r->stop_texts, r->n_stop_texts, text);
        if (sure > s->sent) {
            g->sink->piece(g->sink->ctx, r, s->sample, (sc_str){text.p + s->sent, sure - s->sent});
            s->sent = sure;
        }
    }
    return SC_OK;
}

/* Draws the next token of a slot from `logits`. */
static void draw(sc_sampler *sampler, slot *s, const float *logits)
{
    const sc_gen_request *r = s->j->r;
    s->sampled = sc_sample(sampler, &r->params, logits, s->ids, r->n_prompt + s->n_new,
                           r->seeds[s->sample], s->n_new, &s->next, &s->why);
}

/* Starts samples of jobs whose prompt was read, each with its first token. */
static sc_code start_ready(local *g, sc_err *err)
{
    const uint32_t limit = sc_width_limit(&g->width, g->unstarted);
    for (size_t i = 0; i < g->next_job; i++) {
        job *j = &g->jobs[i];
        for (uint32_t k = 0; k < g->n_slots && j->seq >= 0 && j->ready_ns; k++) {
            slot *s = &g->slots[k];
            if (s->j || g->busy >= limit)
                continue;
            if (g->pages_used + sample_pages(g, j->r) > g->pages_total)
                break; // the one admitted last always fits when nothing else runs
            SC_TRY(start_sample(g, s, j, err));
            draw(g->sampler[0], s, j->logits);
            const bool last = j->started == j->r->n_samples;
            SC_TRY(take_token(g, s, now(g), err));
            if (last)
                close_job(g, j);
        }
    }
    return SC_OK;
}

/* Lays out the rows of a step; returns how many. */
static size_t fill_rows(local *g)
{
    size_t n = 0;
    const uint32_t take = sc_width_rows(&g->width, g->busy);
    const uint32_t first = take == g->busy ? 0 : g->turn;
    for (uint32_t i = 0; i < g->n_slots; i++) {
        slot *s = &g->slots[(first + i) % g->n_slots];
        s->fed = s->j && n < take;
        if (!s->fed)
            continue;
        if (take < g->busy)
            g->turn = (first + i + 1) % g->n_slots;
        s->row = n;
        g->rows[n++] = (sc_row){.seq = s->seq, .token = s->next, .want_logits = true};
    }
    g->decoding = (uint32_t)n;
    g->stats.decode_rows += n;
    for (size_t i = 0; i < g->next_job; i++) {
        job *j = &g->jobs[i];
        if (j->seq < 0 || j->ready_ns)
            continue;
        if (j->fed == 0 && n < g->max_rows)
            j->start_ns = now(g);
        while (j->fed < j->r->n_prompt && n < g->max_rows) {
            const bool last = j->fed + 1 == j->r->n_prompt;
            g->rows[n++] =
                (sc_row){.seq = j->seq, .token = j->r->prompt[j->fed++], .want_logits = last};
            g->stats.prefill_rows++;
        }
    }
    return n;
}

/* Keeps the logits of prompts that this step finished. */
static void keep_prompt_logits(local *g, size_t n)
{
    for (size_t i = 0; i < g->next_job; i++) {
        job *j = &g->jobs[i];
        if (j->seq < 0 || j->ready_ns || j->fed < j->r->n_prompt)
            continue;
        for (size_t row = 0; row < n; row++)
            if (g->rows[row].seq == j->seq && g->rows[row].want_logits)
                memcpy(j->logits, sc_model_logits(g->model, row), g->vocab * sizeof *j->logits);
        j->ready_ns = now(g);
    }
}

/* One share of the batch's sampling; thread t takes every n-th place. */
static void sample_share(const sc_worker *me, void *arg)
{
    local *g = arg;
    for (uint32_t k = me->index; k < g->n_slots; k += me->n) {
        slot *s = &g->slots[k];
        if (s->j && s->fed)
            draw(g->sampler[me->index], s, sc_model_logits(g->model, s->row));
    }
}

static sc_code take_tokens(local *g, sc_err *err)
{
    if (g->busy == 0)
        return SC_OK;
    const uint64_t from = now(g);
    const sc_worker alone = {NULL, 0, 1};
    if (g->busy == 1)
        sample_share(&alone, g);
    else
        sc_pool_run(sc_model_pool(g->model), sample_share, g);
    const uint64_t at = now(g);
    g->stats.sample_ns += at - from;
    for (uint32_t k = 0; k < g->n_slots; k++)
        if (g->slots[k].j && g->slots[k].fed)
            SC_TRY(take_token(g, &g->slots[k], at, err));
    return SC_OK;
}

static sc_code interrupt(local *g, sc_err *err)
{
    for (uint32_t k = 0; k < g->n_slots; k++)
        if (g->slots[k].j)
            SC_TRY(finish_whole(g, &g->slots[k], SC_FINISH_INTERRUPTED, err));
    return sc_fail(err, SC_E_INTERRUPTED, "stopped");
}

static sc_code run_steps(local *g, const atomic_bool *stop, sc_err *err)
{
    for (;;) {
        if (stop && atomic_load(stop))
            return interrupt(g, err);
        SC_TRY(start_ready(g, err));
        SC_TRY(admit(g, err));
        const size_t n = fill_rows(g);
        if (n == 0) {
            if (g->next_job == g->n_jobs && waiting(g) == 0)
                return SC_OK;
            continue; // a sample ended with its first token: its place and pages are free again
        }
        const uint32_t busy = g->busy;
        const uint64_t spent = g->stats.step_ns + g->stats.sample_ns;
        const uint64_t from = now(g);
        const sc_code code = sc_model_step(g->model, g->rows, n, err);
        if (code == SC_E_INTERRUPTED)
            return interrupt(g, err);
        SC_TRY(code);
        g->stats.step_ns += now(g) - from;
        g->stats.steps++;
        keep_prompt_logits(g, n);
        SC_TRY(take_tokens(g, err));
        sc_width_add(&g->width, g->decoding, busy, g->stats.step_ns + g->stats.sample_ns - spent,
                     n == g->decoding);
    }
}

/* What the run found out about its width. */
static void keep_trials(local *g)
{
    g->stats.batch = g->width.width;
    g->stats.n_trials = g->width.n_trials;
    memcpy(g->stats.trial, g->width.trial, sizeof g->stats.trial);
    for (size_t i = 0; i < g->width.n_trials; i++)
        if (g->width.trial[i].taken)
            g->stats.why = "measured";
}

static sc_code run(void *self, const sc_gen_request *r, size_t n, const sc_gen_sink *sink,
                   const atomic_bool *stop, sc_err *err)
{
    local *g = self;
    if (n == 0)
        return SC_OK;
    SC_TRY(check_context(g, r, n, err));
    g->sink = sink;
    g->stats = (sc_gen_local_stats){0};
    g->begin_ns = now(g);
    sc_code code = make_room(g, r, n, err);
    if (code == SC_OK)
        code = run_steps(g, stop, err);
    keep_trials(g);
    drop_run(g);
    return code;
}

static void close_local(void *self)
{
    local *g = self;
    if (!g)
        return;
    drop_run(g);
    for (unsigned i = 0; g->sampler && i < g->n_samplers; i++)
        sc_sampler_free(g->sampler[i]);
    sc_free(g->sampler);
    sc_free(g);
}

static const sc_gen_ops local_ops = {"local", run, close_local};

static void local_free(local *g)
{
    close_local(g);
}
SC_AUTO_DEFINE(local, local_free);

sc_code sc_gen_local_open(sc_model *m, const sc_tok *t, const sc_gen_local_opts *opts, sc_gen **out,
                          sc_err *err)
{
    SC_AUTO(local) *g = sc_new(local);
    if (!g)
        return sc_fail_nomem(err);
    g->model = m;
    g->tok = t;
    g->opts = *opts;
    if (!g->opts.clock.now_ns)
        g->opts.clock = sc_clock_real();
    g->vocab = sc_model_config(m)->vocab;
    g->ctx = sc_model_ctx(m);
    g->n_samplers = sc_pool_size(sc_model_pool(m));
    g->sampler = sc_alloc(g->n_samplers, sizeof(sc_sampler *));
    if (!g->sampler)
        return sc_fail_nomem(err);
    for (unsigned i = 0; i < g->n_samplers; i++)
        SC_TRY(sc_sampler_new(g->vocab, &g->sampler[i], err));
    sc_gen *gen = sc_new(sc_gen);
    if (!gen)
        return sc_fail_nomem(err);
    *gen = (sc_gen){&local_ops, sc_take(g)};
    *out = gen;
    return SC_OK;
}

sc_gen_local_stats sc_gen_local_last(const sc_gen *g)
{
    return ((const local *)g->self)->stats;
}
