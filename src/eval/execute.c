// SPDX-License-Identifier: MIT
#include "eval/execute.h"

#include "base/mem.h"
#include "stat/interval.h"
#include "stat/passk.h"

#include <string.h>

enum { MAX_SAMPLES = 1 << 24, MAX_PROGRAM = 64 << 20 };

typedef struct sample {
    char *model, *text, *extract; // owned; text: the program, NULL: there is none
    size_t n_text;
    uint32_t index;
    const sc_task *task;
    bool changed; // by extraction
    sc_judged judged;
    struct sample *next; // in the order they came
} sample;

struct sc_execute {
    sc_plan *plan; // owned
    sc_box *box;
    sc_box_limits limits;
    const atomic_bool *stop;
    const sc_plan_task *task; // borrowed from plan, [n_tasks]
    size_t n_tasks;
    double *cpu_s; // owned, [n_tasks]: own limits, 0: the common one
    sample *first, **last;
    size_t n, done, again, recovered, timeouts;
    sc_buf source;
};

void sc_execute_free(sc_execute *x)
{
    if (!x)
        return;
    while (x->first) {
        sample *s = x->first;
        x->first = s->next;
        sc_verdict_drop(&s->judged.verdict);
        sc_free(s->model);
        sc_free(s->text);
        sc_free(s->extract);
        sc_free(s);
    }
    sc_buf_drop(&x->source);
    sc_free(x->cpu_s);
    sc_plan_close(x->plan);
    sc_free(x);
}

/* The references must pass; a task gets a multiple of the CPU time of its reference. */
static sc_code validate(sc_execute *x, sc_judged *ref, double per_ref, sc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n_tasks; i++)
        if (x->task[i].task->reference.n && sc_program_has_tests(x->task[i].task))
            ref[n++] = (sc_judged){
                .task = x->task[i].task, .text = x->task[i].task->reference, .tag = &x->cpu_s[i]};
    const sc_judge_opts o = {.limits = {.cpu_s = 20, .wall_s = 60}, .retry = true, .stop = x->stop};
    sc_judge_count c = {0};
    sc_code code = sc_judge_all(x->box, ref, n, &o, &c, err);
    for (size_t i = 0; i < n; i++) {
        if (code == SC_OK && ref[i].verdict.kind != SC_BOX_PASSED)
            code = sc_fail(err, SC_E_SANDBOX, "the reference solution of %.*s does not pass (%s)",
                           SC_STRF(ref[i].task->name), sc_box_kind_name(ref[i].verdict.kind));
        if (per_ref * ref[i].verdict.cpu_s > x->limits.cpu_s)
            *(double *)ref[i].tag = per_ref * ref[i].verdict.cpu_s;
        sc_verdict_drop(&ref[i].verdict);
    }
    return code;
}

sc_code sc_execute_new(const sc_plan_opts *tasks, sc_box *box, const sc_box_limits *limits,
                       double per_ref, const atomic_bool *stop, sc_execute **out, sc_err *err)
{
    SC_AUTO(sc_execute) *x = sc_new(sc_execute);
    if (!x)
        return sc_fail_nomem(err);
    x->last = &x->first;
    x->box = box;
    x->limits = *limits;
    x->stop = stop;
    x->source = sc_buf_init(MAX_PROGRAM);
    SC_TRY(sc_plan_open(tasks, &x->plan, err));
    x->task = sc_plan_tasks(x->plan, &x->n_tasks);
    size_t tested = 0;
    for (size_t i = 0; i < x->n_tasks; i++)
        tested += sc_program_has_tests(x->task[i].task);
    if (!tested)
        return sc_fail(err, SC_E_NOTFOUND, "no task has tests");
    x->cpu_s = sc_alloc(x->n_tasks, sizeof *x->cpu_s);
    sc_judged *ref = sc_alloc(x->n_tasks, sizeof *ref);
    sc_code code = SC_OK;
    if (!x->cpu_s || !ref)
        code = sc_fail_nomem(err);
    else
        code = validate(x, ref, per_ref, err);
    sc_free(ref);
    SC_TRY(code);
    *out = sc_take(x);
    return SC_OK;
}

