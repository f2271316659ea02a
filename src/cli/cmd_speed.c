// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "cli/lists.h"
#include "cli/version.h"
#include "eval/speed.h"
#include "fmt/weights.h"
#include "kern/cpu.h"
#include "kern/limits.h"
#include "measure/env.h"
#include "report/limits.h"
#include "report/speed.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    MAX_RESULT = 256 << 20,
    MOST_TOKENS = 1 << 30, // a context as long does not exist
    MOST_BATCH = 60000,    // below what a model opens for
};

// In the order of the options' choices.
static const sc_compute compute_values[] = {SC_COMPUTE_AUTO, SC_COMPUTE_F32, SC_COMPUTE_BF16,
                                            SC_COMPUTE_INT8};
static const sc_kv_type kv_values[] = {SC_KV_AUTO, SC_KV_F32, SC_KV_F16, SC_KV_BF16, SC_KV_Q8_0};

/* The whole plan, and what it has given so far. */
typedef struct sweep {
    sc_cli *cli;
    sc_list n_prompt, n_gen, depth, batch, threads, compute, kv;
    bool measure; // the machine's limits, for every number of threads
    sc_limits known[SC_POOL_MAX + 1];
    size_t n_known;
    json_t *env;    // owned: the machine and its state before the first test
    json_t *limits; // borrowed; a row for each that is known
    json_t *rows;   // borrowed
    json_t *missed; // borrowed; what could not be measured, and why
    size_t n_missed;
    bool no_output; // results can no longer be written
    sc_clock clock;
} sweep;

/* What one opening of a model serves. */
typedef struct setting {
    const char *label, *path;
    unsigned threads; // 0: all that we may use
    sc_compute compute;
    sc_kv_type kv;
} setting;

/* What identifies the rows of an open model; `env` is the machine. */
static json_t *about(const char *label, const sc_model *m, unsigned threads, const json_t *env)
{
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(sc_model_weights(m), &n);
    uint64_t bytes = 0;
    uint64_t most = 0;
    const char *dtype = "";
    uint64_t sum[SC_DTYPE_N] = {0};
    for (size_t i = 0; i < n; i++) {
        bytes += t[i].size;
        sum[t[i].dtype] += t[i].size;
        if (sum[t[i].dtype] > most) {
            most = sum[t[i].dtype];
            dtype = sc_dtype_info(t[i].dtype)->name;
        }
    }
    const sc_config *c = sc_model_config(m);
    const char *cpu = json_string_value(json_object_get(json_object_get(env, "cpu"), "model"));
    return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s}", //
                     "model", sc_json_text(sc_str_c(label)), "arch", c->arch, "dtype", dtype,
                     "params", (json_int_t)sc_config_params(c), "bytes", (json_int_t)bytes,
                     "threads", (json_int_t)threads, "level", sc_model_level(m), "compute",
                     sc_model_compute(m), "kv_type", sc_model_kv(m), "cpu", cpu ? cpu : "",
                     "version", SC_VERSION);
}

/*
 * What the machine can do with so many threads (0: all that we may use): measured once, before a
 * model takes its memory.
 */
static sc_code limits_of(sweep *s, unsigned threads, const sc_limits **out, sc_err *err)
{
    threads = threads ? threads : sc_pool_cpus();
    for (size_t i = 0; i < s->n_known; i++)
        if (s->known[i].threads == threads) {
            *out = &s->known[i];
            return SC_OK;
        }
    assert(s->n_known < SC_LEN(s->known)); // every number of threads stands in a list once
    unsigned levels = sc_cpu_levels();
    const char *most = sc_args_text(s->cli->args, "cpu");
    if (most && !sc_cpu_parse(sc_str_c(most), levels, &levels))
        return sc_fail(err, SC_E_USAGE, "level \"%s\": this machine has ref to %s", most,
                       sc_cpu_name(levels));
    sc_kern k;
    sc_kern_init(&k, levels);
    SC_AUTO(sc_pool) *pool = NULL;
    SC_TRY(sc_pool_new(threads, &pool, err));
    sc_limits *l = &s->known[s->n_known];
    SC_TRY(sc_limits_measure(&k, pool, l, err));
    json_t *row = NULL;
    SC_TRY(sc_limits_row(l, sc_cpu_name(levels), &row, err));
    if (json_array_append_new(s->limits, row) != 0)
        return sc_fail_nomem(err);
    s->n_known++;
    *out = l;
    return SC_OK;
}

