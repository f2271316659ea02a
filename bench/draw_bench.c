/*
 * What drawing takes of a step: samples of one prompt decode together, and every draw is timed
 * beside the step that made its logits, as generation does both.
 * usage: draw_bench MODEL [SAMPLES [STEPS [THREADS]]]      44 samples, 48 steps, all CPUs
 */
// SPDX-License-Identifier: MIT
#include "base/clock.h"
#include "base/mem.h"
#include "model/model.h"
#include "model/sample.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROMPT = 32, WARM = 8, MOST = 512 };

typedef struct bench {
    sc_model *model;
    sc_sampler *sampler[64];
    sc_row row[MOST];
    sc_sample_params how;
    size_t n;
    uint64_t step;
    bool failed[64];
} bench;

static void draw_share(const sc_worker *me, void *arg)
{
    bench *b = arg;
    size_t from = 0, to = 0;
    sc_pool_share(me, b->n, 1, &from, &to);
    for (size_t i = from; i < to; i++) {
        sc_err err = {0};
        const int32_t before = b->row[i].token;
        const float *logits = sc_model_logits(b->model, i);
        if (sc_sample(b->sampler[me->index], &b->how, logits, &before, 1, i, b->step,
                      &b->row[i].token, &err) != SC_OK)
            b->failed[me->index] = true;
    }
}

static double seconds(void)
{
    const sc_clock clock = sc_clock_real();
    return (double)sc_clock_ns(&clock) * 1e-9;
}

/* The prompt once, then a sequence for each sample. */
static sc_code begin(bench *b, sc_err *err)
{
    sc_seq first = 0;
    sc_row rows[PROMPT];
    SC_TRY(sc_model_seq_new(b->model, &first, err));
    for (int32_t i = 0; i < PROMPT; i++)
        rows[i] = (sc_row){.seq = first, .token = 100 + i, .want_logits = i + 1 == PROMPT};
    SC_TRY(sc_model_step(b->model, rows, PROMPT, err));
    for (size_t i = 0; i < b->n; i++) {
        b->row[i] = (sc_row){.token = 100 + (int32_t)i, .want_logits = true};
        SC_TRY(sc_model_seq_fork(b->model, first, &b->row[i].seq, err));
    }
    sc_model_seq_free(b->model, first);
    return SC_OK;
}

static sc_code run(bench *b, const char *name, sc_sample_params how, size_t steps, sc_err *err)
{
    double stepping = 0, drawing = 0;
    b->how = how;
    SC_TRY(begin(b, err));
    for (b->step = 0; b->step < steps + WARM; b->step++) {
        const double start = seconds();
        SC_TRY(sc_model_step(b->model, b->row, b->n, err));
        const double middle = seconds();
        sc_pool_run(sc_model_pool(b->model), draw_share, b);
        const double end = seconds();
        if (b->step < WARM)
            continue;
        stepping += middle - start;
        drawing += end - middle;
    }
    for (size_t i = 0; i < b->n; i++)
        sc_model_seq_free(b->model, b->row[i].seq);
    for (size_t i = 0; i < SC_LEN(b->failed); i++)
        if (b->failed[i])
            return sc_fail(err, SC_E_FORMAT, "a draw failed");
    const double s = (double)steps;
    printf(
        "%zu samples, %u tokens, %-20s step %7.2f ms, draws %6.2f ms (%6.1f us a row): %4.1f %%\n",
        b->n, sc_model_config(b->model)->vocab, name, stepping / s * 1e3, drawing / s * 1e3,
        drawing / s / (double)b->n * 1e6, 100 * drawing / (drawing + stepping));
    return SC_OK;
}

static sc_code open_and_run(const char *path, bench *b, size_t steps, unsigned threads, sc_err *err)
{
    const sc_model_opts opts = {.threads = threads, .ctx = 1024, .pack_now = true};
    SC_TRY(sc_model_open(path, &opts, &b->model, err));
    const size_t team = sc_pool_size(sc_model_pool(b->model));
    if (team > SC_LEN(b->sampler))
        return sc_fail(err, SC_E_USAGE, "%zu threads: at most %zu", team, SC_LEN(b->sampler));
    for (size_t i = 0; i < team; i++)
        SC_TRY(sc_sampler_new(sc_model_config(b->model)->vocab, &b->sampler[i], err));
    const sc_sample_params top_p = {.temperature = 0.8, .top_p = 0.95, .repetition_penalty = 1};
    sc_sample_params top_k = top_p;
    top_k.top_k = 50;
    SC_TRY(run(b, "top-p 0.95 alone", top_p, steps, err));
    SC_TRY(run(b, "top-k 50, top-p 0.95", top_k, steps, err));
    return SC_OK;
}

int main(int argc, char **argv)
{
    bench b = {.n = argc > 2 ? strtoul(argv[2], NULL, 10) : 44};
    const size_t steps = argc > 3 ? strtoul(argv[3], NULL, 10) : 48;
    const unsigned threads = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    if (argc < 2 || b.n == 0 || b.n > MOST || steps == 0 || steps > 500 || threads > 64) {
        (void)fprintf(stderr, "usage: draw_bench MODEL [SAMPLES [STEPS [THREADS]]]\n");
        return 2;
    }
    sc_err err = {0};
    const sc_code code = open_and_run(argv[1], &b, steps, threads, &err);
    if (code != SC_OK)
        (void)fprintf(stderr, "draw_bench: %s\n", err.msg);
    for (size_t i = 0; i < SC_LEN(b.sampler); i++)
        sc_sampler_free(b.sampler[i]);
    sc_model_close(b.model);
    return code != SC_OK;
}
