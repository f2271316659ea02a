/* The original benchmark's two files: its field names and tables, with measured values in them. */
// SPDX-License-Identifier: MIT
#include "report/report.h"

#include <math.h>

static const double gib = 1024.0 * 1024.0 * 1024.0;

/* What the original calls allocated, reserved and peak, in GiB; NaN where nothing was measured. */
typedef struct memory {
    double allocated, reserved, peak;
} memory;

static double bytes_of(const json_t *m, const char *key)
{
    const json_t *v = json_object_get(m, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static memory memory_of(const sc_report_model *m)
{
    const json_t *v = json_object_get(m->info, "memory");
    const double parts = bytes_of(v, "weights_mapped") + bytes_of(v, "weights_packed") +
                         bytes_of(v, "kv") + bytes_of(v, "workspace");
    return (memory){parts / gib, bytes_of(v, "rss") / gib, bytes_of(v, "rss_peak") / gib};
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *memory_json(const sc_report_model *m)
{
    if (!json_is_object(json_object_get(m->info, "memory")))
        return json_object();
    const memory x = memory_of(m);
    if (!isfinite(x.peak))
        return json_pack("{s:s}", "error", "the system does not say how much memory is in use");
    return json_pack("{s:o, s:o, s:o, s:s}", "allocated_gb", number(x.allocated), "reserved_gb",
                     number(x.reserved), "peak_gb", number(x.peak), "device", "cpu");
}

static sc_str description_of(const sc_report *r, const sc_record *s)
{
    size_t i = 0, k = 0;
    const json_t *suite = NULL, *task = NULL;
    json_array_foreach(json_object_get(r->run, "suites"), i, suite)
    {
        if (!sc_str_eq(sc_json_str(json_object_get(suite, "name")), s->suite))
            continue;
        json_array_foreach(
            json_object_get(suite, "list"), k,
            task) if (sc_str_eq(sc_json_str(json_object_get(task, "task_id")),
                                s->task)) return sc_json_str(json_object_get(task, "description"));
    }
    return (sc_str){"", 0};
}

static json_t *result_json(const sc_report *r, const sc_record *s)
{
    const double t = s->wall_s;
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "benchmark", sc_json_text(s->task),
                          "description", sc_json_text(description_of(r, s)), "generated_text",
                          sc_json_text(s->completion), "keyword_score", number(sc_record_share(s)),
                          "generation_time", number(s->ok ? t : 0), "tokens_per_second",
                          number(s->ok && t > 0 ? s->n_out / t : 0), "success", (int)s->ok);
    if (o && !s->ok)
        (void)json_object_set_new(o, "error", sc_json_text(s->error)); // checked by the caller
    json_t *more =
        json_pack("{s:o, s:o, s:I, s:I, s:I, s:s}", "tokens_per_second_seed",
                  number(s->ok && t > 0 ? r->max_tokens / t : 0), "keyword_score_words",
                  number(sc_record_word_share(s)), "n_tokens", (json_int_t)s->n_out, "sample",
                  (json_int_t)s->sample, "seed", (json_int_t)s->seed, "finish_reason", s->finish.p);
    if (!o || !more || json_object_update(o, more) != 0 ||
        (!s->ok && !json_object_get(o, "error"))) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o;
}

static json_t *results_json(const sc_report *r, const sc_report_model *m)
{
    json_t *list = json_array();
    for (size_t t = 0; list && t < m->sum.n_tasks; t++) {
        for (size_t i = 0; list && i < r->samples->n; i++) {
            const sc_record *s = &r->samples->p[i];
            if (!sc_str_eq(s->model, m->label) || !sc_str_eq(s->task, m->sum.task[t].task) ||
                !sc_str_eq(s->suite, m->sum.task[t].suite))
                continue;
            if (json_array_append_new(list, result_json(r, s)) != 0) {
                json_decref(list);
                list = NULL;
            }
        }
    }
    return list;
}

static json_t *summary_json(const sc_summary *s)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "total_benchmarks",
                     (json_int_t)s->n, "successful_runs", (json_int_t)s->n_ok, "avg_keyword_score",
                     number(s->share_ok), "avg_generation_time", number(s->wall_s),
                     "avg_tokens_per_second", number(s->rate), "avg_tokens_per_second_seed",
                     number(s->rate_seed), "avg_keyword_score_all", number(s->share),
                     "avg_keyword_score_words", number(s->word_share_ok));
}

