// SPDX-License-Identifier: MIT
#include "cli/run_screen.h"

#include "base/clock.h"
#include "measure/memory.h"

#include <math.h>

static uint64_t now_ns(void)
{
    const sc_clock clock = sc_clock_real();
    return sc_clock_ns(&clock);
}

/* A line of --json; the first failure is kept for the end. */
static void put_event(sc_run_screen *s, json_t *event)
{
    if (s->code == SC_OK)
        s->code = sc_cli_put_json(s->cli, event, &s->err);
    json_decref(event);
}

static void on_start(void *ctx, const char *run_dir, const json_t *run)
{
    sc_run_screen *s = ctx;
    if (sc_cli_json(s->cli)) {
        put_event(s,
                  json_pack("{s:s, s:O, s:o}", "event", "start", "run", json_object_get(run, "id"),
                            "folder", sc_json_text(sc_str_c(run_dir))));
        return;
    }
    const json_t *p = json_object_get(run, "protocol");
    sc_ui_note(&s->cli->ui, "run       %s", run_dir);
    size_t i = 0;
    const json_t *suite = NULL;
    json_array_foreach(json_object_get(run, "suites"), i, suite)
        sc_ui_note(&s->cli->ui, "tasks     %s %lld, %lld sample%s each (protocol %s, seed %lld)",
                   json_string_value(json_object_get(suite, "name")),
                   (long long)json_integer_value(json_object_get(suite, "tasks")),
                   (long long)json_integer_value(json_object_get(p, "samples")),
                   json_integer_value(json_object_get(p, "samples")) == 1 ? "" : "s",
                   json_string_value(json_object_get(p, "name")),
                   (long long)json_integer_value(json_object_get(p, "seed")));
    const json_t *w = NULL;
    json_array_foreach(json_object_get(run, "warnings"), i, w)
        sc_ui_warn(&s->cli->ui, "%s", json_string_value(w));
}

static void on_loading(void *ctx, const sc_eval_model *m)
{
    sc_run_screen *s = ctx;
    *s = (sc_run_screen){.cli = s->cli, .label = m->label, .code = s->code, .err = s->err};
}

static void on_ready(void *ctx, const sc_eval_model *m, const json_t *info, double load_s)
{
    sc_run_screen *s = ctx;
    if (sc_cli_json(s->cli)) {
        put_event(s, json_pack("{s:s, s:o, s:f, s:O*}", "event", "model", "model",
                               sc_json_text(sc_str_c(m->label)), "load_s", load_s, "prompt",
                               json_object_get(info, "prompt")));
        return;
    }
    const json_t *c = json_object_get(info, "compute");
    sc_ui_note(&s->cli->ui,
               "model     %s: %s, %.1f M parameters, %s, %lld threads, loaded in %.0f ms", m->label,
               json_string_value(json_object_get(info, "architecture")),
               (double)json_integer_value(json_object_get(info, "parameters")) * 1e-6,
               json_string_value(json_object_get(c, "level")),
               (long long)json_integer_value(json_object_get(c, "threads")), load_s * 1e3);
    const json_t *prompt = json_object_get(info, "prompt");
    if (prompt)
        sc_ui_note(&s->cli->ui, "prompt    %s: %s",
                   json_string_value(json_object_get(prompt, "mode")),
                   json_string_value(json_object_get(prompt, "why")));
}

static void on_failed(void *ctx, const sc_eval_model *m, const sc_err *err)
{
    sc_run_screen *s = ctx;
    if (sc_cli_json(s->cli))
        put_event(s, json_pack("{s:s, s:o, s:b, s:o}", "event", "model_failed", "model",
                               sc_json_text(sc_str_c(m->label)), "optional", (int)m->optional,
                               "error", sc_json_text(sc_str_c(err->msg))));
    if (m->optional)
        sc_ui_warn(&s->cli->ui, "%s is skipped: %s", m->label, err->msg);
    else
        sc_ui_error(&s->cli->ui, err->msg);
}

/* "SmallCoder  3/11  keyword 61 %  errors 0 | 812.3 tok/s | RSS 48 MiB | left 2s" */
static void show_progress(sc_run_screen *s, uint64_t done, uint64_t total)
{
    const uint64_t now = now_ns();
    SC_AUTO(sc_buf) line = sc_buf_init(1024);
    sc_buf_addf(&line, "%s  %llu/%llu", s->label, (unsigned long long)done,
                (unsigned long long)total);
    if (s->n)
        sc_buf_addf(&line, "  keyword %.0f %%  errors %llu", 100 * s->share / (double)s->n,
                    (unsigned long long)s->errors);
    if (s->rate > 0)
        sc_buf_addf(&line, " | %.1f tok/s", s->rate);
    sc_rss rss = {0};
    sc_err ignored = {0};
    if (s->cli->ui.progress == SC_PROGRESS_BAR && sc_rss_read(&rss, &ignored) == SC_OK) {
        sc_buf_add_c(&line, " | RSS ");
        sc_report_add_bytes(&line, (double)rss.now);
    }
    if (s->n && done < total) {
        const double per = sc_clock_seconds(s->start_ns, now) / (double)s->n;
        sc_buf_addf(&line, " | left %.0fs", ceil(per * (double)(total - done)));
    }
    sc_ui_progress(&s->cli->ui, now, done, total, sc_buf_text(&line));
}