/* A model that is open, and what its rows need. */
typedef struct subject {
    sc_model *m;             // borrowed
    const json_t *about;     // borrowed
    const sc_limits *limits; // borrowed; NULL: not measured
} subject;

/* Whether the sweep goes on after this failure: one test, or one model, is not all of them. */
static bool goes_on(const sweep *s, sc_code code)
{
    return code != SC_E_INTERRUPTED && code != SC_E_USAGE && !s->no_output;
}

/* Says that something was not measured. What the error says becomes part of the result. */
static sc_code miss(sweep *s, const char *what, sc_err *err)
{
    const bool named = strncmp(err->msg, what, strlen(what)) == 0;
    sc_ui_warn(&s->cli->ui, "not measured: %s%s%s", named ? "" : what, named ? "" : ": ", err->msg);
    json_t *one = json_pack("{s:o, s:o}", "what", sc_json_text(sc_str_c(what)), "why",
                            sc_json_text(sc_str_c(err->msg)));
    *err = (sc_err){0};
    s->n_missed++;
    return json_array_append_new(s->missed, one) == 0 ? SC_OK : sc_fail_nomem(err);
}

/* Rows of CSV and SQL are written as they come, the names before the first: nothing is lost when
 * the machine goes down, and a full disk ends the sweep at once. */
static sc_code write_row(sweep *s, json_t *row, sc_err *err)
{
    const char *form = sc_args_text(s->cli->args, "speed-format");
    const bool csv = strcmp(form, "csv") == 0;
    if (!csv && strcmp(form, "sql") != 0)
        return SC_OK;
    SC_AUTO_JSON *one = json_pack("[O]", row);
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_RESULT);
    const bool first = json_array_size(s->rows) == 1;
    if (csv)
        sc_speed_csv(one, first, &text);
    else
        sc_speed_sql(one, first, &text);
    if (!one || !sc_buf_ok(&text))
        return sc_fail_nomem(err);
    if (fwrite(text.p, 1, text.n, s->cli->out) == text.n && fflush(s->cli->out) == 0)
        return SC_OK;
    s->no_output = true;
    return errno == EPIPE ? sc_fail(err, SC_E_INTERRUPTED, "%s", "") // the reader had enough
                          : sc_fail_sys(err, SC_E_IO, errno, "standard output");
}

/* Now, in the form of ISO 8601, to the second. */
static json_t *stamp(void)
{
    char text[32] = "";
    const time_t now = time(NULL);
    struct tm t;
    if (gmtime_r(&now, &t))
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t); // fits
    return json_string(text);
}

static sc_code one_test(sweep *s, const subject *on, const sc_speed_test *t, sc_err *err)
{
    SC_AUTO(sc_speed_result) r = {0};
    SC_AUTO_JSON *began = stamp();
    const unsigned warmup = (unsigned)sc_args_int(s->cli->args, "warmup-runs");
    const unsigned repeats = (unsigned)sc_args_int(s->cli->args, "repeats");
    const sc_code code =
        sc_speed_measure(on->m, t, warmup, repeats, &s->clock, &s->cli->signals->stop, &r, err);
    char what[SC_ERR_MSG_SIZE];
    (void)snprintf(what, sizeof what, "%s: %s %" PRIu32 " at depth %" PRIu32 ", batch %" PRIu32,
                   json_string_value(json_object_get(on->about, "model")),
                   t->decode ? "decode" : "prefill", t->n, t->depth, t->batch); // cut at worst
    if (code != SC_OK)
        return goes_on(s, code) ? miss(s, what, err) : code;
    const sc_speed_cost cost = sc_speed_cost_of(on->m, t);
    json_t *row = NULL;
    SC_TRY(sc_speed_row(on->about, t, &r, &cost, on->limits, &row, err));
    sc_ui_note(&s->cli->ui, "%s: %.1f tok/s", what,
               json_number_value(json_object_get(row, "tok_s")));
    if (json_array_append_new(s->rows, row) != 0 || json_object_set(row, "time", began) != 0)
        return sc_fail_nomem(err);
    return write_row(s, row, err);
}

