// SPDX-License-Identifier: MIT
#include "cli/args.h"

#include "base/mem.h"
#include "cli/command.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 1 << 16, MAX_WORD = 64 };

/* One value that was given. */
typedef struct value {
    const sc_opt *opt;
    const char *text; // borrowed; for a flag "yes" or "no"
    const char *from; // static, or borrowed from the settings
} value;

static const char command_line[] = "command line", environment[] = "environment";

struct sc_args {
    const sc_cmd *cmd; // borrowed
    value *value;      // owned, [n_values]
    size_t n_values, cap_values;
    const char **word; // owned, [n_words]; the texts are borrowed
    size_t n_words, cap_words;
};

void sc_args_free(sc_args *a)
{
    if (!a)
        return;
    sc_free(a->value);
    sc_free(a->word);
    sc_free(a);
}

/* Damerau's distance (with transpositions of neighbours), at most MAX_WORD letters each. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[3][MAX_WORD + 1];
    const size_t n = strnlen(a, MAX_WORD), m = strnlen(b, MAX_WORD);
    for (unsigned j = 0; j <= m; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *above = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned d = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < d)
                d = up[j] + 1;
            if (now[j - 1] + 1 < d)
                d = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above[j - 2] + 1 < d)
                d = above[j - 2] + 1;
            now[j] = d;
        }
    }
    return row[n % 3][m];
}

const char *sc_args_suggest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    const size_t len = strlen(word);
    unsigned least = len < 4 ? 2 : len < 9 ? 3 : 4; // must be below this
    for (; *candidates; candidates++) {
        // A beginning is what people type when they forget the rest.
        const bool begins = len >= 3 && strncmp(word, *candidates, len) == 0;
        const unsigned d = begins ? 1 : distance(word, *candidates);
        if (d < least) {
            least = d;
            best = *candidates;
        }
    }
    return best;
}

static sc_code add_value(sc_args *a, const sc_opt *o, const char *text, const char *from,
                         sc_err *err)
{
    if (!sc_grow(&a->value, &a->cap_values, a->n_values, MAX_VALUES, sizeof *a->value))
        return sc_fail_nomem(err);
    a->value[a->n_values++] = (value){o, text, from};
    return SC_OK;
}

static sc_code add_word(sc_args *a, const char *word, sc_err *err)
{
    if (!sc_grow(&a->word, &a->cap_words, a->n_words, MAX_VALUES, sizeof *a->word))
        return sc_fail_nomem(err);
    a->word[a->n_words++] = word;
    return SC_OK;
}

static bool one_of(const char *text, const char *choices)
{
    const size_t n = strlen(text);
    for (const char *p = choices; p;) {
        const char *bar = strchr(p, '|');
        const size_t len = bar ? (size_t)(bar - p) : strlen(p);
        if (n == len && memcmp(p, text, n) == 0)
            return true;
        p = bar ? bar + 1 : NULL;
    }
    return false;
}

static bool read_int(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno == ERANGE)
        return false;
    *out = v;
    return true;
}

static bool read_num(const char *text, double *out)
{
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v))
        return false;
    *out = v;
    return true;
}

/* `from` is "--threads" or "SCBENCH_THREADS". */
sc_code sc_args_check(const sc_opt *o, const char *from, const char *text, sc_err *err)
{
    int64_t i = 0;
    double x = 0;
    switch (o->kind) {
    case SC_OPT_INT:
        if (!read_int(text, &i))
            return sc_fail(err, SC_E_USAGE, "%s: '%s' is not a whole number", from, text);
        if ((double)i < o->low || (double)i > o->high)
            return sc_fail(err, SC_E_USAGE, "%s: %s is outside %.0f to %.0f", from, text, o->low,
                           o->high);
        return SC_OK;
    case SC_OPT_NUM:
        if (!read_num(text, &x))
            return sc_fail(err, SC_E_USAGE, "%s: '%s' is not a number", from, text);
        if (x < o->low || x > o->high)
            return sc_fail(err, SC_E_USAGE, "%s: %s is outside %g to %g", from, text, o->low,
                           o->high);
        return SC_OK;
    case SC_OPT_CHOICE:
        if (!one_of(text, o->choices))
            return sc_fail(err, SC_E_USAGE, "%s: '%s' is none of %s", from, text, o->choices);
        return SC_OK;
    case SC_OPT_FLAG:
        if (!one_of(text, "yes|no|true|false|on|off|1|0"))
            return sc_fail(err, SC_E_USAGE, "%s: '%s' is neither yes nor no", from, text);
        return SC_OK;
    case SC_OPT_COUNT:
        if (!read_int(text, &i) || i < 0 || i > 9)
            return sc_fail(err, SC_E_USAGE, "%s: '%s' is not a number from 0 to 9", from, text);
        return SC_OK;
    case SC_OPT_TEXT:
    case SC_OPT_LIST:
    case SC_OPT_WORDS:
        if (!*text)
            return sc_fail(err, SC_E_USAGE, "%s: the value is empty", from);
        return SC_OK;
    }
    return SC_OK;
}

