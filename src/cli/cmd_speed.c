// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "eval/speed.h"
#include "fmt/weights.h"
#include "kern/cpu.h"
#include "kern/limits.h"
#include "measure/env.h"
#include "report/limits.h"
#include "report/speed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 256, MAX_RESULT = 256 << 20 };

/* A list option, spelt out. */
typedef struct list {
    uint32_t v[MAX_LIST];
    size_t n;
} list;

/* Reads a number at *p and moves behind it; false when there is none or it is too large. */
static bool number(const char **p, uint32_t *out)
{
    char *end = NULL;
    if (**p < '0' || **p > '9')
        return false;
    const unsigned long long v = strtoull(*p, &end, 10);
    if (v > (1u << 30))
        return false;
    *p = end;
    *out = (uint32_t)v;
    return true;
}

/* Appends what one item says: "7", "1-4", "64-1024*2", "0-4096+512". */
static bool add_item(const char **p, list *out)
{
    uint32_t from = 0;
    uint32_t to = 0;
    uint32_t by = 1;
    bool times = false;
    if (!number(p, &from))
        return false;
    to = from;
    if (**p == '-') {
        (*p)++;
        if (!number(p, &to) || to < from)
            return false;
        if (**p == '*' || **p == '+') {
            times = **p == '*';
            (*p)++;
            if (!number(p, &by) || by < (times ? 2u : 1u) || (times && from == 0))
                return false;
        }
    }
    for (uint64_t v = from; v <= to; v = times ? v * by : v + by) {
        if (out->n == MAX_LIST)
            return false;
        out->v[out->n++] = (uint32_t)v;
    }
    return true;
}

static sc_code read_list(const sc_args *args, const char *key, list *out, sc_err *err)
{
    const char *text = sc_args_text(args, key);
    *out = (list){.n = 0};
    for (const char *p = text; p && *p;) {
        if (!add_item(&p, out) || (*p && *p != ','))
            return sc_fail(err, SC_E_USAGE,
                           "--%s: '%s' is not a list such as 64,512, 1-4, 64-1024*2 or 0-4096+512",
                           sc_opt_name(sc_opt_find(key)), text);
        p += *p == ',';
    }
    return SC_OK;
}

/* The i-th word of a comma-separated option among `names`; -1 behind the last one, -2 for an
 * unknown word. */
static int word_at(const char *text, unsigned i, const char *const *names)
{
    for (; i > 0; i--) {
        text = strchr(text, ',');
        if (!text)
            return -1;
        text++;
    }
    const size_t n = strcspn(text, ",");
    for (int k = 0; names[k]; k++)
        if (strlen(names[k]) == n && strncmp(names[k], text, n) == 0)
            return k;
    return -2;
}

static const char *const compute_names[] = {"auto", "int8", "bf16", "f32", NULL};
static const sc_compute compute_values[] = {SC_COMPUTE_AUTO, SC_COMPUTE_INT8, SC_COMPUTE_BF16,
                                            SC_COMPUTE_F32};
static const char *const kv_names[] = {"auto", "f32", "f16", "bf16", "q8_0", NULL};
static const sc_kv_type kv_values[] = {SC_KV_AUTO, SC_KV_F32, SC_KV_F16, SC_KV_BF16, SC_KV_Q8_0};

/* The whole plan, and what it has given so far. */
typedef struct sweep {
    sc_cli *cli;
    list n_prompt, n_gen, depth, batch, threads;
    const char *compute;
    const char *kv;
    bool measure; // the machine's limits, for every number of threads
    sc_limits known[MAX_LIST + 1];
    size_t n_known;
    json_t *limits; // borrowed; a row for each that is known
    json_t *rows;   // borrowed
    sc_clock clock;
} sweep;

static uint32_t largest(const list *l)
{
    uint32_t most = 0;
    for (size_t i = 0; i < l->n; i++)
        most = l->v[i] > most ? l->v[i] : most;
    return most;
}

/* What identifies the rows of an open model. */
static json_t *about(const char *label, const sc_model *m, unsigned threads)
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
    return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s}", //
                     "model", sc_json_text(sc_str_c(label)), "arch", c->arch, "dtype", dtype,
                     "params", (json_int_t)sc_config_params(c), "bytes", (json_int_t)bytes,
                     "threads", (json_int_t)threads, "level", sc_model_level(m), "compute",
                     sc_model_compute(m), "kv_type", sc_model_kv(m));
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
    assert(s->n_known < SC_LEN(s->known)); // no list of threads is longer
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