static json_t *config_json(const sc_report_model *m)
{
    static const char *const keys[] = {"hidden_size", "num_layers", "num_attention_heads",
                                       "num_key_value_heads"};
    const json_t *c = json_object_get(m->info, "config");
    json_t *o = json_object();
    for (size_t i = 0; o && i < SC_LEN(keys); i++) {
        json_t *v = json_object_get(c, keys[i]);
        if (json_object_set(o, keys[i], v ? v : json_null()) != 0) {
            json_decref(o);
            return NULL;
        }
    }
    return o;
}

static json_t *model_json(const sc_report *r, const sc_report_model *m)
{
    const json_t *id = json_object_get(m->info, "model_id");
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "model_name", sc_json_text(m->label), "results",
                          results_json(r, m), "summary", summary_json(&m->sum), "memory_stats",
                          memory_json(m));
    json_t *last = json_is_string(id) ? json_deep_copy(id) : config_json(m);
    if (json_object_set_new(o, json_is_string(id) ? "model_id" : "model_config", last) != 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

void sc_report_seed_json(const sc_report *r, sc_buf *out)
{
    SC_AUTO_JSON *list = json_array();
    for (size_t i = 0; list && i < r->n_models; i++)
        if (r->model[i].sum.n > 0 && json_array_append_new(list, model_json(r, &r->model[i])) != 0)
            out->bad = true;
    if (!list)
        out->bad = true;
    sc_json_format(list, 2, out);
    sc_buf_add_char(out, '\n');
}

static void add_percent(sc_buf *out, double share, int decimals)
{
    sc_buf_addf(out, "%.*f%%", decimals, share * 100);
}

static double success_of(const sc_summary *s)
{
    return s->n ? (double)s->n_ok / (double)s->n : 0;
}

static void add_gib(sc_buf *out, double x)
{
    if (isfinite(x))
        sc_buf_addf(out, " %.2f |", x);
    else
        sc_buf_add_c(out, " N/A |");
}

static void add_summary(const sc_report *r, sc_buf *out)
{
    sc_buf_add_c(out, "## Model Performance Summary\n\n"
                      "| Model | Success Rate | Avg Keyword Score | Avg Speed (tok/s) | Avg Time "
                      "(s) |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < r->n_models; i++) {
        const sc_summary *s = &r->model[i].sum;
        if (s->n == 0)
            continue;
        sc_buf_add_c(out, "| ");
        sc_report_add_cell(out, r->model[i].label);
        sc_buf_add_c(out, " | ");
        add_percent(out, success_of(s), 1);
        sc_buf_add_c(out, " | ");
        add_percent(out, s->share_ok, 2);
        sc_buf_addf(out, " | %.1f | %.2f |\n", s->rate, s->wall_s);
    }
}

static void add_memory(const sc_report *r, sc_buf *out)
{
    sc_buf_add_c(out,
                 "\n## Memory Usage Comparison\n\n"
                 "| Model | Allocated (GB) | Reserved (GB) | Peak (GB) |\n|---|---|---|---|\n");
    for (size_t i = 0; i < r->n_models; i++) {
        if (r->model[i].sum.n == 0)
            continue;
        const memory m = memory_of(&r->model[i]);
        sc_buf_add_c(out, "| ");
        sc_report_add_cell(out, r->model[i].label);
        sc_buf_add_c(out, " |");
        add_gib(out, m.allocated);
        add_gib(out, m.reserved);
        add_gib(out, m.peak);
        sc_buf_add_char(out, '\n');
    }
}

static const sc_task_sum *find_task(const sc_summary *s, const sc_task_sum *like)
{
    for (size_t i = 0; i < s->n_tasks; i++)
        if (sc_str_eq(s->task[i].task, like->task) && sc_str_eq(s->task[i].suite, like->suite))
            return &s->task[i];
    return NULL;
}

static void add_task(const sc_report *r, const sc_task_sum *like, sc_buf *out)
{
    sc_buf_add_c(out, "\n### ");
    sc_report_add_cell(out, like->task);
    sc_buf_add_c(out,
                 "\n\n| Model | Keyword Score | Time (s) | Speed (tok/s) |\n|---|---|---|---|\n");
    for (size_t i = 0; i < r->n_models; i++) {
        const sc_task_sum *t = find_task(&r->model[i].sum, like);
        if (!t)
            continue;
        sc_buf_add_c(out, "| ");
        sc_report_add_cell(out, r->model[i].label);
        if (t->n_ok == 0) {
            sc_buf_add_c(out, " | Failed | - | - |\n");
            continue;
        }
        sc_buf_add_c(out, " | ");
        add_percent(out, t->share_ok, 2);
        sc_buf_addf(out, " | %.2f | %.1f |\n", t->wall_s, isfinite(t->rate) ? t->rate : 0.0);
    }
}

static void add_tasks(const sc_report *r, sc_buf *out)
{
    sc_buf_add_c(out, "\n## Detailed Benchmark Results\n");
    for (size_t i = 0; i < r->n_models; i++) {
        for (size_t t = 0; t < r->model[i].sum.n_tasks; t++) {
            const sc_task_sum *like = &r->model[i].sum.task[t];
            bool before = false; // another model had it already
            for (size_t k = 0; k < i && !before; k++)
                before = find_task(&r->model[k].sum, like) != NULL;
            if (!before)
                add_task(r, like, out);
        }
    }
}

/* The model with the best figure; `sign` -1 looks for the least. NULL when none has one. */
static const sc_report_model *best_of(const sc_report *r, double (*figure)(const sc_report_model *),
                                      double sign)
{
    const sc_report_model *best = NULL;
    for (size_t i = 0; i < r->n_models; i++) {
        const sc_report_model *m = &r->model[i];
        if (m->sum.n > 0 && isfinite(figure(m)) &&
            (!best || sign * figure(m) > sign * figure(best)))
            best = m;
    }
    return best;
}

static double accuracy(const sc_report_model *m)
{
    return m->sum.share_ok;
}

static double speed(const sc_report_model *m)
{
    return m->sum.rate;
}

static double peak(const sc_report_model *m)
{
    return memory_of(m).peak;
}

static void add_best(const sc_report *r, sc_buf *out)
{
    const sc_report_model *m = best_of(r, accuracy, 1);
    if (m) {
        sc_buf_add_c(out, "- **Best Accuracy**: ");
        sc_report_add_cell(out, m->label);
        sc_buf_addf(out, " (%.2f%%)\n", accuracy(m) * 100);
    }
    m = best_of(r, speed, 1);
    if (m) {
        sc_buf_add_c(out, "- **Best Speed**: ");
        sc_report_add_cell(out, m->label);
        sc_buf_addf(out, " (%.1f tok/s)\n", speed(m));
    }
    m = best_of(r, peak, -1);
    if (m) {
        sc_buf_add_c(out, "- **Best Memory**: ");
        sc_report_add_cell(out, m->label);
        sc_buf_addf(out, " (%.2f GB peak)\n", peak(m));
    }
}

/* SmallCoder against one other model: differences, without a word of better or worse. */
static void add_versus(const sc_report_model *a, const sc_report_model *b, sc_buf *out)
{
    sc_buf_add_c(out, "- Against ");
    sc_report_add_cell(out, b->label);
    sc_buf_addf(out, ": keyword score %+.2f points", (accuracy(a) - accuracy(b)) * 100);
    if (speed(b) > 0)
        sc_buf_addf(out, ", speed %.2fx", speed(a) / speed(b));
    if (peak(a) > 0 && peak(b) > 0)
        sc_buf_addf(out, ", peak memory %.2fx", peak(a) / peak(b));
    sc_buf_add_char(out, '\n');
}

static void add_smallcoder(const sc_report *r, sc_buf *out)
{
    const sc_report_model *m = NULL;
    for (size_t i = 0; i < r->n_models && !m; i++)
        if (r->model[i].sum.n > 0 && sc_str_is(r->model[i].label, "SmallCoder"))
            m = &r->model[i];
    if (!m)
        return;
    sc_buf_add_c(out, "\n### SmallCoder Performance\n\n");
    sc_buf_addf(out,
                "- Success rate: %.1f%%\n- Average keyword score: %.2f%%\n"
                "- Average speed: %.1f tok/s\n",
                success_of(&m->sum) * 100, accuracy(m) * 100, speed(m));
    if (isfinite(peak(m)))
        sc_buf_addf(out, "- Peak memory: %.2f GB\n", peak(m));
    for (size_t i = 0; i < r->n_models; i++)
        if (&r->model[i] != m && r->model[i].sum.n > 0)
            add_versus(m, &r->model[i], out);
}

void sc_report_seed_markdown(const sc_report *r, const char *generated, sc_buf *out)
{
    sc_buf_addf(out, "# SmallCoder Benchmark Comparison Report\nGenerated: %s\n\n", generated);
    add_summary(r, out);
    add_memory(r, out);
    add_tasks(r, out);
    sc_buf_add_c(out, "\n## Key Findings\n\n");
    add_best(r, out);
    add_smallcoder(r, out);
}
