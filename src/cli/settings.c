// SPDX-License-Identifier: MIT
#include "cli/settings.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20, MAX_ENTRIES = 1 << 16, MAX_FILES = 2, MAX_NAMES = 192 };

static const char here[] = "scbench.json";

/* One value. Those of one option stand together, in the file's order. */
typedef struct entry {
    const char *file; // borrowed from the files' names
    const char *cmd;  // static; NULL: for every command
    const sc_opt *opt;
    char *text; // owned
} entry;

struct sc_settings {
    entry *entry; // owned, [n], the near file first, its commands' objects before the rest
    size_t n, cap;
    char *file[MAX_FILES]; // owned
    size_t n_files;
};

const char *sc_getenv_process(const char *name, void *arg)
{
    (void)arg;
    return getenv(name);
}

void sc_settings_free(sc_settings *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        sc_free(s->entry[i].text);
    for (size_t i = 0; i < s->n_files; i++)
        sc_free(s->file[i]);
    sc_free(s->entry);
    sc_free(s);
}

/* Where a value is being read. */
typedef struct place {
    sc_settings *s;
    const char *cmd;
    sc_err *err;
} place;

static const char *file_of(const place *p)
{
    return p->s->file[p->s->n_files - 1];
}

static sc_code fail(const place *p, const char *key, const char *what)
{
    return sc_fail(p->err, SC_E_USAGE, "%s: %s%s%s: %s", file_of(p), p->cmd ? p->cmd : "",
                   p->cmd ? ": " : "", key, what);
}

/* Two rows may share a name: the one that the command takes, else the first. */
static const sc_opt *find_option(const char *name, const char *cmd)
{
    size_t n = 0;
    const sc_opt *row = sc_opts(&n), *first = NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(sc_opt_name(&row[i]), name) != 0)
            continue;
        if (!cmd || sc_cmd_takes(sc_cmd_find(cmd), row[i].key))
            return &row[i];
        first = first ? first : &row[i];
    }
    return first;
}

static sc_code fail_unknown(const place *p, const char *key)
{
    const char *names[MAX_NAMES] = {NULL};
    size_t n = 0, n_rows = 0;
    const sc_opt *row = sc_opts(&n_rows);
    for (size_t i = 0; i < n_rows && n + 1 < MAX_NAMES; i++)
        names[n++] = sc_opt_name(&row[i]);
    const char *near = sc_args_suggest(key, names);
    char what[128];
    (void)snprintf(what, sizeof what,
                   near ? "no such option; did you mean \"%s\"?" : "no such option", near);
    return fail(p, key, what);
}

static sc_code add(const place *p, const sc_opt *o, const json_t *v)
{
    sc_settings *s = p->s;
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_FILE);
    const bool flag = o->kind == SC_OPT_FLAG;
    const bool number = o->kind == SC_OPT_INT || o->kind == SC_OPT_NUM || o->kind == SC_OPT_COUNT;
    if (json_is_boolean(v) && flag)
        sc_buf_add_c(&text, json_is_true(v) ? "yes" : "no");
    else if (json_is_number(v) && number)
        sc_json_format(v, 0, &text);
    else if (json_is_string(v) && !flag && !number)
        sc_buf_add_str(&text, sc_json_str(v));
    else
        return fail(p, sc_opt_name(o),
                    flag     ? "must be true or false"
                    : number ? "must be a number"
                             : "must be a text");
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(p->err);
    if (strlen(sc_buf_text(&text)) != text.n)
        return fail(p, sc_opt_name(o), "holds a NUL");
    SC_TRY_IN(sc_args_check(o, sc_opt_name(o), sc_buf_text(&text), p->err), p->err, "%s",
              file_of(p));
    char *copy = sc_strdup(sc_buf_text(&text));
    if (!copy || !sc_grow(&s->entry, &s->cap, s->n, MAX_ENTRIES, sizeof *s->entry)) {
        sc_free(copy);
        return sc_fail_nomem(p->err);
    }
    s->entry[s->n++] = (entry){file_of(p), p->cmd, o, copy};
    return SC_OK;
}

static sc_code read_option(const place *p, const char *key, const json_t *v)
{
    const sc_opt *o = find_option(key, p->cmd);
    if (!o)
        return fail_unknown(p, key);
    if (strcmp(o->key, "help") == 0 || strcmp(o->key, "allow-unsafe-exec") == 0)
        return fail(p, key, "is for the command line alone");
    if (p->cmd && !sc_cmd_takes(sc_cmd_find(p->cmd), o->key))
        return fail(p, key, "the command does not take this option");
    if (json_is_null(v))
        return SC_OK;
    if (!json_is_array(v))
        return add(p, o, v);
    if (o->kind != SC_OPT_LIST && o->kind != SC_OPT_WORDS)
        return fail(p, key, "takes one value, not a list");
    for (size_t i = 0; i < json_array_size(v); i++)
        SC_TRY(add(p, o, json_array_get(v, i)));
    return SC_OK;
}