/* All tests of one open model with batches of at most `most`. */
static sc_code all_tests(sweep *s, const subject *on, uint32_t most, sc_err *err)
{
    for (size_t d = 0; d < s->depth.n; d++)
        for (size_t b = 0; b < s->batch.n; b++) {
            sc_speed_test t = {.depth = s->depth.v[d], .batch = s->batch.v[b]};
            if (t.batch > most)
                continue;
            for (size_t i = 0; i < s->n_prompt.n; i++) {
                t.decode = false;
                t.n = s->n_prompt.v[i];
                if (t.n)
                    SC_TRY(one_test(s, on, &t, err));
            }
            for (size_t i = 0; i < s->n_gen.n; i++) {
                t.decode = true;
                t.n = s->n_gen.v[i];
                if (t.n)
                    SC_TRY(one_test(s, on, &t, err));
            }
        }
    return SC_OK;
}

static sc_code open_for(sweep *s, const setting *g, uint32_t batch, sc_model **out, sc_err *err)
{
    const sc_model_opts opts = {
        .threads = g->threads,
        .cpu_level = sc_args_text(s->cli->args, "cpu"),
        .compute = g->compute,
        .kv_type = g->kv,
        .max_seqs = batch + 2,
        .max_rows = batch > SC_SPEED_BLOCK ? batch : SC_SPEED_BLOCK,
        .stop = &s->cli->signals->stop,
    };
    return sc_model_open(g->path, &opts, out, err);
}

/* The largest batch below `bound`; 0: none. */
static uint32_t next_batch(const sc_list *l, uint32_t bound)
{
    uint32_t most = 0;
    for (size_t i = 0; i < l->n; i++)
        most = l->v[i] > most && l->v[i] < bound ? l->v[i] : most;
    return most;
}

/* Every test of one setting. Where the largest batch has no room, the others are still measured. */
static sc_code one_setting(sweep *s, const setting *g, const sc_limits *limits, sc_err *err)
{
    SC_AUTO(sc_model) *m = NULL;
    uint32_t batch = next_batch(&s->batch, UINT32_MAX);
    for (;;) {
        const sc_code code = open_for(s, g, batch, &m, err);
        if (code == SC_OK)
            break;
        const uint32_t smaller = next_batch(&s->batch, batch);
        if ((code != SC_E_LIMIT && code != SC_E_NOMEM) || smaller == 0)
            return code;
        char what[SC_ERR_MSG_SIZE];
        (void)snprintf(what, sizeof what, "%s, batch %" PRIu32, g->label, batch); // cut at worst
        SC_TRY(miss(s, what, err));
        batch = smaller;
    }
    SC_AUTO_JSON *who = about(g->label, m, sc_pool_size(sc_model_pool(m)), s->env);
    if (!who)
        return sc_fail_nomem(err);
    return all_tests(s, &(subject){.m = m, .about = who, .limits = limits}, batch, err);
}

static sc_code with_threads(sweep *s, setting *g, sc_err *err)
{
    const sc_limits *limits = NULL;
    if (s->measure)
        SC_TRY(limits_of(s, g->threads, &limits, err));
    for (size_t c = 0; c < s->compute.n; c++)
        for (size_t k = 0; k < s->kv.n; k++) {
            g->compute = compute_values[s->compute.v[c]];
            g->kv = kv_values[s->kv.v[k]];
            SC_TRY(one_setting(s, g, limits, err));
        }
    return SC_OK;
}

static sc_code one_model(sweep *s, unsigned i, sc_err *err)
{
    const sc_args *args = s->cli->args;
    const char *arg = sc_args_nth(args, "model", i);
    setting g = {.label = i < sc_args_count(args, "name") ? sc_args_nth(args, "name", i)
                                                          : sc_path_base(arg)};
    char *path = NULL;
    sc_code code = sc_cli_find(s->cli, arg, SC_HUB_MODEL, &path, err);
    g.path = path;
    if (s->threads.n == 0 && code == SC_OK)
        code = with_threads(s, &g, err);
    for (size_t t = 0; t < s->threads.n && code == SC_OK; t++) {
        g.threads = s->threads.v[t];
        code = with_threads(s, &g, err);
    }
    sc_free(path);
    return code == SC_OK || !goes_on(s, code) ? code : miss(s, arg, err);
}

