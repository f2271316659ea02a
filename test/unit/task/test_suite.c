// SPDX-License-Identifier: MIT
#include "task/suite.h"

#include "base/file.h"
#include "base/json.h"
#include "t.h"

static const char good[] =
    "{\"name\": \"a\", \"prompt\": \"def a():\", \"expected_keywords\": [\"if\", \"é\"]}\n"
    "\n"
    "{\"task_id\": \"b/1\", \"prompt\": \"x\\n\", \"expected_keywords\": [], \"description\": "
    "\"D\","
    " \"category\": \"mine\", \"stop\": [\"\\n\"]}";

static sc_code parse(const char *text, sc_suite **out, sc_err *err)
{
    return sc_suite_parse(sc_str_c(text), "test", out, err);
}

TEST(reads_a_good_suite)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_suite) *s = NULL;
    CHECK_OK(parse(good, &s, &err), &err);
    size_t n = 0;
    const sc_task *t = sc_suite_tasks(s, &n);
    CHECK(n == 2 && t[0].line == 1 && t[1].line == 3);
    CHECK(t[0].n_keywords == 2 && sc_str_is(t[0].keyword[1], "é") && t[0].n_stops == 0);
    CHECK(sc_str_is(t[1].name, "b/1") && sc_str_is(t[1].prompt, "x\n"));
    CHECK(t[1].n_keywords == 0 && t[1].n_stops == 1 && sc_str_is(t[1].stop[0], "\n"));
    CHECK(sc_str_is(t[1].description, "D") && sc_str_is(t[1].category, "mine"));
    CHECK(sc_suite_find(s, SC_STR("b/1")) == &t[1] && !sc_suite_find(s, SC_STR("b")));
    CHECK(strlen(sc_suite_sha256(s)) == 64);
}

TEST(refuses_every_truncation_within_a_line)
{
    UNUSED;
    for (size_t size = 0; size < sizeof good - 1; size++) {
        sc_err err = {0};
        SC_AUTO(sc_suite) *s = NULL;
        const sc_code code = sc_suite_parse((sc_str){good, size}, "test", &s, &err);
        const size_t first = (size_t)(strchr(good, '\n') - good);
        if (size >= first && size <= first + 2) { // the first line alone is a suite
            CHECK(code == SC_OK);
            continue;
        }
        CHECK_CODE(SC_E_FORMAT, code, &err);
        CHECK(!s);
    }
}

TEST(refuses_what_is_not_meant_and_says_where)
{
    UNUSED;
    static const struct {
        const char *text, *say;
    } bad[] = {
        {"{\"name\":\"a\",\"prompt\":\"p\"}", "line 1: \"expected_keywords\" is missing"},
        {"\n{\"prompt\":\"p\",\"expected_keywords\":[]}", "line 2: \"name\" is missing or empty"},
        {"{\"name\":\"a\",\"expected_keywords\":[]}", "line 1: \"prompt\" is missing or empty"},
        {"{\"name\":\"a\",\"prompt\":3,\"expected_keywords\":[]}",
         "line 1: \"prompt\" is not a string"},
        {"{\"name\":\"a\",\"prompt\":\"p\",\"expected_keywords\":\"if\"}",
         "line 1: \"expected_keywords\" is not a list"},
        {"{\"name\":\"a\",\"prompt\":\"p\",\"expected_keywords\":[\"\"]}",
         "line 1: \"expected_keywords\", entry 1: not a text, or an empty one"},
        {"{\"name\":\"a\",\"prompt\":\"p\",\"expected_keyword\":[]}",
         "line 1: unknown key \"expected_keyword\""},
        {"{\"name\":\"a\\n\",\"prompt\":\"p\",\"expected_keywords\":[]}",
         "line 1: \"name\" has a control character"},
        {"[1]", "line 1: a JSON object is expected"},
        // Tests that every program would pass.
        {"{\"name\":\"a\",\"prompt\":\"p\",\"test\":\"def check(candidate):\\n    assert "
         "candidate(1)\"}",
         "line 1: \"test\" defines check() and nothing calls it: \"entry_point\" is missing"},
        {"{\"name\":\"a\",\"prompt\":\"p\",\"test\":\"import a\\n\\ndef test_a():\\n    assert "
         "f(1)\\n# end\"}",
         "line 1: \"test\" only defines: nothing in it runs"},
        {"{\"name\":\"a\",\"prompt\":\"p\",\"expected_keywords\":[]}\n\n"
         "{\"name\":\"a\",\"prompt\":\"q\",\"expected_keywords\":[]}",
         "line 3: the task \"a\" is already in line 1"},
        {"\n \n", "no task in it"},
    };
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        sc_err err = {0};
        SC_AUTO(sc_suite) *s = NULL;
        CHECK_CODE(SC_E_FORMAT, parse(bad[i].text, &s, &err), &err);
        CHECK(!s);
        if (strncmp(err.msg, bad[i].say, strlen(bad[i].say)) != 0)
            print_error("%s\n%s\n", err.msg, bad[i].say);
        CHECK(strncmp(err.msg, bad[i].say, strlen(bad[i].say)) == 0);
    }
}

