// SPDX-License-Identifier: MIT
#include "cli/run_exec.h"

#include "base/mem.h"
#include "cli/run_config.h"

enum { MAX_TEXT = 1 << 30 };

void sc_run_exec_drop(sc_run_exec *x)
{
    sc_execute_free(x->execute);
    sc_box_close(x->box);
    *x = (sc_run_exec){0};
}

/* Whether one of the run's tasks has tests: only then is a sandbox opened at all. */
static bool has_tests(const sc_plan_opts *tasks)
{
    sc_err ignored = {0};
    SC_AUTO(sc_plan) *plan = NULL;
    if (sc_plan_open(tasks, &plan, &ignored) != SC_OK)
        return false; // the run itself says what is wrong
    size_t n = 0;
    bool found = false;
    const sc_plan_task *t = sc_plan_tasks(plan, &n);
    for (size_t i = 0; i < n; i++)
        found |= sc_program_has_tests(t[i].task);
    return found;
}

/* Of a program: what the options say, else the protocol. */
static sc_box_limits limits_of(const sc_cli *cli, const sc_protocol *p)
{
    sc_box_limits limits = sc_cli_limits(cli);
    if (!sc_args_has(cli->args, "cpu-time"))
        limits.cpu_s = p->cpu_s;
    if (!sc_args_has(cli->args, "mem"))
        limits.memory_mib = p->memory_mib;
    return limits;
}

sc_code sc_run_exec_open(sc_run_exec *x, sc_cli *cli, const sc_plan_opts *tasks,
                         const sc_protocol *protocol, sc_err *err)
{
    *x = (sc_run_exec){.cli = cli};
    if (!sc_args_flag(cli->args, "exec") || !has_tests(tasks))
        return SC_OK;
    sc_err why = {0};
    const sc_code code = sc_cli_open_box(cli, &x->box, &why);
    if (code != SC_OK && !sc_args_has(cli->args, "level") && code != SC_E_NOMEM) {
        x->absent = why;
        return SC_OK;
    }
    if (code != SC_OK) {
        *err = why;
        return code;
    }
    char *cache = sc_run_cache_file("references.json");
    const sc_execute_opts opts = {.limits = limits_of(cli, protocol),
                                  .per_ref = protocol->per_ref,
                                  .reference_cache = cache,
                                  .stop = &cli->signals->stop};
    const sc_code made = sc_execute_new(tasks, x->box, &opts, &x->execute, err);
    sc_free(cache);
    return made;
}

/* An event cannot fail: the first error waits for the end, and nothing more is executed. */
static void note(sc_run_exec *x, sc_code code, const sc_err *err)
{
    if (code != SC_OK && x->err.code == SC_OK)
        x->err = *err;
}

static void look(sc_run_exec *x)
{
    sc_err err = {0};
    if (x->execute && x->err.code == SC_OK)
        note(x, sc_execute_look(x->execute, &err), &err);
}

/* Why nothing is executed, or the level, and what the references gave, once there is something to
 * execute: a run that fails before has one error and nothing beside it. */
static void warn_once(sc_run_exec *x)
{
    const sc_reference_count n =
        x->execute ? sc_execute_references(x->execute) : (sc_reference_count){0};
    if (n.n && !x->told && !x->cli->seed)
        sc_ui_note(&x->cli->ui, "reference solutions: %zu of %zu pass%s", n.n, n.n,
                   n.known == n.n ? ", as before" : "");
    if (x->box && !x->told)
        sc_cli_warn_level(x->cli, x->box);
    x->told = true;
    if (x->absent.code != SC_OK)
        sc_ui_warn(&x->cli->ui, "completions are not executed: %s", x->absent.msg);
    x->absent = (sc_err){0};
}

static void on_start(void *ctx, const char *run_dir, const json_t *run)
{
    const sc_run_exec *x = ctx;
    if (x->inner.start)
        x->inner.start(x->inner.ctx, run_dir, run);
}

static void on_loading(void *ctx, const sc_eval_model *m)
{
    const sc_run_exec *x = ctx;
    if (x->inner.loading)
        x->inner.loading(x->inner.ctx, m);
}

static void on_ready(void *ctx, const sc_eval_model *m, const json_t *info, double load_s)
{
    sc_run_exec *x = ctx;
    warn_once(x);
    if (x->inner.ready)
        x->inner.ready(x->inner.ctx, m, info, load_s);
}

