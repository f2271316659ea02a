// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/json.h"
#include "cli/args.h"
#include "cli/command.h"
#include "t.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const sc_cmd cmd = {
    .name = "run",
    .summary = "a test",
    .options = "model threads temperature greedy output-dir samples",
};

static char folder[SCRATCH];

static void write_text(const char *path, const char *text)
{
    sc_err err = {0};
    CHECK_OK(sc_file_write(path, sc_str_c(text), &err), &err);
}

/* HOME is the folder's "home"; the near file lies in the current folder. */
static const char *get(const char *name, void *arg)
{
    if (strcmp(name, "HOME") == 0)
        return "home";
    return strcmp(name, "SCBENCH_THREADS") == 0 ? arg : NULL;
}

static sc_code parse(int argc, char **argv, const char *threads, sc_settings **s, sc_args **a,
                     sc_err *err)
{
    SC_TRY(sc_settings_read(get, NULL, s, err));
    return sc_args_parse(&cmd, argc, argv, get, (void *)(uintptr_t)threads, *s, a, err);
}

TEST(a_value_comes_from_the_nearest_place_that_has_it)
{
    UNUSED;
    write_text("scbench.json",
               "{\"threads\": 3, \"model\": [\"a\", \"b\"], \"greedy\": true,"
               " \"run\": {\"samples\": 4}, \"samples\": 9, \"generate\": {\"threads\": 7}}");
    write_text("home/.config/scbench/config.json",
               "{\"threads\": 5, \"temperature\": 0.25, \"model\": \"c\"}");
    sc_err err = {0};
    SC_AUTO(sc_settings) *s = NULL;
    SC_AUTO(sc_args) *a = NULL;
    CHECK_OK(parse(0, NULL, NULL, &s, &a, &err), &err);
    CHECK(sc_args_int(a, "threads") == 3 && sc_args_int(a, "samples") == 4);
    CHECK(sc_args_num(a, "temperature") == 0.25 && sc_args_flag(a, "greedy"));
    CHECK(sc_args_count(a, "model") == 2 && strcmp(sc_args_nth(a, "model", 1), "b") == 0);
    CHECK(strcmp(sc_args_origin(a, "threads"), "scbench.json") == 0);
    CHECK(strcmp(sc_args_origin(a, "temperature"), "home/.config/scbench/config.json") == 0);
    CHECK(strcmp(sc_args_origin(a, "output-dir"), "default") == 0);

    char word[] = "--no-greedy";
    char *argv[] = {word};
    SC_AUTO(sc_settings) *s2 = NULL;
    SC_AUTO(sc_args) *b = NULL;
    CHECK_OK(parse(1, argv, "2", &s2, &b, &err), &err);
    CHECK(sc_args_int(b, "threads") == 2 && !sc_args_flag(b, "greedy"));
    CHECK(strcmp(sc_args_origin(b, "threads"), "environment") == 0);
}

TEST(a_file_with_a_defect_is_refused_by_name_key_and_reason)
{
    UNUSED;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"[]", "scbench.json: not an object"},
        {"{\"threads\": 2", "scbench.json: "},
        {"{\"thread\": 2}", "scbench.json: thread: no such option; did you mean \"threads\"?"},
        {"{\"threads\": \"two\"}", "scbench.json: threads: must be a number"},
        {"{\"threads\": 1.5}", "scbench.json: threads: '1.5' is not a whole number"},
        {"{\"threads\": 0}", "scbench.json: threads: 0 is outside 1 to 256"},
        {"{\"greedy\": \"yes\"}", "scbench.json: greedy: must be true or false"},
        {"{\"output-dir\": [\"a\"]}", "scbench.json: output-dir: takes one value, not a list"},
        {"{\"output-dir\": \"a\\u0000b\"}", "scbench.json: output-dir: holds a NUL"},
        {"{\"help\": true}", "scbench.json: help: is for the command line alone"},
        {"{\"allow-unsafe-exec\": true}",
         "scbench.json: allow-unsafe-exec: is for the command line alone"},
        {"{\"run\": {\"nope\": 1}}", "scbench.json: run: nope: no such option"},
        {"{\"doctor\": {\"threads\": 1}}",
         "scbench.json: doctor: threads: the command does not take this option"},
        {"{\"run\": {\"run\": {}}}",
         "scbench.json: run: run: the command does not take this option"},
    };
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        write_text("scbench.json", bad[i].text);
        sc_err err = {0};
        SC_AUTO(sc_settings) *s = NULL;
        CHECK(sc_settings_read(get, NULL, &s, &err) == SC_E_USAGE);
        if (strncmp(err.msg, bad[i].says, strlen(bad[i].says)) != 0)
            fail_msg("%s: %s", bad[i].text, err.msg);
    }
}

static const char *get_named(const char *name, void *arg)
{
    return strcmp(name, "SCBENCH_CONFIG") == 0 ? arg : NULL;
}

TEST(one_file_can_stand_in_for_both_or_none_be_read)
{
    UNUSED;
    write_text("scbench.json", "broken");
    write_text("other.json", "{\"seed\": 5}");
    sc_err err = {0};
    size_t n_files = 9;
    SC_AUTO(sc_settings) *other = NULL, *none = NULL, *missing = NULL;
    CHECK_OK(sc_settings_read(get_named, (void *)(uintptr_t) "other.json", &other, &err), &err);
    CHECK(sc_settings_count(other, &n_files) == 1 && n_files == 1);
    CHECK_OK(sc_settings_read(get_named, (void *)(uintptr_t) "none", &none, &err), &err);
    CHECK(sc_settings_count(none, &n_files) == 0 && n_files == 0);
    CHECK(sc_settings_read(get_named, (void *)(uintptr_t) "missing.json", &missing, &err) ==
          SC_E_IO);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    write_text("scbench.json",
               "{\"threads\": 3, \"model\": [\"a\", \"b\"], \"run\": {\"seed\": 1}}");
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_settings) *s = NULL;
        sc_alloc_fail_at(++nth);
        code = sc_settings_read(get, NULL, &s, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? s != NULL : code == SC_E_NOMEM && !s);
    }
    CHECK(nth > 5);
}

static int set_up(void **state)
{
    UNUSED;
    sc_json_setup();
    return !mkdtemp(scratch_path(folder)) || chdir(folder) || mkdir("home", 0700) ||
           mkdir("home/.config", 0700) || mkdir("home/.config/scbench", 0700);
}

static int tear_down(void **state)
{
    UNUSED;
    return unlink("scbench.json") || unlink("other.json") ||
           unlink("home/.config/scbench/config.json") || rmdir("home/.config/scbench") ||
           rmdir("home/.config") || rmdir("home") || chdir("/") || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_value_comes_from_the_nearest_place_that_has_it),
        T(a_file_with_a_defect_is_refused_by_name_key_and_reason),
        T(one_file_can_stand_in_for_both_or_none_be_read),
        T(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
