/* What a run makes of executed completions: verdicts, code that was broken off, rates with and
 * without extraction, and the table of the report. */
// SPDX-License-Identifier: MIT
#include "eval/execute.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/sandbox.h"
#include "report/report.h"
#include "score/program.h"
#include "t.h"

#include <unistd.h>

static const char suite[] =
    "{\"task_id\": \"t\", \"prompt\": \"def f(x):\\n\", \"entry_point\": \"f\", "
    "\"reference\": \"    return x + 1\\n\", "
    "\"test\": \"def check(candidate):\\n    assert candidate(1) == 2\\n\"}\n";

#define CHATTY "Sure:\n```python\ndef f(x):\n    return x + 1\n```\n"

static const struct {
    const char *completion, *solution, *finish;
    bool changed;
    const char *verdict;
} rows[] = {
    {"    return x + 1\n", "def f(x):\n    return x + 1\n", "stop_id", false, "passed"},
    {CHATTY, "def f(x):\n    return x + 1\n", "stop_id", true, "passed"},
    {"    if x == 5:\n        retu", "def f(x):\n    if x == 5:\n        retu", "length", false,
     "truncated"},
    {"    if x == 5:\n        return 1\n    el", "def f(x):\n    if x == 5:\n        return 1\n",
     "context", true, "truncated"},
    {"I cannot.", NULL, "stop_id", true, "no_code"},
    {"    return x\n\nThis is how it wor", "def f(x):\n    return x\n", "length", true, "failed"},
    {"    return x\n", "def f(x):\n    return x\n", "stop_id", false, "failed"},
};

TEST(a_program_reaches_the_end_of_its_answer_or_not)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        if (!rows[i].solution || strcmp(rows[i].finish, "stop_id") == 0)
            continue;
        CHECK(sc_program_reaches_end(sc_str_c(rows[i].solution), sc_str_c(rows[i].completion)) ==
              (strcmp(rows[i].verdict, "truncated") == 0));
    }
    CHECK(!sc_program_reaches_end(SC_STR(""), SC_STR("")));
    CHECK(!sc_program_reaches_end(SC_STR("a\nb"), SC_STR("b\nc\nd\n")));
    CHECK(sc_program_reaches_end(SC_STR("a\nb  \n\n"), SC_STR("x\nb\n\n c")));
}

/* The report's row of the model. */
static void check_report(json_t *sum)
{
    SC_AUTO_JSON *run =
        json_pack("{s:{s:i, s:i}, s:[{s:i}], s:[{s:s, s:O}]}", "protocol", "max_tokens", 9,
                  "samples", 7, "suites", "tasks", 1, "models", "label", "m", "execution", sum);
    CHECK(run);
    const sc_records none = {0};
    SC_AUTO(sc_report) report = {0};
    sc_err err = {0};
    CHECK_OK(sc_report_make(run, &none, &report, &err), &err);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    sc_report_markdown(&report, &text);
    if (!strstr(sc_buf_text(&text), "| m | 2 of 7 | 28.6 [8.2, 64.1] | failed 2, no\\_code 1, "
                                    "truncated 2 | 0, 0 recovered | 4 | 14.3 | 0 | full |") &&
        !strstr(sc_buf_text(&text), "| m | 2 of 7 | 28.6 [8.2, 64.1] | failed 2, no_code 1, "
                                    "truncated 2 | 0, 0 recovered | 4 | 14.3 | 0 | full |")) {
        print_error("%s\n", sc_buf_text(&text));
        fail();
    }
}

static void check_lines(const sc_execute *x)
{
    SC_AUTO(sc_buf) lines = sc_buf_init(1 << 20);
    sc_execute_lines(x, sc_cli_verdict_json, &lines);
    sc_str rest = sc_buf_str(&lines);
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        const char *end = memchr(rest.p, '\n', rest.n);
        CHECK(end);
        const sc_str line = {rest.p, (size_t)(end - rest.p)};
        rest = sc_str_skip(rest, line.n + 1);
        SC_AUTO_JSON *o = NULL;
        sc_err err = {0};
        CHECK_OK(sc_json_parse(line, &o, &err), &err);
        assert_string_equal(json_string_value(json_object_get(o, "verdict")), rows[i].verdict);
        CHECK(json_is_true(json_object_get(o, "passed")) ==
              (strcmp(rows[i].verdict, "passed") == 0));
    }
    CHECK(rest.n == 0);
}

TEST(a_run_counts_what_was_executed)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_box) *box = NULL;
    const sc_box_opts o = {.jobs = 2, .level = SC_BOX_FULL, .exact = true};
    if (sc_box_open(&o, &box, &err) != SC_OK)
        SKIP("box", err.msg);
    char path[] = P_tmpdir "/sc-execute-XXXXXX.jsonl";
    const int fd = mkstemps(path, 6);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_OK(sc_file_write(path, sc_str_c(suite), &err), &err);
    const char *suites[] = {path};
    const sc_plan_opts plan = {.suites = suites, .n_suites = 1};
    const sc_execute_opts how = {.limits = {.cpu_s = 2}, .per_ref = 2};
    SC_AUTO(sc_execute) *x = NULL;
    CHECK_OK(sc_execute_new(&plan, box, &how, &x, &err), &err);
    (void)unlink(path); // it has been read
    sc_records all = {0};
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        const sc_record r = {.model = SC_STR("m"),
                             .task = SC_STR("t"),
                             .sample = (uint32_t)i,
                             .completion = sc_str_c(rows[i].completion),
                             .solution =
                                 rows[i].solution ? sc_str_c(rows[i].solution) : (sc_str){NULL, 0},
                             .extract = SC_STR("raw"),
                             .changed = rows[i].changed,
                             .finish = sc_str_c(rows[i].finish),
                             .ok = true};
        CHECK_OK(sc_execute_add(x, &r, &err), &err);
    }
    CHECK_OK(sc_execute_finish(x, &all, &err), &err);
    check_lines(x);
    SC_AUTO_JSON *sum = sc_execute_summary(x, SC_STR("m"));
    check_report(sum);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(a_program_reaches_the_end_of_its_answer_or_not),
        T(a_run_counts_what_was_executed),
    };
    return RUN_TESTS(tests);
}