static void on_failed(void *ctx, const sc_eval_model *m, const sc_err *err)
{
    const sc_run_exec *x = ctx;
    if (x->inner.failed)
        x->inner.failed(x->inner.ctx, m, err);
}

static void on_pulse(void *ctx, uint64_t done, uint64_t total)
{
    sc_run_exec *x = ctx;
    look(x);
    if (x->inner.pulse)
        x->inner.pulse(x->inner.ctx, done, total);
}

static void on_sample(void *ctx, const sc_record *s, uint64_t done, uint64_t total)
{
    sc_run_exec *x = ctx;
    sc_err err = {0};
    if (x->execute && x->err.code == SC_OK)
        note(x, sc_execute_add(x->execute, s, &err), &err);
    look(x);
    if (x->inner.sample)
        x->inner.sample(x->inner.ctx, s, done, total);
}

sc_eval_events sc_run_exec_events(sc_run_exec *x, const sc_eval_events *inner)
{
    x->inner = *inner;
    return (sc_eval_events){on_start, on_loading, on_ready, on_failed, on_pulse, on_sample, x};
}

static sc_code show(sc_run_exec *x, json_t *sum, sc_err *err)
{
    if (!sum)
        return sc_fail_nomem(err);
    if (sc_cli_json(x->cli)) {
        SC_AUTO_JSON *line = json_pack("{s:s, s:O}", "event", "executed", "result", sum);
        return sc_cli_put_json(x->cli, line, err);
    }
    FILE *out = x->cli->out; // main asks ferror once
    double low = 0, high = 0, rate = 0;
    const char *model = NULL;
    json_int_t passed = 0, n = 0, timeouts = 0, recovered = 0;
    json_t *why = NULL;
    if (json_unpack(sum, "{s:s, s:f, s:[f, f], s:I, s:I, s:I, s:I, s:o}", "model", &model,
                    "pass_at_1", &rate, "wilson", &low, &high, "passed", &passed, "samples", &n,
                    "timeouts", &timeouts, "recovered", &recovered, "verdicts", &why))
        return sc_fail_nomem(err);
    SC_AUTO(sc_buf) label = sc_buf_init(4096);
    sc_buf_add_json(&label, sc_str_c(model)); // escaped: a name is the user's
    (void)fprintf(out, "%s executed: pass@1 %.4f", sc_buf_text(&label), rate);
    (void)fprintf(out, "   %lld/%lld samples [%.4f %.4f] 95 %% Wilson\n  verdicts",
                  (long long)passed, (long long)n, low, high);
    const char *name = NULL;
    json_t *v = NULL;
    json_object_foreach(why, name, v) if (json_integer_value(v))(void)
        fprintf(out, "  %s %lld", name, (long long)json_integer_value(v));
    (void)fprintf(out, "; %lld timeouts, %lld recovered when run alone\n", (long long)timeouts,
                  (long long)recovered);
    return SC_OK;
}

sc_code sc_run_exec_finish(sc_run_exec *x, const sc_eval_result *result, sc_err *err)
{
    if (!x->execute || !result->folder.dir) {
        if (result->samples.n && !result->n_failed) // resumed and complete: no model was opened
            warn_once(x);
        return SC_OK;
    }
    if (x->err.code != SC_OK) {
        *err = x->err;
        return err->code;
    }
    if (!result->interrupted)
        SC_TRY(sc_execute_finish(x->execute, &result->samples, err));
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_TEXT);
    sc_execute_lines(x->execute, sc_cli_verdict_json, &text);
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    SC_TRY(sc_run_write(&result->folder, "exec.jsonl", sc_buf_str(&text), err));
    json_t *models = json_object_get(result->run, "models");
    for (size_t i = 0; i < json_array_size(models); i++) {
        json_t *m = json_array_get(models, i);
        if (json_is_string(json_object_get(m, "error")))
            continue;
        SC_AUTO_JSON *sum =
            sc_execute_summary(x->execute, sc_json_str(json_object_get(m, "label")));
        SC_TRY(show(x, sum, err));
        if (json_object_set(m, "execution", sum)) // run.json and report.md have it from there
            return sc_fail_nomem(err);
    }
    return SC_OK;
}