/* Prints what write_row has not: the rows, or the limits where nothing else was measured. */
static sc_code print(const sweep *s, sc_err *err)
{
    const char *form = sc_args_text(s->cli->args, "speed-format");
    const bool alone = json_array_size(s->rows) == 0;
    const bool limits = json_array_size(s->limits) > 0;
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_RESULT);
    if (strcmp(form, "md") == 0) {
        if (limits)
            sc_limits_markdown(s->limits, &text);
        if (!alone && limits)
            sc_buf_add_char(&text, '\n');
        if (!alone)
            sc_speed_markdown(s->rows, &text);
    } else if (strcmp(form, "csv") == 0) {
        if (alone)
            sc_limits_csv(s->limits, &text);
    } else if (strcmp(form, "sql") == 0) {
        if (limits)
            sc_limits_sql(s->limits, &text);
    } else {
        SC_AUTO_JSON *doc = json_pack("{s:i, s:o, s:O, s:O, s:O, s:O}", "schema", 1, "program",
                                      sc_version_json(), "environment", s->env, "limits", s->limits,
                                      "rows", s->rows, "missed", s->missed);
        if (!doc)
            return sc_fail_nomem(err);
        sc_json_format(doc, 2, &text);
        sc_buf_add_char(&text, '\n');
    }
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    if (text.n)
        (void)fwrite(text.p, 1, text.n, s->cli->out); // main asks ferror once
    return SC_OK;
}

/* A file that --format json wrote. */
static sc_code read_result(const char *path, json_t **doc, sc_err *err)
{
    SC_TRY(sc_json_read(path, MAX_RESULT, doc, err));
    if (json_is_array(json_object_get(*doc, "rows")))
        return SC_OK;
    return sc_fail(err, SC_E_FORMAT,
                   "%s: has no list \"rows\"; was it written by 'scbench speed --format json'?",
                   path);
}

static sc_code compare(sc_cli *cli, sc_err *err)
{
    const char *a_path = sc_args_at(cli->args, 0);
    const char *b_path = sc_args_at(cli->args, 1);
    if (!a_path || !b_path)
        return sc_fail(err, SC_E_USAGE,
                       "--compare needs two files: scbench speed --compare A.json B.json");
    SC_AUTO_JSON *a = NULL;
    SC_AUTO_JSON *b = NULL;
    SC_TRY(read_result(a_path, &a, err));
    SC_TRY(read_result(b_path, &b, err));
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_RESULT);
    SC_TRY_IN(sc_speed_compare(a, b, &text, err), err, "%s, %s", a_path, b_path);
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fwrite(text.p, 1, text.n, cli->out); // main asks ferror once
    return SC_OK;
}

static bool all_zero(const sc_list *l)
{
    return l->n == 0 || (l->n == 1 && l->v[0] == 0);
}

/* What the options say; nothing was opened or measured yet. */
static sc_code read_lists(sweep *s, sc_err *err)
{
    const sc_args *args = s->cli->args;
    SC_TRY(sc_list_numbers(args, "n-prompt", 0, MOST_TOKENS, &s->n_prompt, err));
    SC_TRY(sc_list_numbers(args, "n-gen", 0, MOST_TOKENS, &s->n_gen, err));
    SC_TRY(sc_list_numbers(args, "depth", 0, MOST_TOKENS, &s->depth, err));
    SC_TRY(sc_list_numbers(args, "batch-list", 1, MOST_BATCH, &s->batch, err));
    SC_TRY(sc_list_numbers(args, "threads-list", 1, SC_POOL_MAX, &s->threads, err));
    SC_TRY(sc_list_words(args, "compute-list", &s->compute, err));
    SC_TRY(sc_list_words(args, "kv-list", &s->kv, err));
    if (sc_args_count(args, "model") && all_zero(&s->n_prompt) && all_zero(&s->n_gen))
        return sc_fail(err, SC_E_USAGE, "nothing to measure: --n-prompt and --n-gen are both 0");
    return SC_OK;
}

/* Everything that was asked for: into s->limits, s->rows and s->missed. */
static sc_code measure(sweep *s, sc_err *err)
{
    const unsigned n_models = sc_args_count(s->cli->args, "model");
    for (unsigned i = 0; i < n_models; i++)
        SC_TRY(one_model(s, i, err));
    const sc_limits *l = NULL;
    if (n_models == 0 && s->threads.n == 0)
        SC_TRY(limits_of(s, 0, &l, err));
    for (size_t t = 0; n_models == 0 && t < s->threads.n; t++)
        SC_TRY(limits_of(s, s->threads.v[t], &l, err));
    if (s->n_missed)
        return sc_fail(err, SC_E_LIMIT, "%zu of the tests or models could not be measured",
                       s->n_missed);
    return SC_OK;
}

/* Says what may disturb the figures, before they are taken. */
static sc_code warn_of(sc_cli *cli, const json_t *env, sc_err *err)
{
    SC_AUTO_JSON *list = NULL;
    SC_TRY(sc_env_warnings(env, &list, err));
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(list, i, one) sc_ui_warn(&cli->ui, "%s", json_string_value(one));
    return SC_OK;
}

