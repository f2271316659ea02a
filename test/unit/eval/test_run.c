/* The whole run over a backend whose texts are known: journal, resume, failures, reports. */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "eval/eval.h"
#include "report/report.h"
#include "schema.h"
#include "t.h"

#include <unistd.h>

static char dir[SCRATCH];

static int make_dir(void **state)
{
    UNUSED;
    return mkdtemp(scratch_path(dir)) ? 0 : -1;
}

static int remove_dir(void **state)
{
    UNUSED;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* What the backend of a test does. */
typedef struct fake {
    unsigned calls; // samples that were generated, over all engines
    unsigned stop_after;
    atomic_bool stop;
} fake;

static fake now;

/* Two keywords of fibonacci, hostile characters, and the seed, so that a text tells its sample. */
static void text_of(const sc_gen_request *r, uint32_t sample, sc_buf *out)
{
    sc_buf_addf(out, "    if n: return 1 # %llu |`<script>\x1b[31m\n",
                (unsigned long long)r->seeds[sample]);
}

static sc_code fake_run(void *self, const sc_gen_request *r, size_t n, const sc_gen_sink *sink,
                        const atomic_bool *stop, sc_err *err)
{
    (void)self;
    static const int32_t ids[] = {1, 2, 3};
    static const uint64_t token_ns[] = {10000000, 20000000, 30000000};
    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < r[i].n_samples; k++) {
            if (now.stop_after && now.calls == now.stop_after)
                atomic_store(&now.stop, true);
            if (stop && atomic_load(stop))
                return sc_fail(err, SC_E_INTERRUPTED, "stopped");
            now.calls++;
            SC_AUTO(sc_buf) text = sc_buf_init(1000);
            text_of(&r[i], k, &text);
            const sc_err broken = {.code = SC_E_FORMAT, .msg = "logits are NaN"};
            const bool bad = strcmp(r[i].name, "decorator") == 0;
            const sc_gen_result result = {
                .request = &r[i],
                .request_index = i,
                .sample = k,
                .seed = r[i].seeds[k],
                .finish = bad ? SC_FINISH_ERROR : SC_FINISH_LENGTH,
                .error = bad ? &broken : NULL,
                .text = bad ? SC_STR("") : sc_buf_str(&text),
                .full_text = bad ? SC_STR("") : sc_buf_str(&text),
                .ids = ids,
                .n_ids = bad ? 0 : 3,
                .token_ns = token_ns,
                .prefill_ns = 8000000,
                .shared_prefill = k > 0,
                .batch_peak = 1,
            };
            SC_TRY(sink->done(sink->ctx, &result, err));
        }
    }
    return SC_OK;
}

static void fake_close(void *self)
{
    (void)self;
}

static sc_code fake_encode(void *self, sc_str prompt, unsigned flags, sc_ids *out, sc_err *err)
{
    (void)self;
    (void)flags;
    for (size_t i = 0; i < prompt.n; i++)
        if (!sc_ids_add(out, (unsigned char)prompt.p[i]))
            return sc_fail_nomem(err);
    return SC_OK;
}

static sc_code fake_describe(void *self, json_t **out, sc_err *err)
{
    (void)self;
    *out = json_pack("{s:s, s:s, s:I, s:{}, s:[], s:{s:I, s:I, s:I, s:I},"
                     " s:{s:s, s:s, s:I, s:n}, s:{s:s, s:s, s:s, s:s, s:I, s:I}}",
                     "format", "torch", "architecture", "smallcoder", "parameters",
                     (json_int_t)1000, "types", "files", "config", "hidden_size", (json_int_t)8,
                     "num_layers", (json_int_t)2, "num_attention_heads", (json_int_t)4,
                     "num_key_value_heads", (json_int_t)2, "tokenizer", "path", "no/such/file",
                     "kind", "BPE", "tokens", (json_int_t)256, "sha256", "compute", "device", "cpu",
                     "level", "ref", "activations", "f32", "kv_type", "f32", "threads",
                     (json_int_t)1, "batch", (json_int_t)1);
    return *out ? SC_OK : sc_fail_nomem(err);
}

static json_t *fake_memory(void *self)
{
    (void)self;
    return json_pack("{s:I, s:I, s:I, s:I}", "weights_mapped", (json_int_t)1000, "weights_packed",
                     (json_int_t)0, "kv", (json_int_t)500, "workspace", (json_int_t)24);
}

