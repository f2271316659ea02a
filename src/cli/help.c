// SPDX-License-Identifier: MIT
#include "cli/help.h"

#include "cli/topics.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, COLUMN = 28, INDENT = 2 };

/* Appends `text` word by word; lines after the first start in column `indent`. */
static void wrap(sc_buf *out, const char *text, unsigned at, unsigned indent)
{
    while (*text) {
        const size_t n = strcspn(text, " ");
        if (at > indent && at + 1 + n > WIDTH) {
            sc_buf_addf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            sc_buf_add_char(out, ' ');
            at++;
        }
        sc_buf_add(out, text, n);
        at += (unsigned)n;
        text += n;
        text += strspn(text, " ");
    }
    sc_buf_add_char(out, '\n');
}

void sc_help_start(sc_buf *out)
{
    sc_buf_add_c(out,
                 "scbench says which coding language model to use, and whether a change made it\n"
                 "better, faster or smaller.\n"
                 "\n"
                 "  scbench run -m MODEL      complete the tasks, score, measure, write reports\n"
                 "  scbench generate -m MODEL complete one prompt, or many in turn\n"
                 "  scbench tasks ls          the tasks that ship with scbench\n"
                 "  scbench doctor            check the installation and this machine\n"
                 "  scbench tour              five guided examples\n"
                 "\n"
                 "Example:\n"
                 "  scbench --checkpoint models/nano/nano.pt --include-challenges --device cpu\n"
                 "\n"
                 "All commands: scbench help. One command: scbench run --help.\n");
}

static void add_line(sc_buf *out, const sc_cmd *cmd)
{
    char left[64];
    (void)snprintf(left, sizeof left, "%s%s%s", cmd->name, cmd->args ? " " : "",
                   cmd->args ? cmd->args : ""); // cut at 63: a test holds that none is longer
    sc_buf_addf(out, "  %-*s ", COLUMN - 3, left);
    if (strlen(left) > COLUMN - 3)
        sc_buf_addf(out, "\n%*s", COLUMN, "");
    wrap(out, cmd->summary, COLUMN, COLUMN);
}

void sc_help_all(sc_buf *out)
{
    sc_buf_add_c(out, "Usage: scbench COMMAND [OPTIONS] [ARGUMENTS]\n"
                      "       scbench --checkpoint PATH [OPTIONS]   as the original benchmark\n\n"
                      "Commands:\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++)
        if (!(*c)->hidden)
            add_line(out, *c);
    sc_buf_add_c(out, "\nTopics, for 'scbench help TOPIC':\n ");
    for (const char *const *t = sc_help_topics(); *t; t++)
        sc_buf_addf(out, " %s", *t);
    sc_buf_add_c(out, "\n\n'scbench COMMAND -h' is short, 'scbench COMMAND --help' says all.\n");
}

void sc_help_group(const char *word, sc_buf *out)
{
    const size_t n = strlen(word);
    sc_buf_addf(out, "Usage: scbench %s COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", word);
    for (const sc_cmd *const *c = sc_cmds; *c; c++)
        if (strncmp((*c)->name, word, n) == 0 && (*c)->name[n] == ' ')
            add_line(out, *c);
}

typedef struct rows {
    sc_buf *out;
    const char *group; // of the last row
    bool full;
} rows;

static void add_option(const sc_opt *o, void *arg)
{
    rows *r = arg;
    if (!r->group || strcmp(r->group, o->group) != 0)
        sc_buf_addf(r->out, "\n%s:\n", o->group);
    r->group = o->group;

    char left[96];
    char letter[8] = "    ";
    if (o->letter)
        (void)snprintf(letter, sizeof letter, "-%c, ", o->letter); // four letters
    const bool off = o->kind == SC_OPT_FLAG && o->preset;
    (void)snprintf(left, sizeof left, "%s--%s%s%s%s", letter, off ? "no-" : "", sc_opt_name(o),
                   o->arg ? " " : "", o->arg ? o->arg : ""); // cut at 95: a test as above
    sc_buf_addf(r->out, "  %-*s ", COLUMN - 3, left);
    if (strlen(left) > COLUMN - 3)
        sc_buf_addf(r->out, "\n%*s", COLUMN, "");

    SC_AUTO(sc_buf) text = sc_buf_init(4096);
    sc_buf_addf(&text, "%s%s", off ? "do not " : "", o->help);
    if (o->kind == SC_OPT_CHOICE)
        sc_buf_addf(&text, " (%s)", o->choices);
    if (o->preset && !off)
        sc_buf_addf(&text, " [%s]", o->preset);
    if (r->full && strcmp(o->key, "help") != 0) {
        char env[64];
        sc_opt_env(o, env, sizeof env);
        sc_buf_addf(&text, " [$%s]", env);
    }
    wrap(r->out, sc_buf_text(&text), COLUMN, COLUMN);
}

static void add_text(sc_buf *out, const char *text)
{
    while (*text) {
        const size_t n = strcspn(text, "\n");
        char line[2048];
        (void)snprintf(line, sizeof line, "%.*s", (int)n, text); // paragraphs are ours and shorter
        if (line[0] == ' ')
            sc_buf_addf(out, "%s\n", line);
        else
            wrap(out, line, 0, 0);
        text += n + (text[n] == '\n');
    }
}

void sc_help_command(const sc_cmd *cmd, bool full, sc_buf *out)
{
    sc_buf_addf(out, "Usage: scbench %s [OPTIONS]%s%s\n\n", cmd->name, cmd->args ? " " : "",
                cmd->args ? cmd->args : "");
    if (full && cmd->examples) {
        sc_buf_add_c(out, "Examples:\n");
        for (const char *p = cmd->examples; *p;) {
            const size_t n = strcspn(p, "\n");
            sc_buf_addf(out, "  %.*s\n", (int)n, p);
            p += n + (p[n] == '\n');
        }
        sc_buf_add_char(out, '\n');
    }
    if (full && cmd->about) {
        add_text(out, cmd->about);
    } else {
        // The summary as a sentence.
        char first[2] = {cmd->summary[0], '\0'};
        if (first[0] >= 'a' && first[0] <= 'z')
            first[0] = (char)(first[0] - 'a' + 'A');
        sc_buf_addf(out, "%s%s.\n", first, cmd->summary + 1);
    }
    rows r = {out, NULL, full};
    sc_cmd_each_option(cmd, add_option, &r);
    if (!full)
        sc_buf_addf(out, "\nMore: scbench %s --help\n", cmd->name);
}

bool sc_help_topic(const char *name, sc_buf *out)
{
    for (const sc_topic *t = sc_topics; t->name; t++) {
        if (strcmp(t->name, name) == 0) {
            sc_buf_add_c(out, t->text);
            return true;
        }
    }
    return false;
}

const char *const *sc_help_topics(void)
{
    return sc_topic_names;
}
