// SPDX-License-Identifier: MIT
#include "cli/help.h"
#include "cli/topics.h"
#include "cli/version.h"

#include <string.h>

/* Text for roff: backslashes, hyphens and a dot or quote at the start of a line are escaped. */
static void add_roff(sc_buf *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            sc_buf_add_c(out, "\\&");
        if (*text == '\\')
            sc_buf_add_c(out, "\\e");
        else if (*text == '-')
            sc_buf_add_c(out, "\\-");
        else
            sc_buf_add_char(out, *text);
        start = *text == '\n';
    }
}

static void add_option(const sc_opt *o, void *arg)
{
    sc_buf *out = arg;
    if (strcmp(o->group, "General") == 0)
        return; // said once
    const bool off = o->kind == SC_OPT_FLAG && o->preset;
    sc_buf_add_c(out, ".TP\n");
    if (o->letter)
        sc_buf_addf(out, "\\fB\\-%c\\fR, ", o->letter);
    sc_buf_add_c(out, "\\fB");
    add_roff(out, off ? "--no-" : "--");
    add_roff(out, sc_opt_name(o));
    sc_buf_add_c(out, "\\fR");
    if (o->arg) {
        sc_buf_add_c(out, " \\fI");
        add_roff(out, o->arg);
        sc_buf_add_c(out, "\\fR");
    }
    sc_buf_add_c(out, "\n");
    if (off)
        sc_buf_add_c(out, "do not ");
    add_roff(out, o->help);
    if (o->kind == SC_OPT_CHOICE) {
        sc_buf_add_c(out, " (");
        add_roff(out, o->choices);
        sc_buf_add_c(out, ")");
    }
    if (o->preset && !off) {
        sc_buf_add_c(out, " [");
        add_roff(out, o->preset);
        sc_buf_add_c(out, "]");
    }
    sc_buf_add_c(out, ".\n");
}

static void add_general(const sc_opt *o, void *arg)
{
    if (strcmp(o->group, "General") != 0)
        return;
    sc_opt named = *o;
    named.group = "";
    add_option(&named, arg);
}

static void add_command(sc_buf *out, const sc_cmd *cmd)
{
    sc_buf_add_c(out, ".SS \"");
    add_roff(out, cmd->name);
    if (cmd->args) {
        sc_buf_add_char(out, ' ');
        add_roff(out, cmd->args);
    }
    sc_buf_add_c(out, "\"\n");
    add_roff(out, cmd->about ? cmd->about : cmd->summary);
    sc_buf_add_c(out, cmd->about ? "\n" : ".\n");
    if (cmd->examples) {
        sc_buf_add_c(out, ".PP\n.nf\n");
        add_roff(out, cmd->examples);
        sc_buf_add_c(out, ".fi\n");
    }
    sc_cmd_each_option(cmd, add_option, out);
}

void sc_help_man(sc_buf *out)
{
    sc_buf_addf(out, ".TH SCBENCH 1 \"\" \"scbench %s\" \"User Commands\"\n", SC_VERSION);
    sc_buf_add_c(
        out, ".SH NAME\nscbench \\- measure coding language models\n"
             ".SH SYNOPSIS\n.B scbench\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n"
             ".br\n.B scbench\n\\fB\\-\\-checkpoint\\fR \\fIPATH\\fR [\\fIOPTIONS\\fR]\n"
             ".SH DESCRIPTION\nscbench says, with evidence, which coding language model to use "
             "and whether a change made it better, faster or smaller. It loads a model, lets it "
             "complete coding tasks, scores what it wrote, measures speed and memory in the same "
             "run, and writes reports.\n"
             ".SH COMMANDS\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++)
        if (!(*c)->hidden)
            add_command(out, *c);
    sc_buf_add_c(out, ".SH GENERAL OPTIONS\n");
    sc_cmd_each_option(sc_cmds[0], add_general, out);
    for (const sc_topic *t = sc_topics; t->name; t++) {
        sc_buf_add_c(out, ".SH \"");
        for (const char *p = t->summary; *p; p++)
            sc_buf_add_char(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
        sc_buf_add_c(out, "\"\n.nf\n");
        const char *body = strchr(t->text, '\n'); // the first line is the heading
        add_roff(out, body ? body + 2 : t->text);
        sc_buf_add_c(out, ".fi\n");
    }
}
