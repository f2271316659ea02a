// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/find.h"
#include "cli/run_config.h"
#include "cli/run_exec.h"
#include "cli/run_screen.h"
#include "cli/version.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TEXT = 256 << 20, N_FILES = 4 };

/* The paths of the reports, for the last lines. */
typedef struct files {
    char *path[N_FILES]; // owned
    size_t n;
} files;

static void files_drop(files *f)
{
    for (size_t i = 0; i < f->n; i++)
        sc_free(f->path[i]);
    f->n = 0;
}
SC_AUTO_DEFINE_VALUE(files, files_drop);

static sc_code write_file(files *f, const char *dir, const char *name, const sc_buf *text,
                          sc_err *err)
{
    if (!sc_buf_ok(text))
        return sc_fail_nomem(err);
    char *path = sc_path_join(dir, name);
    if (!path)
        return sc_fail_nomem(err);
    f->path[f->n++] = path;
    return sc_file_write(path, sc_buf_str(text), err);
}

/* A stamp that no results file in `dir` has yet: two runs may end in the same second. */
static void choose_stamp(const char *dir, time_t now, char stamp[24], char shown[24])
{
    for (unsigned i = 0; i < 60; i++, now++) {
        struct tm t = {0};
        (void)localtime_r(&now, &t); // zeros for a time it cannot say
        (void)strftime(stamp, 24, "%Y%m%d_%H%M%S", &t);
        (void)strftime(shown, 24, "%Y-%m-%d %H:%M:%S", &t);
        char name[64];
        (void)snprintf(name, sizeof name, "benchmark_results_%s.json", stamp); // 64 is enough
        char *path = sc_path_join(dir, name);
        const bool taken = path && sc_file_is_file(path);
        sc_free(path);
        if (!taken)
            return;
    }
}

static sc_code write_reports(const sc_report *r, const sc_eval_result *result, const char *out_dir,
                             files *f, sc_err *err)
{
    char stamp[24], shown[24], name[64];
    choose_stamp(out_dir, time(NULL), stamp, shown);
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_TEXT);
    sc_report_seed_json(r, &text);
    (void)snprintf(name, sizeof name, "benchmark_results_%s.json", stamp); // 64 is enough
    SC_TRY(write_file(f, out_dir, name, &text, err));
    sc_buf_clear(&text);
    sc_report_seed_markdown(r, shown, &text);
    (void)snprintf(name, sizeof name, "benchmark_comparison_%s.md", stamp); // as above
    SC_TRY(write_file(f, out_dir, name, &text, err));
    sc_buf_clear(&text);
    sc_report_run_json(r, &text);
    SC_TRY(write_file(f, result->folder.dir, "run.json", &text, err));
    sc_buf_clear(&text);
    sc_report_markdown(r, &text);
    return write_file(f, result->folder.dir, "report.md", &text, err);
}

/* The exact words of the command line. */
static json_t *command_of(const sc_cli *cli)
{
    json_t *list = json_array();
    for (int i = 0; list && i < cli->argc; i++)
        (void)json_array_append_new(list, sc_json_text(sc_str_c(cli->argv[i]))); // a record only
    return list;
}

static json_t *labels_of(const sc_args *a)
{
    json_t *tags = json_array();
    for (unsigned i = 0; i < sc_args_count(a, "tag"); i++)
        (void)json_array_append_new(tags, sc_json_text(sc_str_c(sc_args_nth(a, "tag", i))));
    const char *note = sc_args_text(a, "note");
    return json_pack("{s:o, s:o}", "note", note ? sc_json_text(sc_str_c(note)) : json_null(),
                     "tags", tags);
}

/* --max-errors: a count, or a share of a model's samples. */
typedef struct allowance {
    double most;
    bool percent, given;
} allowance;

static sc_code read_allowance(const sc_args *a, allowance *out, sc_err *err)
{
    const char *text = sc_args_text(a, "max-errors");
    if (!text)
        return SC_OK;
    char *end = NULL;
    const double most = strtod(text, &end);
    const bool percent = strcmp(end, "%") == 0;
    if (end == text || (*end && !percent) || !(most >= 0))
        return sc_fail(err, SC_E_USAGE, "--max-errors: '%s' is neither a count nor a percentage",
                       text);
    *out = (allowance){most, percent, true};
    return SC_OK;
}

static bool too_many_errors(const sc_report *r, const allowance *a)
{
    for (size_t i = 0; a->given && i < r->n_models; i++) {
        const sc_summary *s = &r->model[i].sum;
        const double allowed = a->percent ? a->most / 100 * (double)s->n : a->most;
        if ((double)(s->n - s->n_ok) > allowed)
            return true;
    }
    return false;
}

/* Reads what a run that is to be continued was asked for. */
static sc_code read_config(const char *dir, json_t **out, sc_err *err)
{
    SC_AUTO_JSON *run = NULL;
    SC_TRY(sc_run_read(dir, &run, err));
    json_t *config = json_object_get(run, "config");
    if (!json_is_object(config))
        return sc_fail(err, SC_E_FORMAT, "%s/run.json: no \"config\"", dir);
    *out = json_incref(config);
    return SC_OK;
}