static void on_pulse(void *ctx, uint64_t done, uint64_t total)
{
    sc_run_screen *s = ctx;
    sc_ui *ui = &s->cli->ui;
    if (s->pieces++ == 0)
        s->start_ns = now_ns();
    // Reading the clock for every piece of every sample is fine; drawing it is not.
    if (ui->progress == SC_PROGRESS_BAR && now_ns() - ui->drawn_ns >= 100000000u)
        show_progress(s, done, total);
}

static void on_sample(void *ctx, const sc_record *r, uint64_t done, uint64_t total)
{
    sc_run_screen *s = ctx;
    s->n++;
    s->tokens += r->n_out;
    s->share += sc_record_share(r);
    s->errors += !r->ok;
    if (r->wall_s > 0)
        s->rate = r->n_out / r->wall_s;
    if (sc_cli_json(s->cli))
        put_event(s, json_pack("{s:s, s:O, s:I, s:I}", "event", "sample", "sample", r->doc, "done",
                               (json_int_t)done, "total", (json_int_t)total));
    if (s->cli->ui.verbose > 0)
        sc_ui_note(&s->cli->ui, "%-20.*s sample %u  keyword %3.0f %%  %4u tokens  %.2f s  %s",
                   SC_STRF(r->task), r->sample, 100 * sc_record_share(r), r->n_out, r->wall_s,
                   r->finish.p);
    show_progress(s, done, total);
}

sc_eval_events sc_run_screen_events(sc_run_screen *s)
{
    return (sc_eval_events){
        .start = on_start,
        .loading = on_loading,
        .ready = on_ready,
        .failed = on_failed,
        .pulse = on_pulse,
        .sample = on_sample,
        .ctx = s,
    };
}

/* Three figures in brackets, as [low middle high]. */
static void add_three(sc_buf *out, double low, double mid, double high, const char *unit)
{
    if (isfinite(low) && isfinite(mid) && isfinite(high))
        sc_buf_addf(out, "[%.1f  %.1f  %.1f] %s", low, mid, high, unit);
    else if (isfinite(mid))
        sc_buf_addf(out, "%.1f %s", mid, unit);
    else
        sc_buf_add_char(out, '-');
}

static void add_memory_line(const sc_report_model *m, sc_buf *out)
{
    const json_t *v = json_object_get(m->info, "memory");
    if (!json_is_number(json_object_get(v, "rss_peak")))
        return;
    static const struct {
        const char *key, *name;
    } parts[] = {{"weights_mapped", "weights mapped"},
                 {"weights_packed", "packed"},
                 {"kv", "keys and values"},
                 {"workspace", "workspace"},
                 {"rss_page_cache", "page cache"}};
    sc_buf_add_c(out, "  memory      peak RSS ");
    sc_report_add_bytes(out, json_number_value(json_object_get(v, "rss_peak")));
    sc_buf_add_c(out, " (");
    bool first = true;
    for (size_t i = 0; i < SC_LEN(parts); i++) {
        const double bytes = json_number_value(json_object_get(v, parts[i].key));
        if (bytes <= 0)
            continue;
        sc_buf_addf(out, "%s%s ", first ? "" : ", ", parts[i].name);
        sc_report_add_bytes(out, bytes);
        first = false;
    }
    sc_buf_add_c(out, ")\n");
}

static void add_finish(const sc_summary *s, sc_buf *out)
{
    const struct {
        const char *name;
        size_t n;
    } ends[] = {{"end token", s->stop_id},
                {"stop text", s->stop_text},
                {"token limit", s->length},
                {"context full", s->context},
                {"error", s->error}};
    sc_buf_add_c(out, "  ended by    ");
    for (size_t i = 0, shown = 0; i < SC_LEN(ends); i++)
        if (ends[i].n)
            sc_buf_addf(out, "%s%s %zu", shown++ ? "   " : "", ends[i].name, ends[i].n);
    sc_buf_add_char(out, '\n');
}

static void add_keywords(const sc_summary *s, sc_buf *out)
{
    sc_buf_add_c(out, "  keyword     ");
    add_three(out, s->share_interval.low * 100, s->share * 100, s->share_interval.high * 100, "%");
    sc_buf_addf(out, "   %s, n = %zu task%s   (original's definition: substrings)\n",
                s->n_tasks > 1 ? "95 %" : "no interval", s->n_tasks, s->n_tasks == 1 ? "" : "s");
    sc_buf_add_c(out, "  whole word  ");
    add_three(out, s->word_interval.low * 100, s->word_share * 100, s->word_interval.high * 100,
              "%");
    sc_buf_add_char(out, '\n');
}

