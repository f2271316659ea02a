// SPDX-License-Identifier: MIT
#include "cli/help.h"

#include <string.h>

/* One rule for every shell: words of the command so far choose the option list. */

typedef struct adder {
    sc_buf *out;
    const sc_cmd *cmd;
} adder;

static bool is_file(const sc_opt *o)
{
    return o->arg && !o->choices &&
           (strstr(o->arg, "PATH") || strstr(o->arg, "FILE") || strstr(o->arg, "DIR") ||
            strcmp(o->arg, "MODEL") == 0 || strcmp(o->arg, "SUITE") == 0 ||
            strcmp(o->arg, "RUN") == 0);
}

static void add_bash_option(const sc_opt *o, void *arg)
{
    adder *a = arg;
    const bool off = o->kind == SC_OPT_FLAG && o->preset;
    sc_buf_addf(a->out, " --%s%s", off ? "no-" : "", sc_opt_name(o));
}

static void add_words(sc_buf *out, const char *choices)
{
    for (; *choices; choices++)
        sc_buf_add_char(out, *choices == '|' ? ' ' : *choices);
}

static void bash(sc_buf *out)
{
    sc_buf_add_c(out, "# bash completion for scbench\n_scbench() {\n"
                      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                      "  local cmd=\"\" w words=\"\"\n"
                      "  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                      "    [[ $w == -* ]] && break\n    cmd=\"${cmd:+$cmd }$w\"\n  done\n"
                      "  case $prev in\n");
    size_t n = 0;
    const sc_opt *o = sc_opts(&n);
    for (size_t i = 0; i < n; i++) {
        if (!o[i].choices)
            continue;
        sc_buf_addf(out, "    --%s) words=\"", sc_opt_name(&o[i]));
        add_words(out, o[i].choices);
        sc_buf_add_c(out, "\" ;;\n");
    }
    for (size_t i = 0; i < n; i++)
        if (is_file(&o[i]))
            sc_buf_addf(out, "    --%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
                        sc_opt_name(&o[i]));
    sc_buf_add_c(out, "  esac\n  if [[ -z $words ]]; then\n    case $cmd in\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        if ((*c)->hidden)
            continue;
        sc_buf_addf(out, "      \"%s\"|\"%s \"*) words=\"", (*c)->name, (*c)->name);
        adder a = {out, *c};
        sc_cmd_each_option(*c, add_bash_option, &a);
        sc_buf_add_c(out, "\" ;;\n");
    }
    sc_buf_add_c(out, "    esac\n    case $cmd in\n      \"\") words+=\"");
    const char *last = "";
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        const size_t len = strcspn((*c)->name, " ");
        if (!(*c)->hidden && (strncmp(last, (*c)->name, len) != 0 || last[len] != ' '))
            sc_buf_addf(out, " %.*s", (int)len, (*c)->name);
        last = (*c)->name;
    }
    const sc_cmd *run = sc_cmd_find("run");
    adder a = {out, run};
    if (run)
        sc_cmd_each_option(run, add_bash_option, &a);
    sc_buf_add_c(out, "\" ;;\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        const char *space = strchr((*c)->name, ' ');
        if (space && !(*c)->hidden)
            sc_buf_addf(out, "      %.*s) words+=\" %s\" ;;&\n", (int)(space - (*c)->name),
                        (*c)->name, space + 1);
    }
    sc_buf_add_c(out, "    esac\n  fi\n"
                      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                      "  [[ ${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                      "}\ncomplete -o filenames -F _scbench scbench\n");
}

/* A text inside single quotes of zsh or fish; brackets and colons mean something to zsh. */
static void add_quoted(sc_buf *out, const char *text, bool zsh)
{
    for (; *text; text++) {
        if (*text == '\'')
            sc_buf_add_c(out, zsh ? "'\\''" : "\\'");
        else if (*text == '\\')
            sc_buf_add_c(out, "\\\\");
        else if (zsh && (*text == '[' || *text == ']' || *text == ':'))
            sc_buf_addf(out, "\\%c", *text);
        else
            sc_buf_add_char(out, *text);
    }
}

static void add_zsh_option(const sc_opt *o, void *arg)
{
    adder *a = arg;
    const bool off = o->kind == SC_OPT_FLAG && o->preset;
    sc_buf_addf(a->out, " \\\n        '*--%s%s[", off ? "no-" : "", sc_opt_name(o));
    add_quoted(a->out, o->help, true);
    sc_buf_add_char(a->out, ']');
    if (sc_opt_takes_value(o)) {
        sc_buf_add_char(a->out, ':');
        add_quoted(a->out, o->arg, true);
        sc_buf_add_char(a->out, ':');
        if (o->choices) {
            sc_buf_add_char(a->out, '(');
            add_words(a->out, o->choices);
            sc_buf_add_char(a->out, ')');
        } else if (is_file(o)) {
            sc_buf_add_c(a->out, "_files");
        }
    }
    sc_buf_add_char(a->out, '\'');
}

