// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/find.h"
#include "cli/run_config.h"
#include "eval/ask.h"

#include <string.h>

/* What a task is explained with. */
typedef struct explain {
    sc_cli *cli;
    const sc_task *task;  // borrowed
    const char *data_dir; // borrowed, or NULL
    sc_engine *engine;    // owned; NULL: no model was named
    sc_prompt_mode mode;  // as asked for
} explain;

static const char *join_about(const sc_form *f, const sc_task *t)
{
    if (f->clean == SC_CLEAN_SCBENCH)
        return t->whole ? "the code alone"
                        : "the task's prompt, unless the code is a whole program of its own; then "
                          "the code";
    static const char *const about[] = {"the task's prompt, then the answer",
                                        "the prompt as it was asked, then the answer",
                                        "the answer alone"};
    return about[f->join];
}

static json_t *ids_json(const int32_t *id, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_integer(id[i])); // json_pack looks at NULL
    return list;
}

static json_t *stops_json(const sc_task *t, const sc_form *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_stops; i++)
        (void)json_array_append_new(list, sc_json_text(t->stop[i])); // as above
    for (size_t i = 0; i < SC_FORM_MAX_STOPS && f->stop[i]; i++)
        (void)json_array_append_new(list, json_string(f->stop[i])); // as above
    return list;
}

static json_t *answer_json(const explain *x, const sc_protocol *p, const sc_ask *a,
                           const sc_asked *q)
{
    size_t n_stops = 0;
    const int32_t *stops = sc_ask_stop_ids(a, &n_stops);
    const sc_form *f = q->form;
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:f, s:I, s:f, s:f, s:f, "
                     "s:I, s:s, s:s}",
                     "task", sc_json_text(x->task->name), "protocol", p->name, "prompt_mode",
                     sc_prompt_mode_name(sc_ask_mode(a)), "why",
                     x->engine ? sc_ask_why(a) : "no model was named: before any template", "asked",
                     sc_json_text(sc_buf_str(&q->text)), "begins",
                     q->begins.n ? sc_json_text(sc_buf_str(&q->begins)) : json_null(), "ids",
                     x->engine ? ids_json(q->ids.p, q->ids.n) : json_null(), "stop",
                     stops_json(x->task, f), "stop_ids",
                     x->engine ? ids_json(stops, n_stops) : json_null(), "max_tokens",
                     (json_int_t)q->max_tokens, "temperature", p->temperature, "top_k",
                     (json_int_t)p->top_k, "top_p", p->top_p, "cpu_s", p->cpu_s, "per_reference",
                     p->per_ref, "memory_mib", (json_int_t)p->memory_mib, "clean",
                     sc_clean_rule_name(f->clean), "program", join_about(f, x->task));
}

/* Every byte is seen: a line of the text is a line here, quoted, with its line break as \n. */
static void put_lines(FILE *out, sc_str text)
{
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        const sc_str line = {text.p, end ? (size_t)(end - text.p) + 1 : text.n};
        SC_AUTO(sc_buf) shown = sc_buf_init(1 << 26);
        sc_buf_add_json(&shown, line);
        (void)fprintf(out, "    %s\n", sc_buf_text(&shown)); // main asks ferror once
        text = sc_str_skip(text, line.n);
    }
}

static void put_list(FILE *out, const char *title, const json_t *list)
{
    (void)fprintf(out, "  %-10s", title); // main asks ferror once
    size_t i = 0;
    const json_t *v = NULL;
    json_array_foreach(list, i, v)
    {
        SC_AUTO(sc_buf) one = sc_buf_init(1 << 16);
        if (json_is_integer(v))
            sc_buf_addf(&one, "%lld", (long long)json_integer_value(v));
        else
            sc_buf_add_json(&one, sc_json_str(v));
        (void)fprintf(out, " %s", sc_buf_text(&one));
    }
    (void)fputs(json_array_size(list) ? "\n" : " none\n", out);
}

static void put_answer(const explain *x, const sc_protocol *p, const json_t *v, const sc_asked *q)
{
    FILE *out = x->cli->out; // main asks ferror once
    (void)fprintf(out, "%s, prompt mode %s: %s\n\n  asked      %zu bytes", p->name,
                  json_string_value(json_object_get(v, "prompt_mode")),
                  json_string_value(json_object_get(v, "why")), q->text.n);
    if (x->engine)
        (void)fprintf(out, ", %zu tokens", q->ids.n);
    (void)fputc('\n', out);
    put_lines(out, sc_buf_str(&q->text));
    if (q->begins.n && !x->engine) {
        (void)fputs("  answer     begins with\n", out);
        put_lines(out, sc_buf_str(&q->begins));
    }
    if (x->engine)
        put_list(out, "ids", json_object_get(v, "ids"));
    put_list(out, "stops", json_object_get(v, "stop"));
    if (x->engine)
        put_list(out, "end ids", json_object_get(v, "stop_ids"));
    (void)fprintf(out, "  limits     %u new tokens; program: %g s of CPU time", q->max_tokens,
                  p->cpu_s);
    if (p->per_ref > 0)
        (void)fprintf(out, " or %g times the reference's", p->per_ref);
    (void)fprintf(out, ", %u MiB\n", p->memory_mib);
    if (p->temperature > 0)
        (void)fprintf(out, "  sampling   temperature %g, top-k %u, top-p %g\n", p->temperature,
                      p->top_k, p->top_p);
    else
        (void)fputs("  sampling   greedy\n", out);
    (void)fprintf(out, "  cleaning   %s: %s\n  program    %s\n\n",
                  sc_clean_rule_name(q->form->clean), sc_clean_rule_about(q->form->clean),
                  join_about(q->form, x->task));
}