static void add_model(const sc_report *r, const sc_report_model *m, const sc_ui *ui, sc_buf *out)
{
    const sc_summary *s = &m->sum;
    const json_t *protocol = json_object_get(json_object_get(r->run, "protocol"), "name");
    sc_buf_addf(out, "\n%s%.*s%s (%s, %zu of %zu samples)\n\n", sc_ui_out(ui, SC_BOLD),
                SC_STRF(m->label), sc_ui_out(ui, SC_PLAIN), json_string_value(protocol), s->n,
                r->n_expected);
    if (s->n == 0) {
        sc_buf_addf(out, "  not measured: %.*s\n", SC_STRF(m->error));
        return;
    }
    if (s->n_keywords)
        add_keywords(s, out);
    sc_buf_addf(out, "  completed   ");
    add_three(out, s->success.low * 100, 100.0 * (double)s->n_ok / (double)s->n,
              s->success.high * 100, "%");
    sc_buf_addf(out, "   %zu/%zu   95 %% Wilson\n", s->n_ok, s->n);
    add_finish(s, out);
    sc_buf_addf(out, "  TTFT        p50 %.1f ms   p95 %.1f ms   p99 %.1f ms\n", s->ttft_s.p50 * 1e3,
                s->ttft_s.p95 * 1e3, s->ttft_s.p99 * 1e3);
    sc_buf_add_c(out, "  prefill     ");
    add_three(out, s->prefill_rate.p5, s->prefill_rate.p50, s->prefill_rate.p95, "tok/s");
    sc_buf_add_c(out, "   decode ");
    add_three(out, s->decode_rate.p5, s->decode_rate.p50, s->decode_rate.p95, "tok/s");
    sc_buf_addf(out, "   p5 p50 p95, batch %u\n", s->batch_peak);
    const double all = json_number_value(json_object_get(m->info, "generate_s"));
    const json_int_t made = json_integer_value(json_object_get(m->info, "generated_tokens"));
    if (all > 0 && made > 0)
        sc_buf_addf(out, "  all samples %.1f tok/s   %lld new tokens in %.2f s\n",
                    (double)made / all, (long long)made, all);
    add_memory_line(m, out);
    if (m->error.n)
        sc_buf_addf(out, "  stopped     %.*s\n", SC_STRF(m->error));
}

static sc_code finish_json(sc_run_screen *s, const sc_report *r, const sc_eval_result *result,
                           const char *const *files, size_t n, sc_err *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, sc_json_text(sc_str_c(files[i]))); // seen below
    json_t *models = json_array();
    for (size_t i = 0; i < r->n_models; i++)
        (void)json_array_append_new(
            models,
            json_pack("{s:O, s:o, s:O*}", "label", json_object_get(r->model[i].info, "label"),
                      "error", r->model[i].error.n ? sc_json_text(r->model[i].error) : json_null(),
                      "summary", json_object_get(r->model[i].info, "summary")));
    SC_AUTO_JSON *v =
        json_pack("{s:s, s:o, s:O, s:o, s:o}", "event", "done", "folder",
                  sc_json_text(sc_str_c(result->folder.dir)), "state",
                  json_object_get(result->run, "state"), "files", list, "models", models);
    SC_TRY(sc_cli_put_json(s->cli, v, err));
    if (s->code != SC_OK)
        *err = s->err;
    return s->code;
}

/* Fences in answers to raw prompts: the model was made for chat, and its score is not what it can.
 */
static void warn_of_fences(const sc_run_screen *s, const sc_report *r, const sc_records *all)
{
    for (size_t i = 0; i < r->n_models; i++) {
        size_t n = 0, fenced = 0;
        for (size_t k = 0; k < all->n; k++) {
            const sc_record *one = &all->p[k];
            if (!sc_str_eq(one->model, r->model[i].label) || !sc_str_is(one->mode, "base"))
                continue;
            n++;
            fenced += memmem(one->raw.p, one->raw.n, "```", 3) != NULL;
        }
        if (fenced * 10 > n * 3)
            sc_ui_warn(&s->cli->ui,
                       "%.*s: %zu of %zu answers to the raw prompt have a code fence: a model for "
                       "chat? --prompt-mode chat, or a protocol with a form for it, asks in its "
                       "template",
                       SC_STRF(r->model[i].label), fenced, n);
    }
}

sc_code sc_run_screen_finish(sc_run_screen *s, const sc_report *r, const sc_eval_result *result,
                             const char *const *files, size_t n_files, sc_err *err)
{
    sc_ui_progress_end(&s->cli->ui);
    warn_of_fences(s, r, &result->samples);
    if (sc_cli_json(s->cli))
        return finish_json(s, r, result, files, n_files, err);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    for (size_t i = 0; i < r->n_models; i++)
        add_model(r, &r->model[i], &s->cli->ui, &text);
    sc_buf_add_char(&text, '\n');
    for (size_t i = 0; i < n_files; i++)
        sc_buf_addf(&text, "%s %s\n", i ? "        " : "reports:", files[i]);
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fputs(text.p, s->cli->out); // main asks ferror once
    return SC_OK;
}