TEST(the_byte_of_an_error_is_counted_from_the_start_of_the_file)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_suite) *s = NULL;
    const char text[] = "{\"name\":\"a\",\"prompt\":\"p\",\"expected_keywords\":[]}\n{\"name\" 1}";
    CHECK_CODE(SC_E_FORMAT, parse(text, &s, &err), &err);
    CHECK(err.at > (size_t)(strchr(text, '\n') - text) && err.at <= sizeof text);
}

TEST(reads_what_programs_read_and_print)
{
    UNUSED;
    static const char text[] =
        "{\"name\":\"a\",\"prompt\":\"p\",\"tests\":[{\"stdin\":\"1\\n\",\"stdout\":\"2\"},{"
        "\"stdin\":\"\","
        "\"stdout\":\"\\u0000\"}]}\n{\"name\":\"b\",\"prompt\":\"p\",\"test\":\"assert 1\"}\n"
        "{\"name\":\"c\",\"prompt\":\"p\",\"tests\":[{\"stdin\":\"\",\"stdout\":\"\"}],\"whole\":"
        "false}\n";
    SC_AUTO(sc_suite) *s = NULL;
    sc_err err = {0};
    CHECK_OK(sc_suite_parse(sc_str_c(text), "t", &s, &err), &err);
    size_t n = 0;
    const sc_task *t = sc_suite_tasks(s, &n);
    CHECK(n == 3 && t[0].cases && !t[1].cases && t[2].cases);
    CHECK(t[0].whole && !t[1].whole && !t[2].whole);
    SC_AUTO(sc_cases) *c = NULL;
    CHECK_OK(sc_suite_cases(&t[0], &c, &err), &err);
    const sc_case_list list = sc_cases_list(c);
    CHECK(list.n == 2 && !list.calls && sc_cases_size(c) == 4);
    CHECK(sc_str_is(list.at[0].in, "1\n") && sc_str_is(list.at[0].want, "2"));
    CHECK(list.at[1].in.n == 0 && list.at[1].want.n == 1 && list.at[1].want.p[0] == '\0');
}

TEST(refuses_more_than_it_may_hold)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_suite) *s = NULL;
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    sc_buf_add_c(&text, "{\"name\":\"a\",\"prompt\":\"p\",\"expected_keywords\":[\"x\"");
    for (int i = 0; i < SC_SUITE_MAX_WORDS; i++)
        sc_buf_add_c(&text, ",\"x\"");
    sc_buf_add_c(&text, "]}");
    CHECK_CODE(SC_E_LIMIT, parse(sc_buf_text(&text), &s, &err), &err);
    sc_buf_clear(&text);
    sc_buf_addf(&text, "{\"name\":\"%0*d\",\"prompt\":\"p\",\"expected_keywords\":[]}",
                SC_SUITE_MAX_NAME + 1, 0);
    CHECK_CODE(SC_E_LIMIT, parse(sc_buf_text(&text), &s, &err), &err);
    CHECK(!s);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_suite) *s = NULL;
        sc_alloc_fail_at(++nth);
        code = parse(good, &s, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? s != NULL : code == SC_E_NOMEM && !s);
        CHECK(nth < 1000);
    }
    CHECK(nth > 1);
}

