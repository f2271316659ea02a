/**
 * summary.h - what the samples of a model add up to.
 *
 * Means of scores stand twice: over all samples (one that failed scores 0) and over those that were
 * completed, as the original has it. The interval of the mean score is Student's t over the tasks'
 * means, because samples of one task are not independent; that of the success rate is Wilson's.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_REPORT_SUMMARY_H
#define SC_REPORT_SUMMARY_H

#include "stat/interval.h"
#include "store/record.h"

/** Order statistics of one figure; NaN when n is 0. */
typedef struct sc_spread {
    size_t n;
    double min, p5, p50, p95, p99, max, mean;
} sc_spread;

typedef struct sc_task_sum {
    sc_str task, suite; // borrowed from the samples
    uint32_t n, n_ok;
    double share, word_share;               // means over all samples of the task
    double share_ok;                        // over the completed ones; NaN: none
    double wall_s, tokens, rate, rate_seed; // means over the completed ones; NaN: none
} sc_task_sum;

typedef struct sc_summary {
    size_t n, n_ok;
    sc_interval success;                       // Wilson, 95 %
    uint64_t n_keywords;                       // expected ones of all samples
    double share, word_share;                  // means over all samples
    double share_ok, word_share_ok;            // over the completed ones, 0 when there is none
    sc_interval share_interval, word_interval; // of the means over all; NaN ends for one task
    uint64_t tokens, prompt_tokens;
    double wall_s;     // mean over the completed ones, 0 when there is none
    double wall_sum_s; // sum over the completed ones
    double rate;       // real tokens / sum of times over the completed ones
    double rate_seed;  // the original's formula: max_tokens * completed / sum of times
    sc_spread ttft_s, token_s, prefill_rate, decode_rate, queue_s;
    size_t stop_id, stop_text, length, context, error; // how samples ended
    uint32_t batch_peak;
    sc_task_sum *task; // owned, [n_tasks], in the order of the samples' first appearance
    size_t n_tasks;
} sc_summary;

/**
 * Adds up the samples of the model labelled `model`; `max_tokens` is for the original's formula.
 *
 * Owns:   the caller drops *out with sc_summary_drop; `all` must outlive it.
 * Errors: SC_E_NOMEM
 */
sc_code sc_summary_make(const sc_records *all, sc_str model, uint32_t max_tokens, sc_summary *out,
                        sc_err *err) SC_CHECKED;
void sc_summary_drop(sc_summary *s);

/** The summary as an object of run.json. NULL when memory is out. */
json_t *sc_summary_json(const sc_summary *s);
/** Its tasks as a list of run.json. NULL when memory is out. */
json_t *sc_summary_tasks_json(const sc_summary *s);

SC_AUTO_DEFINE_VALUE(sc_summary, sc_summary_drop);

#endif