/* What find_option walks: the rows of the command. */
typedef struct finder {
    const char *name; // not terminated after n
    size_t n;
    char letter;
    const sc_opt *found;
} finder;

static void look_at(const sc_opt *o, void *arg)
{
    finder *f = arg;
    const char *name = sc_opt_name(o);
    if (f->letter ? o->letter == f->letter
                  : strlen(name) == f->n && memcmp(name, f->name, f->n) == 0)
        f->found = o;
}

static const sc_opt *find_option(const sc_cmd *cmd, const char *name, size_t n, char letter)
{
    finder f = {.name = name, .n = n, .letter = letter};
    sc_cmd_each_option(cmd, look_at, &f);
    return f.found;
}

typedef struct names {
    const char *list[96];
    size_t n;
} names;

static void collect_name(const sc_opt *o, void *arg)
{
    names *all = arg;
    if (all->n + 1 < SC_LEN(all->list))
        all->list[all->n++] = sc_opt_name(o);
}

/* Says which option was probably meant. */
static sc_code fail_unknown(const sc_cmd *cmd, const char *name, size_t n, sc_err *err)
{
    char word[MAX_WORD + 1];
    const size_t len = n < MAX_WORD ? n : MAX_WORD;
    memcpy(word, name, len);
    word[len] = '\0';
    size_t n_rows = 0;
    const sc_opt *rows = sc_opts(&n_rows);
    for (size_t i = 0; i < n_rows; i++)
        if (strcmp(sc_opt_name(&rows[i]), word) == 0)
            return sc_fail(err, SC_E_USAGE, "'scbench %s' does not take the option '--%s'",
                           cmd->name, word);
    names all = {0};
    sc_cmd_each_option(cmd, collect_name, &all);
    const char *near = sc_args_suggest(word, all.list);
    if (near)
        return sc_fail(err, SC_E_USAGE, "unknown option '--%s'; did you mean '--%s'?", word, near);
    return sc_fail(err, SC_E_USAGE, "unknown option '--%s'; see 'scbench %s --help'", word,
                   cmd->name);
}

typedef struct parser {
    sc_args *args;
    int argc;
    char **argv;
    int at; // the next word
    sc_err *err;
} parser;

/* The value of `o`: behind '=' (or stuck to the letter), else the next word. */
static sc_code take_value(parser *p, const sc_opt *o, const char *shown, const char *stuck)
{
    const char *text = stuck;
    if (!text) {
        const char *next = p->at < p->argc ? p->argv[p->at] : NULL;
        // Another option in its place means that the value was forgotten.
        if (!next || (next[0] == '-' && next[1] == '-' && next[2] &&
                      find_option(p->args->cmd, next + 2, strcspn(next + 2, "="), 0)))
            return sc_fail(p->err, SC_E_USAGE, "%s needs a value: %s", shown, o->arg);
        text = next;
        p->at++;
    }
    SC_TRY(sc_args_check(o, shown, text, p->err));
    SC_TRY(add_value(p->args, o, text, command_line, p->err));
    while (o->kind == SC_OPT_WORDS && p->at < p->argc && p->argv[p->at][0] != '-')
        SC_TRY(add_value(p->args, o, p->argv[p->at++], command_line, p->err));
    return SC_OK;
}

