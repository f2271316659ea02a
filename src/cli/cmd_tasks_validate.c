// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "cli/sandbox.h"
#include "score/judge.h"

/* The suites named, else the built-in one and every published one whose data is here. */
static unsigned list_suites(const sc_cli *cli, const char **out, unsigned max)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sc_args_n(cli->args) && n < max; i++)
        out[n++] = sc_args_at(cli->args, i);
    if (n)
        return n;
    out[n++] = "builtin";
    out[n++] = "humaneval";
    out[n++] = "mbpp";
    out[n++] = "mbpp-sanitized";
    return n;
}

static sc_code show_failures(sc_cli *cli, const sc_judged *item, size_t n, json_t *list,
                             sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const sc_verdict *v = &item[i].verdict;
        if (v->kind == SC_BOX_PASSED)
            continue;
        if (json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "task",
                                                  sc_json_text(item[i].task->name), "verdict",
                                                  sc_box_kind_name(v->kind), "message",
                                                  sc_json_text(sc_str_c(v->message)))))
            return sc_fail_nomem(err);
        if (!sc_cli_json(cli))
            (void)fprintf(cli->out, "  %.*s: %s %s %s\n", SC_STRF(item[i].task->name),
                          sc_box_kind_name(v->kind), v->error_type, v->message); // as above
    }
    return SC_OK;
}

static sc_code validate(sc_cli *cli, sc_box *box, const char *name, bool *good, sc_err *err)
{
    SC_AUTO(sc_suite) *suite = NULL;
    SC_TRY(sc_suite_open_in(name, sc_args_text(cli->args, "data-dir"), &suite, err));
    size_t n = 0, used = 0;
    const sc_task *task = sc_suite_tasks(suite, &n);
    sc_judged *item = sc_alloc(n, sizeof *item);
    SC_AUTO_JSON *failures = json_array();
    if (!item || !failures) {
        sc_free(item);
        return sc_fail_nomem(err);
    }
    for (size_t i = 0; i < n; i++)
        if (sc_program_has_tests(&task[i]) && task[i].reference.n)
            item[used++] = (sc_judged){.task = &task[i], .text = task[i].reference};
    // Generous: this asks whether the reference is right, not whether it is fast.
    sc_judge_opts o = {
        .limits = {.cpu_s = 20, .wall_s = 60}, .retry = true, .stop = &cli->signals->stop};
    sc_judge_count c = {0};
    sc_code code = sc_judge_all(box, item, used, &o, &c, err);
    *good = used && c.passed == used;
    if (code == SC_OK && !sc_cli_json(cli))
        (void)fprintf(cli->out, "%-20s %zu of %zu reference solutions pass%s\n", name, c.passed,
                      used,
                      used < n ? " (tasks without one are left out)" : ""); // main asks ferror
    if (code == SC_OK)
        code = show_failures(cli, item, used, failures, err);
    if (code == SC_OK && sc_cli_json(cli)) {
        SC_AUTO_JSON *v =
            json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:O}", "suite", name, "tasks", (json_int_t)n,
                      "references", (json_int_t)used, "passed", (json_int_t)c.passed, "level",
                      sc_box_level_name(sc_box_level_of(box)), "sha256", sc_suite_sha256(suite),
                      "failures", failures);
        code = sc_cli_put_json(cli, v, err);
    }
    for (size_t i = 0; i < used; i++)
        sc_verdict_drop(&item[i].verdict);
    sc_free(item);
    return code;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const char *name[64];
    const unsigned n = list_suites(cli, name, SC_LEN(name));
    SC_AUTO(sc_box) *box = NULL;
    SC_TRY(sc_cli_open_box(cli, &box, err));
    sc_cli_warn_level(cli, box);
    const bool asked = sc_args_n(cli->args) > 0;
    for (unsigned i = 0; i < n; i++) {
        bool good = true;
        sc_err e = {0};
        const sc_code code = validate(cli, box, name[i], &good, &e);
        if (code == SC_E_NOTFOUND && !asked) {
            sc_ui_note(&cli->ui, "%s is left out: %s", name[i], e.msg);
            continue;
        }
        if (code != SC_OK) {
            *err = e;
            return code;
        }
        if (!good)
            cli->status = SC_EXIT_SANDBOX;
    }
    return SC_OK;
}

const sc_cmd sc_cmd_tasks_validate = {
    .name = "tasks validate",
    .args = "[SUITE...]",
    .summary = "run the reference solutions of suites in the sandbox",
    .about = "Runs the reference solution of every task against its tests and says which do not "
             "pass: then "
             "tests, data or sandbox are wrong, and no score of that suite means anything (exit "
             "code 6). "
             "Without a name: the built-in tasks and every published suite whose data is here.",
    .examples = "scbench tasks validate\nscbench tasks validate humaneval --data-dir ~/data\n",
    .options = "jobs level allow-unsafe-exec cgroup data-dir json",
    .max_args = 64,
    .run = run,
};