static sc_code one_test(sweep *s, const subject *on, const sc_speed_test *t, sc_err *err)
{
    SC_AUTO(sc_speed_result) r = {0};
    const unsigned warmup = (unsigned)sc_args_int(s->cli->args, "warmup-runs");
    const unsigned repeats = (unsigned)sc_args_int(s->cli->args, "repeats");
    SC_TRY(sc_speed_measure(on->m, t, warmup, repeats, &s->clock, &s->cli->signals->stop, &r, err));
    const sc_speed_cost cost = sc_speed_cost_of(on->m, t);
    json_t *row = NULL;
    SC_TRY(sc_speed_row(on->about, t, &r, &cost, on->limits, &row, err));
    sc_ui_note(&s->cli->ui, "%s %" PRIu32 " at depth %" PRIu32 ", batch %" PRIu32 ": %.1f tok/s",
               t->decode ? "decode" : "prefill", t->n, t->depth, t->batch,
               json_number_value(json_object_get(row, "tok_s")));
    return json_array_append_new(s->rows, row) == 0 ? SC_OK : sc_fail_nomem(err);
}

/* All tests of one open model. */
static sc_code all_tests(sweep *s, const subject *on, sc_err *err)
{
    for (size_t d = 0; d < s->depth.n; d++)
        for (size_t b = 0; b < s->batch.n; b++) {
            sc_speed_test t = {.depth = s->depth.v[d], .batch = s->batch.v[b]};
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

static sc_code with_threads(sweep *s, const char *label, const char *path, unsigned threads,
                            sc_err *err)
{
    const sc_limits *limits = NULL;
    if (s->measure)
        SC_TRY(limits_of(s, threads, &limits, err));
    for (unsigned c = 0;; c++) {
        const int compute = word_at(s->compute, c, compute_names);
        if (compute == -1)
            return SC_OK;
        if (compute < 0)
            return sc_fail(err, SC_E_USAGE,
                           "--compute: '%s' is not a list of auto, f32, bf16, int8", s->compute);
        for (unsigned k = 0;; k++) {
            const int kv = word_at(s->kv, k, kv_names);
            if (kv == -1)
                break;
            if (kv < 0)
                return sc_fail(err, SC_E_USAGE,
                               "--kv-type: '%s' is not a list of auto, f32, f16, bf16, q8_0",
                               s->kv);
            const uint32_t batch = largest(&s->batch);
            const sc_model_opts opts = {
                .threads = threads,
                .cpu_level = sc_args_text(s->cli->args, "cpu"),
                .compute = compute_values[compute],
                .kv_type = kv_values[kv],
                .max_seqs = batch + 2,
                .max_rows = batch > 512 ? batch : 512,
            };
            SC_AUTO(sc_model) *m = NULL;
            SC_TRY(sc_model_open(path, &opts, &m, err));
            SC_AUTO_JSON *who = about(label, m, sc_pool_size(sc_model_pool(m)));
            if (!who)
                return sc_fail_nomem(err);
            const subject on = {.m = m, .about = who, .limits = limits};
            SC_TRY(all_tests(s, &on, err));
        }
    }
}

static sc_code one_model(sweep *s, unsigned i, sc_err *err)
{
    const sc_args *args = s->cli->args;
    const char *arg = sc_args_nth(args, "model", i);
    const char *label =
        i < sc_args_count(args, "name") ? sc_args_nth(args, "name", i) : sc_path_base(arg);
    char *path = NULL;
    SC_TRY(sc_cli_find(s->cli, arg, SC_HUB_MODEL, &path, err));
    sc_code code = SC_OK;
    if (s->threads.n == 0)
        code = with_threads(s, label, path, 0, err);
    for (size_t t = 0; t < s->threads.n && code == SC_OK; t++)
        code = with_threads(s, label, path, s->threads.v[t], err);
    sc_free(path);
    return code;
}

/* Prints the rows, or the limits where nothing else was measured. */
static sc_code print(sc_cli *cli, const json_t *limits, const json_t *rows, sc_err *err)
{
    const char *form = sc_args_text(cli->args, "speed-format");
    const bool alone = json_array_size(rows) == 0;
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_RESULT);
    if (strcmp(form, "md") == 0) {
        if (json_array_size(limits))
            sc_limits_markdown(limits, &text);
        if (!alone && json_array_size(limits))
            sc_buf_add_char(&text, '\n');
        if (!alone)
            sc_speed_markdown(rows, &text);
    } else if (strcmp(form, "csv") == 0) {
        alone ? sc_limits_csv(limits, &text) : sc_speed_csv(rows, &text);
    } else if (strcmp(form, "sql") == 0) {
        if (json_array_size(limits))
            sc_limits_sql(limits, &text);
        if (!alone)
            sc_speed_sql(rows, &text);
    } else {
        SC_AUTO_JSON *env = NULL;
        SC_TRY(sc_env_capture(&env, err));
        SC_AUTO_JSON *doc = json_pack("{s:i, s:O, s:O, s:O}", "schema", 1, "environment", env,
                                      "limits", limits, "rows", rows);
        if (!doc)
            return sc_fail_nomem(err);
        sc_json_format(doc, 2, &text);
        sc_buf_add_char(&text, '\n');
    }
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fwrite(text.p, 1, text.n, cli->out); // main asks ferror once
    return SC_OK;
}

/* The rows of a file that --format json wrote. */
static sc_code read_rows(const char *path, json_t **doc, const json_t **rows, sc_err *err)
{
    SC_TRY(sc_json_read(path, MAX_RESULT, doc, err));
    *rows = json_object_get(*doc, "rows");
    if (!json_is_array(*rows))
        return sc_fail(err, SC_E_FORMAT,
                       "%s: has no list \"rows\"; was it written by 'scbench speed --format json'?",
                       path);
    return SC_OK;
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
    const json_t *a_rows = NULL;
    const json_t *b_rows = NULL;
    SC_TRY(read_rows(a_path, &a, &a_rows, err));
    SC_TRY(read_rows(b_path, &b, &b_rows, err));
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_RESULT);
    SC_TRY_IN(sc_speed_compare(a_rows, b_rows, &text, err), err, "%s, %s", a_path, b_path);
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fwrite(text.p, 1, text.n, cli->out); // main asks ferror once
    return SC_OK;
}

