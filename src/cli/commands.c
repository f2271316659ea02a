// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include <string.h>

// One line a command, so that two changes do not meet.
// clang-format off
extern const sc_cmd
    sc_cmd_completion,
    sc_cmd_config_check,
    sc_cmd_config_init,
    sc_cmd_config_print,
    sc_cmd_doctor,
    sc_cmd_generate,
    sc_cmd_help,
    sc_cmd_man,
    sc_cmd_models_convert,
    sc_cmd_models_info,
    sc_cmd_models_logits,
    sc_cmd_models_ls,
    sc_cmd_models_pull,
    sc_cmd_models_verify,
    sc_cmd_run,
    sc_cmd_score,
    sc_cmd_sandbox_check,
    sc_cmd_sandbox_run,
    sc_cmd_speed,
    sc_cmd_tasks_ls,
    sc_cmd_tasks_show,
    sc_cmd_tasks_explain,
    sc_cmd_tasks_validate,
    sc_cmd_data_pull,
    sc_cmd_data_verify,
    sc_cmd_tok_decode,
    sc_cmd_tok_encode,
    sc_cmd_tour,
    sc_cmd_version;

// In the order of the help.
const sc_cmd *const sc_cmds[] = {
    &sc_cmd_run,
    &sc_cmd_generate,
    &sc_cmd_score,
    &sc_cmd_tasks_ls,
    &sc_cmd_tasks_show,
    &sc_cmd_tasks_explain,
    &sc_cmd_tasks_validate,
    &sc_cmd_data_pull,
    &sc_cmd_data_verify,
    &sc_cmd_speed,
    &sc_cmd_doctor,
    &sc_cmd_tour,
    &sc_cmd_models_ls,
    &sc_cmd_models_info,
    &sc_cmd_models_convert,
    &sc_cmd_models_logits,
    &sc_cmd_models_pull,
    &sc_cmd_models_verify,
    &sc_cmd_tok_encode,
    &sc_cmd_tok_decode,
    &sc_cmd_sandbox_check,
    &sc_cmd_sandbox_run,
    &sc_cmd_config_check,
    &sc_cmd_config_print,
    &sc_cmd_config_init,
    &sc_cmd_help,
    &sc_cmd_version,
    &sc_cmd_completion,
    &sc_cmd_man,
    NULL,
};
// clang-format on

/* What every command takes. */
static const char general[] = "color ascii quiet verbose help";

/* Whether `key` is one of the words of `list`. */
static bool lists(const char *list, const char *key)
{
    const size_t n = strlen(key);
    for (const char *p = list; p && (p = strstr(p, key)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

const sc_cmd *sc_cmd_find(const char *name)
{
    for (const sc_cmd *const *c = sc_cmds; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

bool sc_cmd_is_group(const char *word)
{
    const size_t n = strlen(word);
    for (const sc_cmd *const *c = sc_cmds; *c; c++)
        if (strncmp((*c)->name, word, n) == 0 && (*c)->name[n] == ' ')
            return true;
    return false;
}

bool sc_cmd_takes(const sc_cmd *cmd, const char *key)
{
    return lists(general, key) || lists(cmd->options, key);
}

void sc_cmd_each_option(const sc_cmd *cmd, void (*fn)(const sc_opt *o, void *arg), void *arg)
{
    size_t n = 0;
    const sc_opt *row = sc_opts(&n);
    for (size_t i = 0; i < n; i++)
        if (sc_cmd_takes(cmd, row[i].key))
            fn(&row[i], arg);
}

bool sc_cli_json(const sc_cli *cli)
{
    return sc_cmd_takes(cli->cmd, "json") && sc_args_flag(cli->args, "json");
}

sc_code sc_cli_put_json(sc_cli *cli, const json_t *v, sc_err *err)
{
    SC_AUTO(sc_buf) line = sc_buf_init(256u << 20);
    sc_json_format(v, 0, &line);
    sc_buf_add_char(&line, '\n');
    if (!v || !sc_buf_ok(&line))
        return sc_fail_nomem(err);
    // A reader of the stream sees whole lines as they come.
    if (fwrite(line.p, 1, line.n, cli->out) != line.n || fflush(cli->out) != 0)
        return sc_fail(err, SC_E_IO, "standard output cannot be written");
    return SC_OK;
}
