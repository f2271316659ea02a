/* config check|print|init: the files of settings. */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/settings.h"

#include <string.h>

static const char own_file[] = "scbench.json";

static sc_code read_settings(const char *path, sc_settings **out, sc_err *err)
{
    return path ? sc_settings_read_file(path, out, err)
                : sc_settings_read(sc_getenv_process, NULL, out, err);
}

static sc_code check(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_settings) *s = NULL;
    SC_TRY(read_settings(sc_args_at(cli->args, 0), &s, err));
    size_t n_files = 0;
    const size_t n = sc_settings_count(s, &n_files);
    for (size_t i = 0; i < n_files; i++)
        (void)fprintf(cli->out, "read %s\n", sc_settings_file(s, i)); // main asks ferror once
    if (n_files)
        (void)fprintf(cli->out, "%zu values, no defect\n", n);
    else
        (void)fputs("no file of settings; 'scbench config init' writes one\n", cli->out);
    return SC_OK;
}

typedef struct printer {
    sc_cli *cli;
    const sc_args *args;
    json_t *doc; // borrowed; NULL: print a line an option, with where it comes from
    bool bad;
} printer;

/* The value in force, the default included, with its JSON type. */
static json_t *value_of(const sc_args *args, const sc_opt *o)
{
    json_t *list = NULL;
    switch (o->kind) {
    case SC_OPT_FLAG:
        return json_boolean(sc_args_flag(args, o->key));
    case SC_OPT_COUNT:
        return json_integer((json_int_t)sc_args_count(args, o->key));
    case SC_OPT_INT:
        return json_integer(sc_args_int(args, o->key));
    case SC_OPT_NUM:
        return json_real(sc_args_num(args, o->key));
    case SC_OPT_TEXT:
    case SC_OPT_CHOICE:
        return sc_json_text(sc_str_c(sc_args_text(args, o->key)));
    case SC_OPT_LIST:
    case SC_OPT_WORDS:
        list = json_array();
        for (unsigned i = 0; list && i < sc_args_count(args, o->key); i++)
            if (json_array_append_new(list, sc_json_text(sc_str_c(sc_args_nth(args, o->key, i))))) {
                json_decref(list);
                return NULL;
            }
        if (list && json_array_size(list) == 0 && o->preset)
            (void)json_array_append_new(list, json_string(o->preset)); // missing, it shows
        break;
    }
    return list;
}

static void print_option(const sc_opt *o, void *arg)
{
    printer *p = arg;
    const bool given = sc_args_has(p->args, o->key);
    if (p->bad || (!given && (p->doc || !o->preset)) || strcmp(o->key, "help") == 0)
        return;
    SC_AUTO_JSON *v = value_of(p->args, o);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    if (v)
        sc_json_format(v, 0, &text);
    p->bad = !v || !sc_buf_ok(&text);
    if (p->bad)
        return;
    if (p->doc)
        p->bad = json_object_set(p->doc, sc_opt_name(o), v) != 0;
    else // main asks ferror once
        (void)fprintf(p->cli->out, "%-18s %-24s %s\n", sc_opt_name(o), sc_buf_text(&text),
                      sc_args_origin(p->args, o->key));
}

static sc_code print(sc_cli *cli, sc_err *err)
{
    const char *name = sc_args_at(cli->args, 0);
    const sc_cmd *of = sc_cmd_find(name ? name : "run");
    if (!of)
        return sc_fail(err, SC_E_USAGE, "'%s' is not a command; see 'scbench help'", name);
    sc_cmd bare = *of;
    bare.min_args = 0; // only its options are asked for
    SC_AUTO(sc_settings) *s = NULL;
    SC_AUTO(sc_args) *args = NULL;
    SC_TRY(read_settings(NULL, &s, err));
    SC_TRY(sc_args_parse(&bare, 0, NULL, sc_getenv_process, NULL, s, &args, err));
    const bool origin = sc_args_flag(cli->args, "origin");
    SC_AUTO_JSON *doc = origin ? NULL : json_object();
    printer p = {cli, args, doc, !origin && !doc};
    sc_cmd_each_option(of, print_option, &p);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    if (doc)
        sc_json_format(doc, 2, &text);
    if (p.bad || !sc_buf_ok(&text))
        return sc_fail_nomem(err);
    if (doc)
        (void)fprintf(cli->out, "%s\n", sc_buf_text(&text));
    return SC_OK;
}

static sc_code init(sc_cli *cli, sc_err *err)
{
    static const char text[] = "{\n"
                               "  \"output-dir\": \"benchmark_results\",\n"
                               "  \"run\": {\n"
                               "    \"samples\": 8,\n"
                               "    \"seed\": 1\n"
                               "  }\n"
                               "}\n";
    if (sc_file_is_file(own_file))
        return sc_fail(err, SC_E_USAGE, "%s is there already; 'scbench config check' reads it",
                       own_file);
    SC_TRY(sc_file_write(own_file, sc_str_c(text), err));
    (void)fprintf(cli->out,
                  "wrote %s; keys are the names of options, 'scbench help run' lists them\n",
                  own_file); // main asks ferror once
    return SC_OK;
}

const sc_cmd sc_cmd_config_check = {
    .name = "config check",
    .args = "[FILE]",
    .summary = "read the files of settings and say what is wrong with them",
    .about = "Defaults of your own stand in ./scbench.json and in ~/.config/scbench/config.json "
             "($XDG_CONFIG_HOME): one JSON object whose keys are names of options, for every "
             "command that takes them, or names of commands over objects of their own. The "
             "command line counts first, then SCBENCH_<OPTION> in the environment, then the file "
             "in this folder, then yours, then the built-in default. $SCBENCH_CONFIG names one "
             "file instead of both, or is \"none\".\n"
             "\n"
             "An unknown key is an error, and --allow-unsafe-exec is for the command line alone.\n",
    .examples = "scbench config check\nscbench config check ci/scbench.json\n",
    .max_args = 1,
    .no_settings = true,
    .run = check,
};

const sc_cmd sc_cmd_config_print = {
    .name = "config print",
    .args = "[COMMAND]",
    .summary = "the options in force, as a file of settings, or with their origin",
    .about = "For `run`, or the command that is named. Without --origin: what the files and the "
             "environment set, as an object that can be saved as scbench.json.\n",
    .examples = "scbench config print --origin\nscbench config print speed\n",
    .options = "origin",
    .max_args = 1,
    .no_settings = true,
    .run = print,
};

const sc_cmd sc_cmd_config_init = {
    .name = "config init",
    .summary = "write a first scbench.json into this folder",
    .no_settings = true,
    .run = init,
};