static double member(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

/* Says how many figures moved between repeats so that a small difference means nothing. */
static void warn_of_noise(const sweep *s)
{
    size_t i = 0, n = 0;
    json_t *row = NULL;
    json_array_foreach(s->rows, i, row) n +=
        member(row, "tok_s_high") - member(row, "tok_s_low") > 0.1 * member(row, "tok_s");
    if (n)
        sc_ui_warn(&s->cli->ui,
                   "%zu of %zu figures vary by more than a tenth between their quartiles: other "
                   "programs, or too short a test; try more --repeats or a quiet moment",
                   n, json_array_size(s->rows));
}

/* Says where threads will share CPUs. */
static void warn_of_threads(const sweep *s)
{
    uint32_t most = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        most = s->threads.v[i] > most ? s->threads.v[i] : most;
    if (most > sc_pool_cpus())
        sc_ui_warn(&s->cli->ui, "up to %" PRIu32 " threads share %u CPU%s", most, sc_pool_cpus(),
                   sc_pool_cpus() == 1 ? "" : "s");
}

/* Measures and prints. What was measured before a failure or Ctrl-C is not thrown away. */
static sc_code sweep_run(sweep *s, sc_err *err)
{
    SC_TRY(read_lists(s, err));
    SC_TRY(sc_env_capture(&s->env, err));
    SC_TRY(warn_of(s->cli, s->env, err));
    warn_of_threads(s);
    const sc_code code = measure(s, err);
    const size_t n = json_array_size(s->rows);
    if (code == SC_E_INTERRUPTED && err->msg[0])
        (void)sc_fail(err, SC_E_INTERRUPTED, "interrupted; %zu test%s measured", n,
                      n == 1 ? " was" : "s were");
    if (n == 0 && json_array_size(s->limits) == 0)
        return code;
    warn_of_noise(s);
    sc_err second = {0};
    const sc_code shown = print(s, code == SC_OK ? err : &second);
    return code == SC_OK ? shown : code;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const sc_args *args = cli->args;
    if (sc_args_flag(args, "compare-results"))
        return compare(cli, err);
    if (sc_args_n(args))
        return sc_fail(err, SC_E_USAGE, "'%s': a model is named with -m", sc_args_at(args, 0));
    const char *limits_text = sc_args_text(args, "limits");
    if (sc_args_count(args, "model") == 0 && !sc_args_flag(args, "limits"))
        return sc_fail(err, SC_E_USAGE, "no model; name one with -m, or ask for --limits");
    SC_AUTO_JSON *limits = json_array();
    SC_AUTO_JSON *rows = json_array();
    SC_AUTO_JSON *missed = json_array();
    sweep *s = sc_new(sweep);
    if (!limits || !rows || !missed || !s) {
        sc_free(s);
        return sc_fail_nomem(err);
    }
    *s = (sweep){.cli = cli,
                 .clock = sc_clock_real(),
                 .limits = limits,
                 .rows = rows,
                 .missed = missed,
                 .measure = !limits_text || sc_args_flag(args, "limits")};
    const sc_code code = sweep_run(s, err);
    json_decref(s->env);
    sc_free(s);
    return code;
}

const sc_cmd sc_cmd_speed = {
    .name = "speed",
    .args = "[A.json B.json]",
    .summary = "how fast models read prompts and write tokens, on this machine",
    .about = "Sweeps over prompt lengths, depths, batches, threads, compute modes and KV types. "
             "Every option that takes a LIST\n"
             "may be given several values; all combinations are measured. A row shows the median "
             "of the repeats and their quartiles, and\n"
             "which share it is of what the machine's memory and arithmetic allow: its limits are "
             "measured first (--no-limits: not).",
    .examples = "scbench speed -m models/nano/nano.pt\n"
                "# where more threads stop to help\n"
                "scbench speed -m model.gguf -p 0 -n 64 --batch 1,8,32 --threads 1-4\n"
                "# what this machine can do at most\n"
                "scbench speed --limits --threads 1-4\n"
                "# is this machine, or this build, faster?\n"
                "scbench speed -m model.gguf --format json > new.json\n"
                "scbench speed --compare old.json new.json\n",
    .options =
        "model name pull n-prompt n-gen depth batch-list threads-list compute-list kv-list cpu "
        "repeats warmup-runs "
        "speed-format limits compare-results",
    .max_args = 2,
    .run = run,
};
