// SPDX-License-Identifier: MIT
#include "cli/args.h"
#include "cli/command.h"
#include "cli/help.h"
#include "t.h"

static const sc_cmd cmd = {
    .name = "test",
    .args = "[FILE...]",
    .summary = "a test",
    .options = "model threads temperature greedy comparison-models memory output-dir device json",
    .max_args = 3,
};

typedef struct variable {
    const char *name, *text;
} variable;

static const char *get(const char *name, void *arg)
{
    const variable *v = arg;
    for (; v && v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v->text;
    return NULL;
}

/* Splits at spaces; the pieces live until the next call. */
static sc_code parse(const char *line, const variable *env, sc_args **out, sc_err *err)
{
    static char text[512];
    static char *word[32];
    int n = 0;
    (void)snprintf(text, sizeof text, "%s", line);
    char *next = NULL;
    for (char *w = strtok_r(text, " ", &next); w; w = strtok_r(NULL, " ", &next))
        word[n++] = w;
    return sc_args_parse(&cmd, n, word, get, (void *)(uintptr_t)env, NULL, out, err);
}

TEST(takes_values_in_every_form_and_options_after_arguments)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_args) *a = NULL;
    CHECK_OK(parse("file1 --threads=3 -m a -mb --model c file2 --temperature 1.5 -qvv -- --x", NULL,
                   &a, &err),
             &err);
    CHECK(sc_args_int(a, "threads") == 3 && sc_args_num(a, "temperature") == 1.5);
    CHECK(sc_args_count(a, "model") == 3 && strcmp(sc_args_nth(a, "model", 1), "b") == 0);
    CHECK(sc_args_n(a) == 3 && strcmp(sc_args_at(a, 2), "--x") == 0 && !sc_args_at(a, 3));
    CHECK(sc_args_flag(a, "quiet") && sc_args_count(a, "verbose") == 2);
    CHECK(strcmp(sc_args_text(a, "output-dir"), "benchmark_results") == 0);
    CHECK(!sc_args_has(a, "output-dir") && sc_args_has(a, "threads"));
}

TEST(a_flag_has_a_no_and_the_last_one_counts)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_args) *a = NULL;
    CHECK_OK(parse("--no-memory --greedy --no-greedy --greedy=yes", NULL, &a, &err), &err);
    CHECK(!sc_args_flag(a, "memory") && sc_args_flag(a, "greedy"));
}

TEST(a_list_of_words_ends_at_the_next_option)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_args) *a = NULL;
    CHECK_OK(parse("--comparison-models a b c --device cpu x", NULL, &a, &err), &err);
    CHECK(sc_args_count(a, "comparison-models") == 3 && sc_args_n(a) == 1);
}

TEST(the_environment_stands_behind_the_command_line)
{
    UNUSED;
    sc_err err = {0};
    const variable env[] = {{"SCBENCH_THREADS", "2"}, {"SCBENCH_OUTPUT_DIR", "o"}, {NULL, NULL}};
    SC_AUTO(sc_args) *a = NULL;
    CHECK_OK(parse("--threads 5", env, &a, &err), &err);
    CHECK(sc_args_int(a, "threads") == 5 && strcmp(sc_args_text(a, "output-dir"), "o") == 0);
    CHECK(strcmp(sc_args_origin(a, "output-dir"), "environment") == 0);
    const variable bad[] = {{"SCBENCH_THREADS", "many"}, {NULL, NULL}};
    SC_AUTO(sc_args) *b = NULL;
    CHECK_CODE(SC_E_USAGE, parse("", bad, &b, &err), &err);
    assert_string_equal(err.msg, "SCBENCH_THREADS: 'many' is not a whole number");
}