static void zsh(sc_buf *out)
{
    sc_buf_add_c(out, "#compdef scbench\n# zsh completion for scbench\n_scbench() {\n"
                      "  local cmd=\"\" w skip=1\n"
                      "  for w in ${words[2,CURRENT-1]}; do\n"
                      "    [[ $w == -* ]] && break\n    cmd=\"${cmd:+$cmd }$w\"\n  done\n"
                      "  if [[ -z $cmd && ${words[CURRENT]} != -* ]]; then\n"
                      "    local -a commands=(\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        if ((*c)->hidden)
            continue;
        const size_t len = strcspn((*c)->name, " ");
        sc_buf_addf(out, "      '%.*s:", (int)len, (*c)->name);
        add_quoted(out, (*c)->name[len] ? "a group of commands" : (*c)->summary, true);
        sc_buf_add_c(out, "'\n");
    }
    sc_buf_add_c(out, "    )\n    _describe command commands\n    return\n  fi\n"
                      "  case $cmd in\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        const char *space = strchr((*c)->name, ' ');
        if (space && !(*c)->hidden &&
            (c == sc_cmds ||
             strncmp(c[-1]->name, (*c)->name, (size_t)(space - (*c)->name) + 1) != 0)) {
            sc_buf_addf(out, "    %.*s) local -a sub=(", (int)(space - (*c)->name), (*c)->name);
            for (const sc_cmd *const *d = c;
                 *d && strncmp((*d)->name, (*c)->name, (size_t)(space - (*c)->name) + 1) == 0; d++)
                sc_buf_addf(out, " %s", strchr((*d)->name, ' ') + 1);
            sc_buf_add_c(out, " ); compadd -a sub ;;\n");
        }
    }
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        if ((*c)->hidden)
            continue;
        const bool fallback = strcmp((*c)->name, "run") == 0;
        sc_buf_addf(out, "    \"%s\"|\"%s \"*%s) _arguments", (*c)->name, (*c)->name,
                    fallback ? "|\"\"" : "");
        adder a = {out, *c};
        sc_cmd_each_option(*c, add_zsh_option, &a);
        sc_buf_add_c(out, " \\\n        '*::argument:_files' ;;\n");
    }
    sc_buf_add_c(out, "  esac\n}\n_scbench \"$@\"\n");
}

static void add_fish_option(const sc_opt *o, void *arg)
{
    adder *a = arg;
    const bool off = o->kind == SC_OPT_FLAG && o->preset;
    sc_buf_addf(a->out, "complete -c scbench -n '__scbench_is %s' -l %s%s", a->cmd->name,
                off ? "no-" : "", sc_opt_name(o));
    if (o->letter)
        sc_buf_addf(a->out, " -s %c", o->letter);
    if (o->choices && sc_opt_takes_value(o)) {
        sc_buf_add_c(a->out, " -x -a '");
        add_words(a->out, o->choices);
        sc_buf_add_char(a->out, '\'');
    } else if (sc_opt_takes_value(o)) {
        sc_buf_add_c(a->out, is_file(o) ? " -r -F" : " -x");
    }
    sc_buf_add_c(a->out, " -d '");
    add_quoted(a->out, o->help, false);
    sc_buf_add_c(a->out, "'\n");
}

static void fish(sc_buf *out)
{
    sc_buf_add_c(
        out,
        "# fish completion for scbench\nfunction __scbench_words\n"
        "  set -l w (commandline -opc)\n  set -e w[1]\n"
        "  for x in $w\n    string match -q -- '-*' $x; and break\n    echo $x\n  end\nend\n"
        "function __scbench_is\n  set -l w (__scbench_words)\n"
        "  test (count $w) -eq 0 -a \"$argv\" = run; and return 0\n"
        "  string match -q -- \"$argv\" \"$w\"; or string match -q -- \"$argv *\" \"$w\"\n"
        "end\n"
        "function __scbench_in\n  test (string join ' ' (__scbench_words)) = \"$argv\"\nend\n");
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        if ((*c)->hidden)
            continue;
        const size_t len = strcspn((*c)->name, " ");
        if ((*c)->name[len])
            sc_buf_addf(out,
                        "complete -c scbench -f -n 'test (count (__scbench_words)) -eq 0' -a %.*s\n"
                        "complete -c scbench -f -n '__scbench_in %.*s' -a %s -d '",
                        (int)len, (*c)->name, (int)len, (*c)->name, (*c)->name + len + 1);
        else
            sc_buf_addf(
                out, "complete -c scbench -f -n 'test (count (__scbench_words)) -eq 0' -a %s -d '",
                (*c)->name);
        add_quoted(out, (*c)->summary, false);
        sc_buf_add_c(out, "'\n");
        adder a = {out, *c};
        sc_cmd_each_option(*c, add_fish_option, &a);
    }
}

sc_code sc_help_completion(const char *shell, sc_buf *out, sc_err *err)
{
    if (strcmp(shell, "bash") == 0)
        bash(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(out);
    else if (strcmp(shell, "fish") == 0)
        fish(out);
    else
        return sc_fail(err, SC_E_USAGE, "completions exist for bash, zsh and fish, not for '%s'",
                       shell);
    return SC_OK;
}