static sc_code fake_open(const sc_eval_model *spec, const sc_engine_opts *opts, sc_engine **out,
                         sc_err *err)
{
    static const sc_gen_ops gen_ops = {"fake", fake_run, fake_close};
    static const sc_engine_ops ops = {fake_encode, fake_describe, fake_memory, fake_close};
    (void)opts;
    if (strcmp(spec->arg, "broken") == 0)
        return sc_fail(err, SC_E_FORMAT, "broken.pt: not a checkpoint");
    sc_engine *e = sc_new(sc_engine);
    sc_gen *g = sc_new(sc_gen);
    CHECK(e && g);
    g->ops = &gen_ops;
    e->ops = &ops;
    e->gen = g;
    e->ctx = strcmp(spec->arg, "short") == 0 ? 100 : 4096;
    *out = e;
    return SC_OK;
}

typedef struct setup {
    sc_eval_opts opts;
    json_t *doc, *program, *command, *labels;
} setup;

static const char *const builtin[] = {"builtin"};

static void init(setup *s, const sc_eval_model *models, size_t n)
{
    now.calls = 0;
    now.stop_after = 0;
    atomic_store(&now.stop, false);
    s->doc = json_pack("{s:i, s:[], s:[s], s:{}, s:{}}", "schema", 1, "models", "tasks", "builtin",
                       "generate", "engine");
    s->program = json_pack("{s:s, s:s}", "program", "scbench", "version", "0");
    s->command = json_pack("[s, s]", "scbench", "run");
    s->labels = json_pack("{s:n, s:[]}", "note", "tags");
    s->opts = (sc_eval_opts){
        .models = models,
        .n_models = n,
        .tasks = {builtin, 1, NULL, NULL},
        .protocol = &sc_protocol_seed,
        .params = {.temperature = 0.7, .top_k = 50, .top_p = 0.9, .repetition_penalty = 1},
        .samples = 2,
        .max_tokens = 150,
        .seed = 1,
        .out_dir = dir,
        .config = s->doc,
        .program = s->program,
        .command = s->command,
        .labels = s->labels,
        .open = fake_open,
        .stop = &now.stop,
    };
}

static void drop(setup *s)
{
    json_decref(s->doc);
    json_decref(s->program);
    json_decref(s->command);
    json_decref(s->labels);
}

static const sc_eval_events quiet;

static void check_schema(const char *name, const json_t *v)
{
    const char *source = getenv("SC_SOURCE");
    char path[512];
    (void)snprintf(path, sizeof path, "%s/schemas/%s.schema.json", source ? source : ".", name);
    sc_err err = {0};
    SC_AUTO_JSON *schema = NULL;
    CHECK_OK(sc_json_read(path, 1 << 20, &schema, &err), &err);
    schema_why why = {{0}};
    if (!schema_check(v, schema, "$", &why))
        print_error("%s: %s\n", name, why.text);
    CHECK(!why.text[0]);
}

static json_t *parse(const sc_buf *text)
{
    sc_err err = {0};
    json_t *v = NULL;
    CHECK(sc_buf_ok(text));
    CHECK_OK(sc_json_parse(sc_buf_str(text), &v, &err), &err);
    return v;
}

TEST(every_file_of_a_run_fits_its_schema_and_the_numbers_agree)
{
    UNUSED;
    sc_err err = {0};
    const sc_eval_model models[] = {{.arg = "a", .label = "SmallCoder"},
                                    {.arg = "b", .label = "B|`x`", .model_id = "org/b"}};
    setup s;
    init(&s, models, 2);
    SC_AUTO(sc_eval_result) r = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &r, &err), &err);
    CHECK(r.n_models == 2 && r.n_failed == 0 && r.samples.n == 44 && now.calls == 44);
    SC_AUTO(sc_report) report = {0};
    CHECK_OK(sc_report_make(r.run, &r.samples, &report, &err), &err);

    for (size_t i = 0; i < r.samples.n; i++)
        check_schema("sample", r.samples.p[i].doc);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 24);
    sc_report_run_json(&report, &text);
    SC_AUTO_JSON *run = parse(&text);
    check_schema("run", run);
    sc_buf_clear(&text);
    sc_report_seed_json(&report, &text);
    SC_AUTO_JSON *seed = parse(&text);
    check_schema("seed", seed);

    // 11 tasks of 2 samples; the decorator fails. 3 tokens in 30 ms.
    const json_t *sum = json_object_get(json_array_get(seed, 0), "summary");
    const json_t *in_run =
        json_object_get(json_array_get(json_object_get(run, "models"), 0), "summary");
    CHECK(json_integer_value(json_object_get(sum, "total_benchmarks")) == 22);
    CHECK(json_integer_value(json_object_get(sum, "successful_runs")) == 20);
    CHECK(json_integer_value(json_object_get(in_run, "completed")) == 20);
    const double rate = json_number_value(json_object_get(sum, "avg_tokens_per_second"));
    CHECK(rate > 99.99 && rate < 100.01);
    CHECK(rate == json_number_value(json_object_get(in_run, "tokens_per_second")));
    const double old = json_number_value(json_object_get(sum, "avg_tokens_per_second_seed"));
    CHECK(old > 4999 && old < 5001);
    CHECK(json_number_value(json_object_get(sum, "avg_keyword_score")) ==
          json_number_value(json_object_get(json_object_get(in_run, "keyword"), "mean_completed")));
    const json_t *first = json_array_get(json_object_get(json_array_get(seed, 0), "results"), 0);
    // "if", "return" and "n" of four keywords
    CHECK(json_number_value(json_object_get(first, "keyword_score")) == 0.75);
    CHECK(json_object_get(json_array_get(seed, 0), "model_config"));
    CHECK(strcmp(json_string_value(json_object_get(json_array_get(seed, 1), "model_id")),
                 "org/b") == 0);
    drop(&s);
}