TEST(the_built_in_suites_have_the_tasks_of_the_original)
{
    UNUSED;
    sc_err err = {0};
    size_t n = 0;
    static const struct {
        const char *name, *first, *last;
        size_t n;
    } want[] = {{"core", "fibonacci", "decorator", 8},
                {"challenges", "palindrome_check", "linked_list", 3},
                {"builtin", "fibonacci", "linked_list", 11}};
    for (size_t i = 0; i < SC_LEN(want); i++) {
        SC_AUTO(sc_suite) *s = NULL;
        CHECK_OK(sc_suite_open(want[i].name, &s, &err), &err);
        const sc_task *t = sc_suite_tasks(s, &n);
        CHECK(n == want[i].n && sc_str_is(t[0].name, want[i].first));
        CHECK(sc_str_is(t[n - 1].name, want[i].last));
        CHECK(sc_suite_find(s, t[n - 1].name) == &t[n - 1]);
        CHECK(!sc_suite_path(s));
    }
}

/* One list of the golden against the tasks of a built-in suite. */
static void compare(const json_t *list, const char *name)
{
    sc_err err = {0};
    SC_AUTO(sc_suite) *s = NULL;
    CHECK_OK(sc_suite_open(name, &s, &err), &err);
    size_t n = 0;
    const sc_task *t = sc_suite_tasks(s, &n);
    assert_int_equal(n, json_array_size(list));
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const json_t *words = json_object_get(o, "expected_keywords");
        CHECK(sc_str_eq(t[i].name, sc_json_str(json_object_get(o, "name"))));
        CHECK(sc_str_eq(t[i].prompt, sc_json_str(json_object_get(o, "prompt"))));
        CHECK(sc_str_eq(t[i].description, sc_json_str(json_object_get(o, "description"))));
        assert_int_equal(t[i].n_keywords, json_array_size(words));
        for (size_t k = 0; k < t[i].n_keywords; k++)
            CHECK(sc_str_eq(t[i].keyword[k], sc_json_str(json_array_get(words, k))));
    }
}

TEST(every_fact_of_the_original_tasks_is_kept)
{
    UNUSED;
    sc_err err = {0};
    const char *goldens = getenv("SC_GOLDENS");
    char *path = sc_path_join(goldens ? goldens : "../shared/goldens", "seed/tasks.json");
    CHECK(path);
    SC_AUTO_JSON *v = NULL;
    const bool have = sc_file_is_file(path);
    if (have)
        CHECK_OK(sc_json_read(path, 1 << 20, &v, &err), &err);
    sc_free(path);
    if (!have)
        SKIP("goldens", "no seed/tasks.json");
    compare(json_object_get(v, "core"), "core");
    compare(json_object_get(v, "challenges"), "challenges");
}

TEST(says_what_there_is_when_a_suite_is_not_found)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_suite) *s = NULL;
    CHECK_CODE(SC_E_NOTFOUND, sc_suite_open("coer", &s, &err), &err);
    CHECK(strstr(err.msg, "core, challenges, builtin"));
    CHECK_CODE(SC_E_IO, sc_suite_open("no/such/file.jsonl", &s, &err), &err);
    CHECK(err.sys != 0);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(reads_a_good_suite),
        T(refuses_every_truncation_within_a_line),
        T(refuses_what_is_not_meant_and_says_where),
        T(the_byte_of_an_error_is_counted_from_the_start_of_the_file),
        T(reads_what_programs_read_and_print),
        T(refuses_more_than_it_may_hold),
        T(survives_every_failed_allocation),
        T(the_built_in_suites_have_the_tasks_of_the_original),
        T(every_fact_of_the_original_tasks_is_kept),
        T(says_what_there_is_when_a_suite_is_not_found),
    };
    return RUN_TESTS(tests);
}
