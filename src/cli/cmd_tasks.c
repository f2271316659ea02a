// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "eval/plan.h"

#include <string.h>

/* The suites of --tasks, all the built-in ones by default. */
static sc_code open_plan(const sc_cli *cli, sc_plan **out, sc_err *err)
{
    const char *suites[64];
    size_t n = 0;
    for (unsigned i = 0; i < sc_args_count(cli->args, "tasks") && n < SC_LEN(suites); i++)
        suites[n++] = sc_args_nth(cli->args, "tasks", i);
    if (n == 0)
        suites[n++] = "builtin";
    const sc_plan_opts opts = {
        .suites = suites, .n_suites = n, .data_dir = sc_args_text(cli->args, "data-dir")};
    return sc_plan_open(&opts, out, err);
}

static json_t *words_json(const sc_str *word, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++)
        (void)json_array_append_new(list, sc_json_text(word[i])); // json_pack looks at NULL
    return list;
}

static json_t *task_json(const sc_plan_task *t)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "name",
                     sc_json_text(t->task->name), "suite",
                     sc_json_text(sc_str_c(sc_suite_name(t->suite))), "category",
                     sc_json_text(t->task->category), "description",
                     sc_json_text(t->task->description), "prompt", sc_json_text(t->task->prompt),
                     "expected_keywords", words_json(t->task->keyword, t->task->n_keywords), "stop",
                     words_json(t->task->stop, t->task->n_stops), "prompt_sha", t->prompt_sha);
}

static sc_code list(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_plan) *plan = NULL;
    SC_TRY(open_plan(cli, &plan, err));
    size_t n = 0;
    const sc_plan_task *t = sc_plan_tasks(plan, &n);
    for (size_t i = 0; i < n; i++) {
        if (sc_cli_json(cli)) {
            SC_AUTO_JSON *v = task_json(&t[i]);
            SC_TRY(sc_cli_put_json(cli, v, err));
            continue;
        }
        // Fixed columns for names of usual length; a longer one pushes the rest.
        (void)fprintf(cli->out, "%-20.*s %-10.*s %2zu keywords  ", SC_STRF(t[i].task->name),
                      SC_STRF(t[i].task->category), t[i].task->n_keywords);
        sc_ui_put_text(cli->out, t[i].task->description);
        (void)fputc('\n', cli->out); // main asks ferror once
    }
    return SC_OK;
}

const sc_cmd sc_cmd_tasks_ls = {
    .name = "tasks ls",
    .summary = "the tasks of a suite",
    .about = "Lists the tasks that ship with scbench, or those of --tasks.",
    .examples = "scbench tasks ls\nscbench tasks ls --tasks mine.jsonl --json\n",
    .options = "tasks data-dir json",
    .run = list,
};

static void put_words(sc_cli *cli, const char *title, const sc_str *word, size_t n)
{
    (void)fprintf(cli->out, "%-12s", title); // main asks ferror once
    for (size_t i = 0; i < n; i++) {
        (void)fputs(i ? ", " : "", cli->out);
        SC_AUTO(sc_buf) text = sc_buf_init(1 << 16);
        sc_buf_add_json(&text, word[i]);
        sc_ui_put_text(cli->out, sc_buf_str(&text));
    }
    (void)fputs(n ? "\n" : "-\n", cli->out);
}

static sc_code show(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_plan) *plan = NULL;
    SC_TRY(open_plan(cli, &plan, err));
    const char *name = sc_args_at(cli->args, 0);
    size_t n = 0;
    const sc_plan_task *t = sc_plan_tasks(plan, &n);
    const char *names[256] = {NULL};
    for (size_t i = 0; i < n; i++) {
        if (i < SC_LEN(names) - 1)
            names[i] = t[i].task->name.p; // NUL-terminated: it comes from JSON
        if (!sc_str_is(t[i].task->name, name))
            continue;
        if (sc_cli_json(cli)) {
            SC_AUTO_JSON *v = task_json(&t[i]);
            return sc_cli_put_json(cli, v, err);
        }
        (void)fprintf(cli->out, "name        %s\nsuite       %s\ncategory    ", name,
                      sc_suite_name(t[i].suite));
        sc_ui_put_text(cli->out, t[i].task->category);
        (void)fputs("\ndescription ", cli->out);
        sc_ui_put_text(cli->out, t[i].task->description);
        (void)fputc('\n', cli->out);
        put_words(cli, "keywords", t[i].task->keyword, t[i].task->n_keywords);
        put_words(cli, "stop", t[i].task->stop, t[i].task->n_stops);
        (void)fprintf(cli->out, "prompt      %zu bytes, SHA-256 %s\n\n", t[i].task->prompt.n,
                      t[i].prompt_sha);
        sc_ui_put_text(cli->out, t[i].task->prompt);
        (void)fputc('\n', cli->out);
        return SC_OK;
    }
    const char *near = sc_args_suggest(name, names);
    if (near)
        return sc_fail(err, SC_E_USAGE, "no task '%s'; did you mean '%s'?", name, near);
    return sc_fail(err, SC_E_USAGE, "no task '%s'; see 'scbench tasks ls'", name);
}

const sc_cmd sc_cmd_tasks_show = {
    .name = "tasks show",
    .args = "TASK",
    .summary = "one task: prompt, keywords, stops",
    .examples = "scbench tasks show merge_sort\n",
    .options = "tasks data-dir json",
    .min_args = 1,
    .max_args = 1,
    .run = show,
};