/* The planned task of a record, NULL when it has no tests. */
static const sc_plan_task *task_of(const sc_execute *x, const sc_record *r)
{
    for (size_t i = 0; i < x->n_tasks; i++)
        if (sc_str_eq(x->task[i].task->name, r->task) && sc_program_has_tests(x->task[i].task))
            return &x->task[i];
    return NULL;
}

static bool is_known(const sc_execute *x, const sc_record *r)
{
    for (const sample *s = x->first; s; s = s->next)
        if (s->index == r->sample && sc_str_eq(s->task->name, r->task) &&
            sc_str_is(r->model, s->model))
            return true;
    return false;
}

static sc_code submit(sc_execute *x, sample *s, sc_err *err)
{
    sc_job job = {0};
    SC_TRY(sc_program_job(s->task, (sc_str){s->text, s->n_text}, true, &x->source, &job, err));
    job.limits = x->limits;
    if (s->judged.cpu_s > 0) {
        job.limits.cpu_s = s->judged.cpu_s;
        job.limits.wall_s = 0; // in proportion
    }
    job.tag = s;
    return sc_box_submit(x->box, &job, err);
}

sc_code sc_execute_add(sc_execute *x, const sc_record *r, sc_err *err)
{
    const sc_plan_task *t = r->ok ? task_of(x, r) : NULL;
    if (!t)
        return SC_OK;
    sample *s = sc_new(sample);
    if (!s)
        return sc_fail_nomem(err);
    *x->last = s; // freed with the others from here on
    x->last = &s->next;
    s->model = sc_strndup(r->model.p, r->model.n);
    s->extract = sc_strndup(r->extract.p ? r->extract.p : "", r->extract.n);
    if (r->solution.p) {
        s->text = sc_strndup(r->solution.p, r->solution.n);
        s->n_text = r->solution.n;
    }
    if (!s->model || !s->extract || (r->solution.p && !s->text))
        return sc_fail_nomem(err);
    s->index = r->sample;
    s->task = t->task;
    s->changed = r->changed;
    s->judged = (sc_judged){.task = t->task, .cpu_s = x->cpu_s[t - x->task], .no_code = !s->text};
    x->n++;
    if (s->text)
        return submit(x, s, err);
    s->judged.done = true;
    x->done++;
    return SC_OK;
}

/* Takes one verdict; waits up to `timeout_ms`. */
static sc_code take(sc_execute *x, int timeout_ms, bool *got, sc_err *err)
{
    sc_verdict v = {0};
    SC_TRY(sc_box_poll(x->box, timeout_ms, &v, got, err));
    if (!*got)
        return SC_OK;
    sample *s = v.tag;
    if (s->judged.done) { // run again alone
        sc_verdict_drop(&s->judged.verdict);
        s->judged.recovered = v.kind != SC_BOX_TIMEOUT;
        x->recovered += s->judged.recovered;
    } else {
        x->done++;
        x->timeouts += v.kind == SC_BOX_TIMEOUT;
    }
    s->judged.verdict = v;
    s->judged.done = true;
    return SC_OK;
}

sc_code sc_execute_look(sc_execute *x, sc_err *err)
{
    bool got = true;
    while (got && sc_box_pending(x->box))
        SC_TRY(take(x, 0, &got, err));
    return SC_OK;
}

sc_code sc_execute_finish(sc_execute *x, const sc_records *all, sc_err *err)
{
    for (size_t i = 0; i < all->n; i++)
        if (!is_known(x, &all->p[i]))
            SC_TRY(sc_execute_add(x, &all->p[i], err));
    bool got = false;
    while (sc_box_pending(x->box)) {
        if (x->stop && atomic_load(x->stop))
            return sc_fail(err, SC_E_INTERRUPTED, "stopped after %zu of %zu programs", x->done,
                           x->n);
        SC_TRY(take(x, 200, &got, err));
    }
    const size_t most = x->n / SC_JUDGE_AGAIN_SHARE > SC_JUDGE_AGAIN_MIN
                            ? x->n / SC_JUDGE_AGAIN_SHARE
                            : SC_JUDGE_AGAIN_MIN;
    for (sample *s = x->first; s && x->again < most; s = s->next) {
        if (s->judged.no_code || s->judged.verdict.kind != SC_BOX_TIMEOUT)
            continue;
        if (x->stop && atomic_load(x->stop))
            return sc_fail(err, SC_E_INTERRUPTED, "stopped while timeouts were run again");
        x->again++;
        SC_TRY(submit(x, s, err));
        while (sc_box_pending(x->box))
            SC_TRY(take(x, -1, &got, err));
    }
    return SC_OK;
}