TEST(reports_stay_whole_whatever_the_model_wrote)
{
    UNUSED;
    sc_err err = {0};
    const sc_eval_model models[] = {{.arg = "a", .label = "x|y<b>\x1b[0m"}};
    setup s;
    init(&s, models, 1);
    SC_AUTO(sc_eval_result) r = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &r, &err), &err);
    SC_AUTO(sc_report) report = {0};
    CHECK_OK(sc_report_make(r.run, &r.samples, &report, &err), &err);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 24);
    sc_report_markdown(&report, &text);
    sc_report_seed_markdown(&report, "2026-01-01 00:00:00", &text);
    CHECK(sc_buf_ok(&text) && text.n < (60u << 10));
    CHECK(!strchr(text.p, '\x1b') && strstr(text.p, "x\\|y\\<b\\>"));
    CHECK(strstr(text.p, "# SmallCoder Benchmark Comparison Report\nGenerated: 2026-01-01"));
    CHECK(strstr(text.p, "| Failed | - | - |"));
    drop(&s);
}

TEST(an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened)
{
    UNUSED;
    sc_err err = {0};
    const sc_eval_model models[] = {{.arg = "a", .label = "one"}, {.arg = "b", .label = "two"}};
    setup s;
    init(&s, models, 2);
    SC_AUTO(sc_eval_result) whole = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &whole, &err), &err);

    drop(&s);
    init(&s, models, 2);
    now.stop_after = 25;
    SC_AUTO(sc_eval_result) part = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &part, &err), &err);
    CHECK(part.interrupted && part.samples.n == 25 && now.calls == 25);
    CHECK(strcmp(json_string_value(json_object_get(part.run, "state")), "interrupted") == 0);
    char *folder = sc_strdup(part.folder.dir);
    sc_eval_result_drop(&part);

    drop(&s);
    init(&s, models, 2);
    s.opts.resume = folder;
    SC_AUTO(sc_eval_result) rest = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &rest, &err), &err);
    CHECK(!rest.interrupted && now.calls == 44 - 25 && rest.samples.n == 44);
    for (size_t i = 0; i < 44; i++) {
        CHECK(sc_str_eq(rest.samples.p[i].raw, whole.samples.p[i].raw));
        CHECK(sc_str_eq(rest.samples.p[i].model, whole.samples.p[i].model));
    }
    sc_eval_result_drop(&rest);

    drop(&s);
    init(&s, models, 2);
    s.opts.resume = folder;
    s.opts.max_tokens = 10;
    CHECK_CODE(SC_E_USAGE, sc_eval_run(&s.opts, &quiet, &rest, &err), &err);
    CHECK(strstr(err.msg, "other generation options"));
    sc_free(folder);
    drop(&s);
}

static void count_failure(void *ctx, const sc_eval_model *m, const sc_err *err)
{
    (void)m;
    (void)err;
    (*(unsigned *)ctx)++;
}