static sc_code read_object(place *p, const json_t *doc, bool commands)
{
    // Jansson's iteration takes no const.
    json_t *o = (json_t *)(uintptr_t)doc, *v = NULL;
    const char *key = NULL;
    json_object_foreach(o, key, v)
    {
        const sc_cmd *cmd = p->cmd ? NULL : sc_cmd_find(key);
        if ((cmd && json_is_object(v)) != commands)
            continue;
        if (!commands) {
            SC_TRY(read_option(p, key, v));
            continue;
        }
        p->cmd = cmd->name;
        SC_TRY(read_object(p, v, false));
        p->cmd = NULL;
    }
    return SC_OK;
}

/* Takes `path`. */
static sc_code read_file(sc_settings *s, char *path, sc_err *err)
{
    s->file[s->n_files++] = path;
    SC_AUTO_JSON *doc = NULL;
    sc_code code = sc_json_read(path, MAX_FILE, &doc, err);
    if (code == SC_E_FORMAT) // a slip in one's own settings is wrong usage
        err->code = code = SC_E_USAGE;
    SC_TRY(code);
    if (!json_is_object(doc))
        return sc_fail(err, SC_E_USAGE, "%s: not an object of options", path);
    place p = {s, NULL, err};
    SC_TRY(read_object(&p, doc, true));
    return read_object(&p, doc, false);
}

static sc_code new_settings(sc_settings **out, sc_err *err)
{
    *out = sc_new(sc_settings);
    return *out ? SC_OK : sc_fail_nomem(err);
}

sc_code sc_settings_read_file(const char *path, sc_settings **out, sc_err *err)
{
    SC_AUTO(sc_settings) *s = NULL;
    SC_TRY(new_settings(&s, err));
    char *copy = sc_strdup(path);
    if (!copy)
        return sc_fail_nomem(err);
    SC_TRY(read_file(s, copy, err));
    *out = sc_take(s);
    return SC_OK;
}

static sc_code read_if_there(sc_settings *s, char *path, sc_err *err)
{
    if (!path)
        return sc_fail_nomem(err);
    if (sc_file_is_file(path))
        return read_file(s, path, err);
    sc_free(path);
    return SC_OK;
}

static const char *set(const char *name, sc_getenv_fn *env, void *env_arg)
{
    const char *text = env ? env(name, env_arg) : NULL;
    return text && *text ? text : NULL;
}

sc_code sc_settings_read(sc_getenv_fn *env, void *env_arg, sc_settings **out, sc_err *err)
{
    const char *named = set("SCBENCH_CONFIG", env, env_arg);
    if (named && strcmp(named, "none") != 0)
        return sc_settings_read_file(named, out, err);
    SC_AUTO(sc_settings) *s = NULL;
    SC_TRY(new_settings(&s, err));
    if (!named) {
        const char *base = set("XDG_CONFIG_HOME", env, env_arg), *home = set("HOME", env, env_arg);
        SC_TRY(read_if_there(s, sc_strdup(here), err));
        if (base || home)
            SC_TRY(read_if_there(
                s,
                sc_path_join(base ? base : home,
                             base ? "scbench/config.json" : ".config/scbench/config.json"),
                err));
    }
    *out = sc_take(s);
    return SC_OK;
}

bool sc_settings_get(const sc_settings *s, const char *cmd, const sc_opt *o, size_t i,
                     const char **text, const char **file)
{
    const entry *first = NULL;
    for (size_t k = 0; s && k < s->n; k++) {
        const entry *e = &s->entry[k];
        if (strcmp(sc_opt_name(e->opt), sc_opt_name(o)) != 0 || (e->cmd && strcmp(e->cmd, cmd)))
            continue;
        first = first ? first : e;
        if (e->file != first->file || e->cmd != first->cmd)
            return false; // a place that has the option hides those behind it
        if (i-- == 0) {
            *text = e->text;
            *file = e->file;
            return true;
        }
    }
    return false;
}

size_t sc_settings_count(const sc_settings *s, size_t *n_files)
{
    *n_files = s->n_files;
    return s->n;
}

const char *sc_settings_file(const sc_settings *s, size_t i)
{
    return s->file[i];
}