// ---- results

static bool has_passed(const sample *s)
{
    return !s->judged.no_code && s->judged.verdict.kind == SC_BOX_PASSED;
}

void sc_execute_lines(const sc_execute *x, json_t *(*verdict)(const sc_verdict *), sc_buf *out)
{
    for (const sample *s = x->first; s; s = s->next) {
        if (!s->judged.done)
            continue;
        SC_AUTO_JSON *o = json_pack(
            "{s:o, s:o, s:I, s:b, s:s, s:b}", "model", sc_json_text(sc_str_c(s->model)), "task_id",
            sc_json_text(s->task->name), "sample", (json_int_t)s->index, "passed", has_passed(s),
            "extract", s->extract, "extract_changed", s->changed);
        SC_AUTO_JSON *v = verdict(&s->judged.verdict);
        if (s->judged.no_code && v)
            (void)json_object_set_new(v, "verdict", json_string("no_code")); // buf says it below
        if (!o || !v || json_object_update(o, v)) {
            out->bad = true;
            return;
        }
        sc_json_format(o, 0, out);
        sc_buf_add_char(out, '\n');
    }
}

json_t *sc_execute_summary(const sc_execute *x, sc_str model)
{
    size_t kind[SC_BOX_NOT_MEASURED + 1] = {0}, no_code = 0, n = 0, passed = 0, single = 0;
    uint64_t *made = sc_alloc(x->n_tasks, sizeof *made), *good = sc_alloc(x->n_tasks, sizeof *good);
    double sum = 0;
    size_t tasks = 0;
    for (const sample *s = x->first; s && made && good; s = s->next) {
        if (!s->judged.done || !sc_str_is(model, s->model))
            continue;
        no_code += s->judged.no_code;
        if (!s->judged.no_code)
            kind[s->judged.verdict.kind]++;
        single += s->judged.verdict.single;
        if (!s->judged.no_code && s->judged.verdict.kind == SC_BOX_NOT_MEASURED)
            continue;
        n++;
        passed += has_passed(s);
        for (size_t i = 0; i < x->n_tasks; i++)
            if (x->task[i].task == s->task) {
                made[i]++;
                good[i] += has_passed(s);
            }
    }
    for (size_t i = 0; i < x->n_tasks && made && good; i++)
        if (made[i]) {
            sum += sc_pass_at_k(made[i], good[i], 1);
            tasks++;
        }
    json_t *why = json_object();
    for (size_t i = 0; why && i < SC_LEN(kind); i++)
        (void)json_object_set_new(why, sc_box_kind_name((sc_box_kind)i), // a missing figure shows
                                  json_integer((json_int_t)kind[i]));
    if (why)
        (void)json_object_set_new(why, "no_code", json_integer((json_int_t)no_code)); // as above
    const bool nomem = !made || !good;
    sc_free(made);
    sc_free(good);
    if (nomem) {
        json_decref(why);
        return NULL;
    }
    const sc_interval w = sc_wilson(passed, n, 0.95);
    return json_pack("{s:o, s:I, s:I, s:I, s:f, s:[f, f], s:o, s:I, s:I, s:I, s:s, s:s}", "model",
                     sc_json_text(model), "samples", (json_int_t)n, "tasks", (json_int_t)tasks,
                     "passed", (json_int_t)passed, "pass_at_1", tasks ? sum / (double)tasks : 0.0,
                     "wilson", w.low, w.high, "verdicts", why, "timeouts", (json_int_t)x->timeouts,
                     "recovered", (json_int_t)x->recovered, "single", (json_int_t)single, "level",
                     sc_box_level_name(sc_box_level_of(x->box)), "python", sc_box_python(x->box));
}