static sc_code explain_one(const explain *x, const sc_protocol *p, sc_prompt_mode mode, sc_err *err)
{
    const sc_ask_opts opts = {p, mode, sc_args_text(x->cli->args, "system"), x->data_dir};
    SC_AUTO(sc_ask) *a = NULL;
    SC_TRY(sc_ask_new(&opts, x->engine, &a, err));
    SC_AUTO(sc_asked) q = {0};
    SC_TRY(sc_ask_task(a, x->task, &q, err));
    SC_AUTO_JSON *v = answer_json(x, p, a, &q);
    if (!v)
        return sc_fail_nomem(err);
    if (sc_cli_json(x->cli))
        return sc_cli_put_json(x->cli, v, err);
    put_answer(x, p, v, &q);
    return SC_OK;
}

/* One protocol; without a model both modes that it has. `all`: a form that is missing is only said.
 */
static sc_code explain_protocol(const explain *x, const sc_protocol *p, bool all, sc_err *err)
{
    const sc_form *chat = sc_protocol_form(p, x->task, SC_PROMPT_CHAT);
    const bool both = !x->engine && x->mode == SC_PROMPT_AUTO;
    const sc_prompt_mode mode = both ? SC_PROMPT_BASE : x->mode;
    sc_err why = {0};
    const sc_code code = explain_one(x, p, mode, &why);
    if (code != SC_OK && all && (code == SC_E_USAGE || code == SC_E_NOTFOUND)) {
        sc_ui_note(&x->cli->ui, "%s is left out: %s", p->name, why.msg);
        return SC_OK;
    }
    if (code != SC_OK) {
        *err = why;
        return code;
    }
    return both && chat->asks && !chat->ours ? explain_one(x, p, SC_PROMPT_CHAT, err) : SC_OK;
}

static sc_code find_task(const sc_cli *cli, const sc_plan *plan, const char *name,
                         const sc_task **out, sc_err *err)
{
    size_t n = 0;
    const sc_plan_task *t = sc_plan_tasks(plan, &n);
    for (size_t i = 0; i < n; i++)
        if (sc_str_is(t[i].task->name, name)) {
            *out = t[i].task;
            return SC_OK;
        }
    return sc_fail(err, SC_E_USAGE, "no task '%s'; see 'scbench tasks ls%s%s'", name,
                   sc_args_count(cli->args, "tasks") ? " -t " : "",
                   sc_args_count(cli->args, "tasks") ? sc_args_nth(cli->args, "tasks", 0) : "");
}

/* "HumanEval/3" and "MBPP/11" say themselves which suite they are of. */
static const char *suite_of(const char *task)
{
    return strncmp(task, "HumanEval/", 10) == 0 ? "humaneval"
           : strncmp(task, "MBPP/", 5) == 0     ? "mbpp"
                                                : "builtin";
}

static sc_code explain_all(explain *x, sc_err *err)
{
    const char *name = sc_args_text(x->cli->args, "protocol");
    const sc_protocol *one = NULL;
    if (name) {
        SC_TRY(sc_run_find_protocol(name, &one, err));
        return explain_protocol(x, one, false, err);
    }
    for (const sc_protocol *const *p = sc_protocols; *p; p++)
        SC_TRY(explain_protocol(x, *p, true, err));
    return SC_OK;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const sc_args *a = cli->args;
    const char *task = sc_args_at(a, 0);
    const char *suites[] = {sc_args_count(a, "tasks") ? sc_args_nth(a, "tasks", 0)
                                                      : suite_of(task)};
    explain x = {.cli = cli, .data_dir = sc_args_text(a, "data-dir")};
    const char *mode = sc_args_text(a, "prompt-mode");
    for (int m = SC_PROMPT_AUTO; m <= SC_PROMPT_FIM; m++)
        if (strcmp(sc_prompt_mode_name((sc_prompt_mode)m), mode) == 0)
            x.mode = (sc_prompt_mode)m;
    const sc_plan_opts opts = {.suites = suites, .n_suites = 1, .data_dir = x.data_dir};
    SC_AUTO(sc_plan) *plan = NULL;
    SC_TRY(sc_plan_open(&opts, &plan, err));
    SC_TRY(find_task(cli, plan, task, &x.task, err));
    if (sc_args_count(a, "model")) {
        const sc_hub_pull_opts how = sc_cli_pull_opts(cli);
        const sc_engine_opts engine = {.pull = sc_cli_pull_when(cli), .how = &how};
        const sc_eval_model model = {.arg = sc_args_nth(a, "model", 0),
                                     .tokenizer = sc_args_text(a, "tokenizer")};
        SC_TRY(sc_engine_open_tok(&model, &engine, &x.engine, err));
    }
    const sc_code code = explain_all(&x, err);
    sc_engine_close(x.engine);
    return code;
}

const sc_cmd sc_cmd_tasks_explain = {
    .name = "tasks explain",
    .args = "TASK",
    .summary = "what a model is given for a task under each protocol, byte for byte",
    .about =
        "Prints for each protocol, or for --protocol, the exact text that is asked, one quoted "
        "line for each of its lines, the tokens of --model (only its tokenizer is read), the "
        "stops, the limits, the sampling, and what of an answer is run. Without a model the "
        "message of a chat form is shown before any template.",
    .examples = "scbench tasks explain HumanEval/0 --protocol evalplus\n"
                "scbench tasks explain fibonacci -m models/nano/nano.pt\n"
                "scbench tasks explain MBPP/11 --protocol lm-eval -m org/name --json\n",
    .options = "tasks data-dir protocol prompt-mode system model tokenizer pull json",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
