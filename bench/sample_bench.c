/*
 * Times drawing one token from one row of logits, in processor time: the median of many rows. The
 * logits are normal with a few likely tokens, as a model's are; the parameters are those that
 * people use.
 * usage: sample_bench
 */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "base/rng.h"
#include "model/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 24, ROUNDS = 9 };

static double now_s(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        exit(1);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A sum of uniform numbers is close enough to a normal one. */
static void fill(float *x, size_t vocab, uint64_t row)
{
    for (size_t i = 0; i < vocab; i++) {
        double sum = 0;
        for (unsigned k = 0; k < 4; k++)
            sum += sc_rng_unit(row, k, i) - 0.5;
        x[i] = (float)(sum * 3);
        if (i % 997 == row % 997)
            x[i] += (float)(12 * sc_rng_unit(row, 9, i));
    }
}

static int time_rows(size_t vocab, const char *name, sc_sample_params p)
{
    sc_err err = {0};
    SC_AUTO(sc_sampler) *s = NULL;
    float *x = sc_alloc(vocab * ROWS, sizeof *x);
    if (!x || sc_sampler_new(vocab, &s, &err) != SC_OK)
        return 1;
    for (size_t r = 0; r < ROWS; r++)
        fill(x + r * vocab, vocab, r);
    double took[ROWS * ROUNDS];
    size_t n = 0;
    for (uint64_t round = 0; round < ROUNDS; round++)
        for (size_t r = 0; r < ROWS; r++) {
            const int32_t previous[4] = {1, 2, 3, 5};
            int32_t id = 0;
            const double start = now_s();
            if (sc_sample(s, &p, x + r * vocab, previous, 4, 1, round, &id, &err) != SC_OK)
                return 1;
            took[n++] = now_s() - start;
        }
    qsort(took, n, sizeof *took, by_value);
    printf("%7zu tokens  %-32s %8.1f us a row\n", vocab, name, took[n / 2] * 1e6);
    sc_free(x);
    return 0;
}

int main(void)
{
    static const struct {
        const char *name;
        sc_sample_params p;
    } cases[] = {
        {"greedy", {.top_p = 1, .repetition_penalty = 1}},
        {"top-k 50", {.temperature = 0.8, .top_k = 50, .top_p = 1, .repetition_penalty = 1}},
        {"top-k 50, top-p 0.9",
         {.temperature = 0.7, .top_k = 50, .top_p = 0.9, .repetition_penalty = 1}},
        {"the same, penalty 1.1",
         {.temperature = 0.7, .top_k = 50, .top_p = 0.9, .repetition_penalty = 1.1}},
        {"top-p 0.95 alone", {.temperature = 0.8, .top_p = 0.95, .repetition_penalty = 1}},
    };
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < SC_LEN(cases); i++)
            if (time_rows(v ? 151936 : 32000, cases[i].name, cases[i].p))
                return 1;
    return 0;
}