static sc_code parse_long(parser *p, const char *word)
{
    const char *name = word + 2;
    const size_t n = strcspn(name, "=");
    const char *stuck = name[n] == '=' ? name + n + 1 : NULL;
    const sc_opt *o = find_option(p->args->cmd, name, n, 0);
    if (!o && n > 3 && strncmp(name, "no-", 3) == 0) {
        o = find_option(p->args->cmd, name + 3, n - 3, 0);
        if (o && o->kind == SC_OPT_FLAG && !stuck)
            return add_value(p->args, o, "no", command_line, p->err);
        o = NULL;
    }
    if (!o)
        return fail_unknown(p->args->cmd, name, n, p->err);
    char shown[MAX_WORD + 3];
    (void)snprintf(shown, sizeof shown, "--%s", sc_opt_name(o));
    if (sc_opt_takes_value(o))
        return take_value(p, o, shown, stuck);
    if (!stuck)
        return add_value(p->args, o, o->kind == SC_OPT_COUNT ? "1" : "yes", command_line, p->err);
    SC_TRY(sc_args_check(o, shown, stuck, p->err));
    return add_value(p->args, o, stuck, command_line, p->err);
}

/* -n 3, -n3, -qv */
static sc_code parse_letters(parser *p, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const sc_opt *o = find_option(p->args->cmd, NULL, 0, *c);
        if (!o)
            return sc_fail(p->err, SC_E_USAGE, "unknown option '-%c'; see 'scbench %s --help'", *c,
                           p->args->cmd->name);
        if (sc_opt_takes_value(o)) {
            const char shown[3] = {'-', *c, '\0'};
            const char *stuck = c[1] ? c + 1 + (c[1] == '=') : NULL;
            return take_value(p, o, shown, stuck);
        }
        // The short form of help is a value of its own.
        const char *text = o->kind == SC_OPT_COUNT ? "1" : *c == 'h' ? "on" : "yes";
        SC_TRY(add_value(p->args, o, text, command_line, p->err));
    }
    return SC_OK;
}

typedef struct env_source {
    parser *p;
    sc_getenv_fn *get;
    void *arg;
    sc_code code;
} env_source;

static void take_env(const sc_opt *o, void *arg)
{
    env_source *e = arg;
    char name[MAX_WORD];
    sc_opt_env(o, name, sizeof name);
    if (e->code != SC_OK || strcmp(o->key, "help") == 0 || sc_args_has(e->p->args, o->key))
        return;
    const char *text = e->get(name, e->arg);
    if (!text || !*text)
        return;
    e->code = sc_args_check(o, name, text, e->p->err);
    if (e->code == SC_OK)
        e->code = add_value(e->p->args, o, text, environment, e->p->err);
}

typedef struct file_source {
    sc_args *args;
    const sc_settings *settings;
    sc_code code;
    sc_err *err;
} file_source;

static void take_settings(const sc_opt *o, void *arg)
{
    file_source *f = arg;
    const char *text = NULL, *file = NULL;
    if (sc_args_has(f->args, o->key))
        return;
    for (size_t i = 0;
         f->code == SC_OK && sc_settings_get(f->settings, f->args->cmd->name, o, i, &text, &file);
         i++) {
        // Rows that share a name differ in what they take; the file was checked against one.
        f->code = sc_args_check(o, file, text, f->err);
        if (f->code == SC_OK)
            f->code = add_value(f->args, o, text, file, f->err);
    }
}

