// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/help.h"

#include <string.h>

enum { MAX_TEXT = 1 << 20 };

/* The words of the command line with one space between: "models info". */
static void join_words(const sc_args *args, sc_buf *out)
{
    for (unsigned i = 0; i < sc_args_n(args); i++) {
        if (i)
            sc_buf_add_char(out, ' ');
        sc_buf_add_c(out, sc_args_at(args, i));
    }
}

/* Says which command or topic was probably meant. */
static sc_code fail_unknown(const char *word, sc_err *err)
{
    const char *names[128] = {NULL};
    size_t n = 0;
    for (const sc_cmd *const *c = sc_cmds; *c && n < 64; c++)
        names[n++] = (*c)->name;
    for (const char *const *t = sc_help_topics(); *t && n < 127; t++)
        names[n++] = *t;
    const char *near = sc_args_suggest(word, names);
    if (near)
        return sc_fail(err, SC_E_USAGE, "no help for '%s'; did you mean '%s'?", word, near);
    return sc_fail(err, SC_E_USAGE, "no help for '%s'; see 'scbench help'", word);
}

static void markdown(sc_buf *out)
{
    sc_buf_add_c(out, "# Commands and options\n\nMade by `scbench help --reference`.\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        if ((*c)->hidden)
            continue;
        sc_buf_addf(out, "\n## scbench %s\n\n```\n", (*c)->name);
        sc_help_command(*c, true, out);
        sc_buf_add_c(out, "```\n");
    }
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_TEXT);
    SC_AUTO(sc_buf) name = sc_buf_init(256);
    join_words(cli->args, &name);
    const char *word = sc_buf_text(&name);
    const sc_cmd *cmd = sc_cmd_find(word);
    if (sc_args_flag(cli->args, "reference"))
        markdown(&text);
    else if (!*word)
        sc_help_all(&text);
    else if (cmd)
        sc_help_command(cmd, true, &text);
    else if (sc_cmd_is_group(word))
        sc_help_group(word, &text);
    else if (!sc_help_topic(word, &text))
        return fail_unknown(word, err);
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fputs(text.p, cli->out); // main asks ferror once
    return SC_OK;
}

const sc_cmd sc_cmd_help = {
    .name = "help",
    .args = "[COMMAND|TOPIC]",
    .summary = "all commands, one command, or a topic",
    .options = "reference",
    .max_args = 2,
    .no_settings = true,
    .run = run,
};