static sc_code finish(sc_cli *cli, sc_run_screen *screen, const sc_eval_opts *o,
                      const sc_eval_result *result, const allowance *allowed, sc_err *err)
{
    if (!result->folder.dir) { // no model could be loaded: each was reported
        if (result->interrupted)
            return sc_fail(err, SC_E_INTERRUPTED, "interrupted before anything was done");
        cli->status = result->n_failed ? SC_EXIT_FAILED : SC_EXIT_OK;
        return SC_OK;
    }
    SC_AUTO(sc_report) report = {0};
    SC_TRY(sc_report_make(result->run, &result->samples, &report, err));
    SC_AUTO(files) written = {0};
    SC_TRY(write_reports(&report, result, o->out_dir, &written, err));
    SC_TRY(sc_run_screen_finish(screen, &report, result, (const char *const *)written.path,
                                written.n, err));
    if (result->interrupted)
        return sc_fail(err, SC_E_INTERRUPTED, "interrupted; to go on: scbench run --resume %s",
                       result->folder.dir);
    if (result->n_failed)
        cli->status = SC_EXIT_FAILED;
    else if (too_many_errors(&report, allowed))
        cli->status = SC_EXIT_INCOMPLETE;
    return SC_OK;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    json_t *doc = NULL;
    allowance allowed = {0};
    SC_TRY(read_allowance(cli->args, &allowed, err));
    const char *resume = sc_args_text(cli->args, "resume");
    if (resume)
        SC_TRY(read_config(resume, &doc, err));
    else
        SC_TRY(sc_run_config_doc(cli, &doc, err));
    SC_AUTO(sc_run_config) c = {0};
    SC_TRY(sc_run_config_take(doc, &c, err));
    if (!c.opts.out_dir)
        return sc_fail(err, SC_E_FORMAT, "config: \"output_dir\" is missing");
    if (c.opts.n_models == 0) {
        if (!cli->seed)
            return sc_fail(err, SC_E_USAGE, "no model: give one with --model or --checkpoint");
        (void)fputs("No models were benchmarked. Please provide --checkpoint or use --compare.\n",
                    sc_cli_json(cli) ? stderr : cli->out); // main asks ferror once
        return SC_OK;
    }
    SC_AUTO_JSON *program = sc_version_json();
    SC_AUTO_JSON *command = command_of(cli);
    SC_AUTO_JSON *labels = labels_of(cli->args);
    c.opts.program = program;
    c.opts.command = command;
    c.opts.labels = labels;
    c.opts.resume = resume;
    c.opts.stop = &cli->signals->stop;
    c.opts.engine.model.stop = &cli->signals->stop;
    const sc_hub_pull_opts how = sc_cli_pull_opts(cli);
    c.opts.engine.how = &how;
    c.opts.engine.pull = sc_cli_pull_when(cli);

    sc_run_screen screen = {.cli = cli};
    const sc_eval_events shown = sc_run_screen_events(&screen);
    SC_AUTO(sc_run_exec) exec = {0};
    SC_TRY(sc_run_exec_open(&exec, cli, &c.opts.tasks, c.opts.protocol, err));
    const sc_eval_events events = sc_run_exec_events(&exec, &shown);
    SC_AUTO(sc_eval_result) result = {0};
    const sc_code code = sc_eval_run(&c.opts, &events, &result, err);
    if (code == SC_E_NOTFOUND && strncmp(err->msg, "no task matches", 15) == 0) {
        sc_ui_error(&cli->ui, err->msg);
        cli->status = SC_EXIT_NOTHING;
        return SC_OK;
    }
    SC_TRY(code);
    SC_TRY(sc_run_exec_finish(&exec, &result, err));
    return finish(cli, &screen, &c.opts, &result, &allowed, err);
}

const sc_cmd sc_cmd_run = {
    .name = "run",
    .summary = "complete the tasks, score, measure, write reports",
    .about =
        "Loads each model, lets it complete every task, scores the completions, measures speed and "
        "memory, and writes the reports into the output folder.\n"
        "\n"
        "Every finished sample is written at once: an interrupted run is continued with --resume. "
        "A model that cannot be loaded is reported and the others go on.\n"
        "\n"
        "Without a command, `scbench --checkpoint PATH ...` takes the options of the original "
        "benchmark: 8 core tasks (11 with --include-challenges), one after the other, device cuda "
        "with a fall-back to the CPU. `scbench run` takes all 11 and decodes several together.\n",
    .examples = "scbench --checkpoint models/nano/nano.pt --include-challenges --device cpu\n"
                "scbench run -m models/nano/nano.pt -n 8 --seed 7\n"
                "scbench run -m a.pt -m b.gguf --tasks mine.jsonl -o results\n"
                "scbench run -m org/name --tasks humaneval --protocol evalplus -o results\n"
                "scbench run --resume benchmark_results/2026-01-14T09-12-31-7f3a\n",
    .options =
        "model name tokenizer device threads cpu compute ctx kv-type pull tasks data-dir limit ids "
        "protocol prompt-mode system samples max-tokens temperature top-k top-p min-p "
        "repeat-penalty greedy seed stop batch "
        "memory warmup output-dir resume note tag max-errors json progress checkpoint compare "
        "comparison-models include-challenges skip-memory-test exec " SC_CLI_BOX_OPTIONS,
    .run = run,
};