/* Everything that was asked for: into s->limits and s->rows. */
static sc_code measure(sweep *s, unsigned n_models, sc_err *err)
{
    const sc_args *args = s->cli->args;
    s->compute = sc_args_text(args, "compute-list");
    s->kv = sc_args_text(args, "kv-list");
    SC_TRY(read_list(args, "n-prompt", &s->n_prompt, err));
    SC_TRY(read_list(args, "n-gen", &s->n_gen, err));
    SC_TRY(read_list(args, "depth", &s->depth, err));
    SC_TRY(read_list(args, "batch-list", &s->batch, err));
    SC_TRY(read_list(args, "threads-list", &s->threads, err));
    for (unsigned i = 0; i < n_models; i++)
        SC_TRY(one_model(s, i, err));
    const sc_limits *l = NULL;
    if (n_models == 0 && s->threads.n == 0)
        SC_TRY(limits_of(s, 0, &l, err));
    for (size_t t = 0; n_models == 0 && t < s->threads.n; t++)
        SC_TRY(limits_of(s, s->threads.v[t], &l, err));
    return SC_OK;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const sc_args *args = cli->args;
    if (sc_args_flag(args, "compare-results"))
        return compare(cli, err);
    if (sc_args_n(args))
        return sc_fail(err, SC_E_USAGE, "'%s': a model is named with -m", sc_args_at(args, 0));
    const unsigned n = sc_args_count(args, "model");
    const char *limits_text = sc_args_text(args, "limits");
    if (n == 0 && !sc_args_flag(args, "limits"))
        return sc_fail(err, SC_E_USAGE, "no model; name one with -m, or ask for --limits");
    SC_AUTO_JSON *limits = json_array();
    SC_AUTO_JSON *rows = json_array();
    sweep *s = sc_new(sweep);
    if (!limits || !rows || !s) {
        sc_free(s);
        return sc_fail_nomem(err);
    }
    *s = (sweep){.cli = cli, .clock = sc_clock_real(), .limits = limits, .rows = rows};
    s->measure = !limits_text || sc_args_flag(args, "limits");
    sc_code code = measure(s, n, err);
    // What was measured before a failure or Ctrl-C is not thrown away.
    if (json_array_size(rows) || (n == 0 && json_array_size(limits))) {
        sc_err second = {0};
        const sc_code shown = print(cli, limits, rows, code == SC_OK ? err : &second);
        code = code == SC_OK ? shown : code;
    }
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