sc_code sc_args_parse(const sc_cmd *cmd, int argc, char **argv, sc_getenv_fn *env, void *env_arg,
                      const sc_settings *settings, sc_args **out, sc_err *err)
{
    SC_AUTO(sc_args) *a = sc_new(sc_args);
    if (!a)
        return sc_fail_nomem(err);
    a->cmd = cmd;
    parser p = {.args = a, .argc = argc, .argv = argv, .err = err};
    bool only_words = false;
    while (p.at < argc) {
        const char *word = argv[p.at++];
        if (only_words || word[0] != '-' || !word[1])
            SC_TRY(add_word(a, word, err));
        else if (strcmp(word, "--") == 0)
            only_words = true;
        else if (word[1] == '-')
            SC_TRY(parse_long(&p, word));
        else
            SC_TRY(parse_letters(&p, word));
    }
    env_source e = {&p, env, env_arg, SC_OK};
    if (env)
        sc_cmd_each_option(cmd, take_env, &e);
    SC_TRY(e.code);
    file_source f = {a, settings, SC_OK, err};
    sc_cmd_each_option(cmd, take_settings, &f);
    SC_TRY(f.code);
    if (!sc_args_flag(a, "help")) {
        if (a->n_words > cmd->max_args)
            return sc_fail(err, SC_E_USAGE, "'%s' is one argument too many for 'scbench %s'",
                           a->word[cmd->max_args], cmd->name);
        if (a->n_words < cmd->min_args)
            return sc_fail(err, SC_E_USAGE, "'scbench %s' needs %s", cmd->name, cmd->args);
    }
    *out = sc_take(a);
    return SC_OK;
}

/* The last value of the option, or NULL. */
static const value *last_value(const sc_args *a, const char *key)
{
    assert(sc_cmd_takes(a->cmd, key)); // the command must list what it asks for
    for (size_t i = a->n_values; i-- > 0;)
        if (strcmp(a->value[i].opt->key, key) == 0)
            return &a->value[i];
    return NULL;
}

bool sc_args_has(const sc_args *a, const char *key)
{
    return last_value(a, key) != NULL;
}

const char *sc_args_origin(const sc_args *a, const char *key)
{
    const value *v = last_value(a, key);
    return v ? v->from : "default";
}

const char *sc_args_text(const sc_args *a, const char *key)
{
    const value *v = last_value(a, key);
    return v ? v->text : sc_opt_find(key)->preset;
}

bool sc_args_flag(const sc_args *a, const char *key)
{
    const char *text = sc_args_text(a, key);
    return text && one_of(text, "yes|true|on|1");
}

int64_t sc_args_int(const sc_args *a, const char *key)
{
    const char *text = sc_args_text(a, key);
    int64_t v = (int64_t)sc_opt_find(key)->low;
    if (text)
        (void)read_int(text, &v); // checked while parsing; the default by a test
    return v;
}

double sc_args_num(const sc_args *a, const char *key)
{
    const char *text = sc_args_text(a, key);
    double v = sc_opt_find(key)->low;
    if (text)
        (void)read_num(text, &v); // as above
    return v;
}

unsigned sc_args_count(const sc_args *a, const char *key)
{
    const bool sum = sc_opt_find(key)->kind == SC_OPT_COUNT;
    assert(sc_cmd_takes(a->cmd, key));
    unsigned n = 0;
    for (size_t i = 0; i < a->n_values; i++) {
        int64_t one = 1;
        if (strcmp(a->value[i].opt->key, key) != 0)
            continue;
        if (sum)
            (void)read_int(a->value[i].text, &one); // checked while parsing: 0 to 9
        n += (unsigned)one;
    }
    return n;
}

const char *sc_args_nth(const sc_args *a, const char *key, unsigned i)
{
    for (size_t v = 0; v < a->n_values; v++)
        if (strcmp(a->value[v].opt->key, key) == 0 && i-- == 0)
            return a->value[v].text;
    assert(!"an index below sc_args_count");
    return NULL;
}

unsigned sc_args_n(const sc_args *a)
{
    return (unsigned)a->n_words;
}

const char *sc_args_at(const sc_args *a, unsigned i)
{
    return i < a->n_words ? a->word[i] : NULL;
}