TEST(wrong_usage_says_what_was_meant)
{
    UNUSED;
    static const struct {
        const char *line, *say;
    } bad[] = {
        {"--modle x", "unknown option '--modle'; did you mean '--model'?"},
        {"--qqqqqqqqqq", "unknown option '--qqqqqqqqqq'; see 'scbench test --help'"},
        {"--top-k 3", "'scbench test' does not take the option '--top-k'"},
        {"--no-threads", "unknown option '--no-threads'; did you mean '--threads'?"},
        {"--threads", "--threads needs a value: N"},
        {"--threads --json", "--threads needs a value: N"},
        {"--threads x", "--threads: 'x' is not a whole number"},
        {"--threads 0", "--threads: 0 is outside 1 to 256"},
        {"--threads 99999999999999999999",
         "--threads: '99999999999999999999' is not a whole number"},
        {"--temperature nan", "--temperature: 'nan' is not a number"},
        {"--device tpu", "--device: 'tpu' is none of auto|cpu|cuda"},
        {"--greedy=maybe", "--greedy: 'maybe' is neither yes nor no"},
        {"--output-dir=", "--output-dir: the value is empty"},
        {"-x", "unknown option '-x'; see 'scbench test --help'"},
        {"a b c d", "'d' is one argument too many for 'scbench test'"},
    };
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        sc_err err = {0};
        SC_AUTO(sc_args) *a = NULL;
        CHECK_CODE(SC_E_USAGE, parse(bad[i].line, NULL, &a, &err), &err);
        assert_string_equal(err.msg, bad[i].say);
        CHECK(!a);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_args) *a = NULL;
        sc_alloc_fail_at(++nth);
        code = parse("a --threads 3", NULL, &a, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? a != NULL : code == SC_E_NOMEM && !a);
    }
    CHECK(nth > 1);
}

typedef struct seen {
    const sc_opt *opt[128];
    size_t n;
} seen;

static void see(const sc_opt *o, void *arg)
{
    seen *s = arg;
    s->opt[s->n++] = o;
}

static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
            return true;
    return false;
}

TEST(the_tables_are_sound)
{
    UNUSED;
    size_t n = 0;
    const sc_opt *rows = sc_opts(&n);
    for (size_t i = 0; i < n; i++) {
        CHECK(strlen(sc_opt_name(&rows[i])) + 9 < 64 && rows[i].help && rows[i].group);
        CHECK(rows[i].help[strlen(rows[i].help) - 1] != '.');
        CHECK(sc_opt_takes_value(&rows[i]) == (rows[i].arg != NULL));
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(rows[i].key, rows[k].key) != 0);
    }
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        seen s = {.n = 0};
        sc_cmd_each_option(*c, see, &s);
        for (size_t i = 0; i < s.n; i++)
            for (size_t k = 0; k < i; k++) {
                CHECK(strcmp(sc_opt_name(s.opt[i]), sc_opt_name(s.opt[k])) != 0);
                CHECK(!s.opt[i]->letter || s.opt[i]->letter != s.opt[k]->letter);
            }
        // Every key that a command lists is a row.
        size_t listed = 0, found = 0;
        for (const char *p = (*c)->options; p && *p; p += strcspn(p, " "), p += *p == ' ')
            listed++;
        for (size_t i = 0; i < n; i++)
            found += (*c)->options && has_word((*c)->options, rows[i].key);
        if (listed != found)
            print_error("%s: %zu keys, %zu rows\n", (*c)->name, listed, found);
        CHECK(listed == found);
        CHECK(sc_cmd_find((*c)->name) == *c && (*c)->summary && (*c)->run);
        CHECK(strlen((*c)->name) + ((*c)->args ? strlen((*c)->args) : 0) < 62);
    }
}

TEST(help_fits_eighty_columns)
{
    UNUSED;
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    sc_help_start(&text);
    size_t lines = 0;
    for (const char *p = text.p; *p; p++)
        lines += *p == '\n';
    CHECK(lines <= 15);
    sc_help_all(&text);
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        sc_help_command(*c, false, &text);
        sc_help_command(*c, true, &text);
    }
    CHECK(sc_buf_ok(&text));
    for (const char *p = text.p; *p;) {
        const size_t len = strcspn(p, "\n");
        if (len > 100) // an example may be longer than the text
            print_error("%.*s\n", (int)len, p);
        CHECK(len <= 100);
        p += len + (p[len] == '\n');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(takes_values_in_every_form_and_options_after_arguments),
        T(a_flag_has_a_no_and_the_last_one_counts),
        T(a_list_of_words_ends_at_the_next_option),
        T(the_environment_stands_behind_the_command_line),
        T(wrong_usage_says_what_was_meant),
        T(survives_every_failed_allocation),
        T(the_tables_are_sound),
        T(help_fits_eighty_columns),
    };
    return RUN_TESTS(tests);
}
