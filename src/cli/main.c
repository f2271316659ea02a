/* The program: finds the command, parses, runs, and turns an error into one line and an exit code.
 */
// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/help.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int exit_code_of(sc_code code, const sc_signals *signals)
{
    if (code == SC_E_INTERRUPTED && atomic_load(&signals->stop))
        return SC_EXIT_SIGNAL + atomic_load(&signals->number);
    if (code == SC_E_USAGE)
        return SC_EXIT_USAGE;
    if (code == SC_E_SANDBOX)
        return SC_EXIT_SANDBOX;
    return code == SC_OK ? SC_EXIT_OK : SC_EXIT_FAILED;
}

/* The one place where an error becomes output. */
static int report_error(sc_cli *cli, const sc_err *err)
{
    if (err->code != SC_E_INTERRUPTED)
        sc_ui_error(&cli->ui, err->msg);
    else if (err->msg[0])
        sc_ui_note(&cli->ui, "%s", err->msg);
    if (cli->ui.verbose > 1 && err->where)
        sc_ui_note(&cli->ui, "raised in %s, %s", err->where, sc_code_name(err->code));
    return exit_code_of(err->code, cli->signals);
}

/* Says which command was probably meant. */
static sc_code fail_unknown(const char *word, sc_err *err)
{
    const char *names[128] = {NULL};
    size_t n = 0;
    for (const sc_cmd *const *c = sc_cmds; *c && n < SC_LEN(names) - 1; c++)
        names[n++] = (*c)->name;
    const char *near = sc_args_suggest(word, names);
    if (near)
        return sc_fail(err, SC_E_USAGE, "unknown command '%s'; did you mean '%s'?", word, near);
    return sc_fail(err, SC_E_USAGE, "unknown command '%s'; see 'scbench help'", word);
}

/* A group was named without a command of it, or with one that does not exist. */
static sc_code fail_group(const char *group, const char *word, sc_err *err)
{
    const size_t n = strlen(group);
    const char *names[64] = {NULL};
    size_t count = 0;
    SC_AUTO(sc_buf) list = sc_buf_init(512);
    for (const sc_cmd *const *c = sc_cmds; *c && count < SC_LEN(names) - 1; c++) {
        if (strncmp((*c)->name, group, n) != 0 || (*c)->name[n] != ' ')
            continue;
        sc_buf_addf(&list, "%s%s", count ? ", " : "", (*c)->name + n + 1);
        names[count++] = (*c)->name + n + 1;
    }
    const char *near = word ? sc_args_suggest(word, names) : NULL;
    if (near)
        return sc_fail(err, SC_E_USAGE, "unknown command '%s %s'; did you mean '%s %s'?", group,
                       word, group, near);
    return sc_fail(err, SC_E_USAGE, "'scbench %s' needs one of: %s", group, sc_buf_text(&list));
}

/* Finds the command; *used is how many words it took. */
static sc_code find_command(sc_cli *cli, int *used, sc_err *err)
{
    const char *first = cli->argv[1];
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        cli->cmd = sc_cmd_find("version");
        *used = 1;
        return SC_OK;
    }
    if (first[0] == '-') { // the original's command line
        cli->seed = true;
        cli->cmd = sc_cmd_find("run");
        *used = 0;
        return cli->cmd ? SC_OK : fail_unknown(first, err);
    }
    if (sc_cmd_is_group(first)) {
        const char *second = cli->argc > 2 ? cli->argv[2] : NULL;
        char name[64];
        if (second && second[0] != '-') {
            (void)snprintf(name, sizeof name, "%s %s", first, second); // cut: then it is not found
            cli->cmd = sc_cmd_find(name);
        }
        *used = 2;
        if (cli->cmd)
            return SC_OK;
        return fail_group(first, second && second[0] != '-' ? second : NULL, err);
    }
    cli->cmd = sc_cmd_find(first);
    *used = 1;
    return cli->cmd ? SC_OK : fail_unknown(first, err);
}

static void init_ui(sc_cli *cli)
{
    const bool has_progress = sc_cmd_takes(cli->cmd, "progress");
    const sc_ui_opts opts = {
        .color = sc_args_text(cli->args, "color"),
        .progress = has_progress ? sc_args_text(cli->args, "progress") : NULL,
        .ascii = sc_args_flag(cli->args, "ascii"),
        .quiet = sc_args_flag(cli->args, "quiet"),
        .verbose = sc_args_count(cli->args, "verbose"),
    };
    sc_ui_init(&cli->ui, &opts);
}

/* With --json whatever else writes to standard output, a child program even, lands on stderr. */
static sc_code guard_stdout(sc_cli *cli, sc_err *err)
{
    cli->out = stdout;
    if (!sc_cli_json(cli))
        return SC_OK;
    const int fd = dup(STDOUT_FILENO);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "standard output");
    cli->out = out;
    return SC_OK;
}

static sc_code print(FILE *to, const sc_buf *text, sc_err *err)
{
    if (!sc_buf_ok(text))
        return sc_fail_nomem(err);
    (void)fputs(sc_buf_text(text), to); // finish() asks ferror
    return SC_OK;
}

/* `scbench`, `scbench --help`, `scbench models --help`: no command runs. */
static bool wants_overview(int argc, char **argv, sc_buf *text)
{
    if (argc < 2) {
        sc_help_start(text);
        return true;
    }
    const char *last = argv[argc - 1];
    if (strcmp(last, "--help") != 0 && strcmp(last, "-h") != 0)
        return false;
    if (argc == 2)
        sc_help_all(text);
    else if (argc == 3 && sc_cmd_is_group(argv[1]))
        sc_help_group(argv[1], text);
    return text->n > 0;
}

static sc_code run_command(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    if (wants_overview(cli->argc, cli->argv, &text))
        return print(stdout, &text, err);

    int used = 0;
    SC_TRY(find_command(cli, &used, err));
    SC_AUTO(sc_settings) *settings = NULL;
    if (!cli->cmd->no_settings)
        SC_TRY(sc_settings_read(sc_getenv_process, NULL, &settings, err));
    SC_AUTO(sc_args) *args = NULL;
    SC_TRY(sc_args_parse(cli->cmd, cli->argc - 1 - used, cli->argv + 1 + used, sc_getenv_process,
                         NULL, settings, &args, err));
    cli->args = args;
    init_ui(cli);
    if (sc_args_flag(args, "help")) {
        // -h is recorded as "on", --help as "yes"
        sc_help_command(cli->cmd, strcmp(sc_args_text(args, "help"), "on") != 0, &text);
        return print(stdout, &text, err);
    }
    SC_TRY(guard_stdout(cli, err));
    const sc_code code = cli->cmd->run(cli, err);
    sc_ui_progress_end(&cli->ui);
    return code;
}

/* Results that did not arrive are a failure. */
static sc_code finish(FILE *out, sc_err *err)
{
    if (!ferror(out) && fflush(out) == 0)
        return SC_OK;
    if (errno == EPIPE)
        return sc_fail(err, SC_E_INTERRUPTED, "%s", ""); // the reader had enough
    return sc_fail_sys(err, SC_E_IO, errno, "standard output");
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); // numbers keep their dot
    sc_json_setup();
    sc_cli cli = {.argc = argc, .argv = argv, .out = stdout, .signals = sc_signals_watch()};
    sc_ui_init(&cli.ui, &(sc_ui_opts){0});
    sc_err err = {0};
    sc_code code = run_command(&cli, &err);
    if (code == SC_OK)
        code = finish(cli.out, &err);
    if (code != SC_OK)
        return report_error(&cli, &err);
    return cli.status;
}