TEST(one_failing_model_is_recorded_and_the_others_go_on)
{
    UNUSED;
    sc_err err = {0};
    unsigned failures = 0;
    const sc_eval_events events = {.failed = count_failure, .ctx = &failures};
    const sc_eval_model models[] = {{.arg = "broken", .label = "one"},
                                    {.arg = "short", .label = "two"},
                                    {.arg = "broken", .label = "three", .optional = true},
                                    {.arg = "a", .label = "four"}};
    setup s;
    init(&s, models, 4);
    SC_AUTO(sc_eval_result) r = {0};
    CHECK_OK(sc_eval_run(&s.opts, &events, &r, &err), &err);
    CHECK(r.n_models == 1 && r.n_failed == 2 && failures == 3 && r.samples.n == 22);
    SC_AUTO(sc_report) report = {0};
    CHECK_OK(sc_report_make(r.run, &r.samples, &report, &err), &err);
    CHECK(report.n_models == 4 && report.model[0].sum.n == 0);
    CHECK(sc_str_is(report.model[0].error, "broken.pt: not a checkpoint"));
    CHECK(strstr(report.model[1].error.p, "more than the context of 100"));
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 24);
    sc_report_run_json(&report, &text);
    SC_AUTO_JSON *run = parse(&text);
    check_schema("run", run);
    sc_buf_clear(&text);
    sc_report_seed_json(&report, &text);
    SC_AUTO_JSON *seed = parse(&text);
    CHECK(json_array_size(seed) == 1);
    drop(&s);
}

TEST(nothing_is_written_when_no_model_can_be_loaded)
{
    UNUSED;
    sc_err err = {0};
    const sc_eval_model models[] = {{.arg = "broken", .label = "one"}};
    setup s;
    init(&s, models, 1);
    char out[128];
    (void)snprintf(out, sizeof out, "%s/never", dir);
    s.opts.out_dir = out;
    SC_AUTO(sc_eval_result) r = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &r, &err), &err);
    CHECK(!r.folder.dir && r.n_failed == 1 && !sc_file_is_dir(out));
    drop(&s);
}

TEST(a_sample_keeps_its_seed_whichever_tasks_run_beside_it)
{
    UNUSED;
    sc_err err = {0};
    const sc_eval_model models[] = {{.arg = "a", .label = "m"}};
    setup s;
    init(&s, models, 1);
    SC_AUTO(sc_eval_result) all = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &all, &err), &err);
    drop(&s);
    init(&s, models, 1);
    s.opts.tasks.ids = "merge*";
    SC_AUTO(sc_eval_result) one = {0};
    CHECK_OK(sc_eval_run(&s.opts, &quiet, &one, &err), &err);
    CHECK(one.samples.n == 2);
    for (size_t i = 0; i < all.samples.n; i++)
        if (sc_str_is(all.samples.p[i].task, "merge_sort"))
            CHECK(all.samples.p[i].seed == one.samples.p[all.samples.p[i].sample].seed);
    CHECK(one.samples.p[0].seed != one.samples.p[1].seed);
    drop(&s);
}

TEST(no_matching_task_and_bad_limits_are_refused)
{
    UNUSED;
    sc_err err = {0};
    sc_plan *p = NULL;
    sc_plan_opts o = {builtin, 1, NULL, "nothing*"};
    CHECK_CODE(SC_E_NOTFOUND, sc_plan_open(&o, &p, &err), &err);
    static const char *const bad[] = {"", "x", "0", "-1", "120%", "5x", "nan"};
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        o = (sc_plan_opts){builtin, 1, bad[i], NULL};
        CHECK_CODE(SC_E_USAGE, sc_plan_open(&o, &p, &err), &err);
    }
    static const struct {
        const char *limit;
        size_t n;
    } good[] = {{"3", 3}, {"50%", 5}, {"1%", 1}, {"100", 11}};
    for (size_t i = 0; i < SC_LEN(good); i++) {
        o = (sc_plan_opts){builtin, 1, good[i].limit, NULL};
        SC_AUTO(sc_plan) *plan = NULL;
        CHECK_OK(sc_plan_open(&o, &plan, &err), &err);
        size_t n = 0;
        (void)sc_plan_tasks(plan, &n);
        CHECK(n == good[i].n);
    }
    static const char *const twice[] = {"core,builtin"};
    o = (sc_plan_opts){twice, 1, NULL, NULL};
    CHECK_CODE(SC_E_USAGE, sc_plan_open(&o, &p, &err), &err);
    CHECK(strstr(err.msg, "\"fibonacci\" is in the suites core and builtin"));
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(every_file_of_a_run_fits_its_schema_and_the_numbers_agree),
        T(reports_stay_whole_whatever_the_model_wrote),
        T(an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened),
        T(one_failing_model_is_recorded_and_the_others_go_on),
        T(nothing_is_written_when_no_model_can_be_loaded),
        T(a_sample_keeps_its_seed_whichever_tasks_run_beside_it),
        T(no_matching_task_and_bad_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
