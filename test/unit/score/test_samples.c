// SPDX-License-Identifier: MIT
#include "t.h"

#include "base/file.h"
#include "base/json.h"
#include "score/lone.h"
#include "score/samples.h"
#include "score/solutions.h"

#include <sys/stat.h>
#include <unistd.h>

static const char suite_text[] =
    "{\"name\":\"HumanEval/0\",\"prompt\":\"def f():\\n\",\"entry_point\":\"f\",\"test\":\"assert "
    "1\"}\n"
    "{\"name\":\"MBPP/11\",\"prompt\":\"Write\",\"entry_point\":\"g\",\"test\":\"assert "
    "1\",\"whole\":true}\n";

static sc_suite *suite(void)
{
    sc_suite *s = NULL;
    sc_err err = {0};
    CHECK_OK(sc_suite_parse(sc_str_c(suite_text), "t", &s, &err), &err);
    return s;
}

static const struct {
    const char *text, *form;
    size_t n;
    const char *first;
    bool whole;
} good[] = {
    {"{\"task_id\":\"HumanEval/0\",\"completion\":\"x\"}\n{\"task_id\":\"HumanEval/"
     "0\",\"completion\":\"y\"}\n",
     "human-eval", 2, "x", false},
    {"{\"task_id\":\"HumanEval/0\",\"solution\":\"x\"}", "evalplus", 1, "x", true},
    {"{\"task_id\":\"Mbpp/11\",\"solution\":\"x\"}", "evalplus", 1, "x", true},
    {"{\"task_id\":11,\"completion\":\"x\"}", "human-eval", 1, "x", false},
    {"[[\"a\",\"b\"],[\"c\"]]", "bigcode", 3, "a", true},
    {"{\"doc_id\":0,\"doc\":{\"task_id\":\"HumanEval/"
     "0\"},\"resps\":[[\"r\"]],\"filtered_resps\":[[\"def f():\\n  1\"]]}",
     "lm-eval", 1, "def f():\n  1", true},
    {"{\"doc_id\":0,\"doc\":{\"task_id\":\"HumanEval/0\"},\"resps\":[[\"r\",\"s\"]]}", "lm-eval", 2,
     "r", false},
    {"[{\"question_id\":\"HumanEval/0\",\"code_list\":[\"a\",\"b\"]}]", "livecodebench", 2, "a",
     true},
    {"{\"task_id\":11,\"completion\":\"x\",\"y\":\"\\udfff\"}", "human-eval", 1, "x", false},
    // Fields of one's own may be called as those of other forms.
    {"{\"task_id\":11,\"completion\":\"x\",\"doc\":{\"a\":1}}", "human-eval", 1, "x", false},
    {" \t\r\n\n{\"task_id\":11,\"completion\":\"x\"}\n \t \n \n", "human-eval", 1, "x", false},
    {"\t[[\"a\"]]", "bigcode", 1, "a", true},
    {"{\"doc\":{\"task_id\":11},\"resps\":[[\"r\"]],\"filter\":\"a\"}\n"
     "{\"doc\":{\"task_id\":11},\"resps\":[[\"r\"]],\"filter\":\"a\"}",
     "lm-eval", 2, "r", true},
};

TEST(reads_every_form)
{
    UNUSED;
    SC_AUTO(sc_suite) *s = suite();
    for (size_t i = 0; i < SC_LEN(good); i++) {
        SC_AUTO(sc_samples) *in = NULL;
        sc_err err = {0};
        CHECK_OK(sc_samples_parse(sc_str_c(good[i].text), s, &in, &err), &err);
        size_t n = 0;
        const sc_sample_in *at = sc_samples_at(in, &n);
        assert_int_equal(n, good[i].n);
        assert_string_equal(sc_samples_form(in), good[i].form);
        CHECK(sc_str_is(at[0].text, good[i].first));
        CHECK(at[0].whole == good[i].whole);
        CHECK(n < 2 || at[1].index == 1);
    }
}

TEST(keeps_that_a_text_was_cut)
{
    UNUSED;
    static const struct {
        const char *field;
        bool cut;
    } said[] = {{"", false},
                {",\"finish_reason\":\"length\"", true},
                {",\"finish_reason\":\"stop\"", false},
                {",\"finish_reason\":null", false},
                {",\"finish_reason\":\"context\"", true},
                {",\"stop_reason\":\"max_tokens\"", true},
                {",\"stop_reason\":[\"max_tokens\"]", false},
                {",\"truncated\":true", true},
                {",\"truncated\":\"true\"", false}};
    SC_AUTO(sc_suite) *s = suite();
    for (size_t i = 0; i < SC_LEN(said); i++) {
        char line[160];
        (void)snprintf(line, sizeof line, "{\"task_id\":11,\"completion\":\"x\"%s}", said[i].field);
        SC_AUTO(sc_samples) *in = NULL;
        sc_err err = {0};
        CHECK_OK(sc_samples_parse(sc_str_c(line), s, &in, &err), &err);
        size_t n = 0;
        CHECK(sc_samples_at(in, &n)[0].cut == said[i].cut);
    }
}

TEST(a_mark_at_the_start_and_long_line_ends_do_not_matter)
{
    UNUSED;
    static const char *const text[] = {
        "\xEF\xBB\xBF{\"task_id\":11,\"completion\":\"x\"}\r\n\r\n{\"task_id\":11,\"completion\":"
        "\"y\"}\r\n",
        "\xEF\xBB\xBF[[],\r\n[\"x\",\"y\"]]\r\n"};
    SC_AUTO(sc_suite) *s = suite();
    for (size_t i = 0; i < SC_LEN(text); i++) {
        SC_AUTO(sc_samples) *in = NULL;
        sc_err err = {0};
        CHECK_OK(sc_samples_parse(sc_str_c(text[i]), s, &in, &err), &err);
        size_t n = 0;
        const sc_sample_in *at = sc_samples_at(in, &n);
        CHECK(n == 2 && sc_str_is(at[0].text, "x") && sc_str_is(at[1].text, "y"));
    }
}

TEST(half_surrogates_are_kept_and_whole_ones_are_one_character)
{
    UNUSED;
    static const struct {
        const char *in, *text; // a JSON text's characters, what the interpreter gets
    } row[] = {
        {"\\ud800", "\xed\xa0\x80"},
        {"a\\uDFFFb", "a\xed\xbf\xbf"
                      "b"},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"\\ude00\\ud83d", "\xed\xb8\x80\xed\xa0\xbd"},
        {"\\ud800\\ud83d\\ude00", "\xed\xa0\x80\xf0\x9f\x98\x80"},
        {"\\\\ud800", "\\ud800"}, // a backslash and five letters
        {"\\ud800\\u0041", "\xed\xa0\x80"
                           "A"},
        {"\\\"\\ud800\\\"", "\"\xed\xa0\x80\""},
        // The mark itself without such digits is two characters like any other.
        {"\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbe"
         "0041",
         "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbe"
         "0041"},
    };
    SC_AUTO(sc_suite) *s = suite();
    for (size_t i = 0; i < SC_LEN(row); i++) {
        char line[160];
        (void)snprintf(line, sizeof line, "{\"task_id\":11,\"completion\":\"%s\"}", row[i].in);
        SC_AUTO(sc_samples) *in = NULL;
        sc_err err = {0};
        CHECK_OK(sc_samples_parse(sc_str_c(line), s, &in, &err), &err);
        size_t n = 0;
        CHECK(sc_str_is(sc_samples_at(in, &n)[0].text, row[i].text));
    }
}

TEST(a_marked_text_is_written_with_its_escapes)
{
    UNUSED;
    static const char text[] = "[\"\\ud800 \\\\udc00\", \"\\uDBFFx\"]";
    SC_AUTO(sc_buf) marked = sc_buf_init(1000);
    SC_AUTO(sc_buf) back = sc_buf_init(1000);
    CHECK(sc_lone_mark(sc_str_c(text), &marked));
    CHECK(sc_lone_has(sc_buf_str(&marked)) && !strstr(sc_buf_text(&marked), "\"\\ud800"));
    sc_lone_escape(sc_buf_str(&marked), &back);
    assert_string_equal(sc_buf_text(&back), text);
    CHECK(!sc_lone_mark(SC_STR("\"\\ud83d\\ude00 \\ud8\""), &marked));
}

TEST(says_where_it_failed)
{
    UNUSED;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "no sample"},
        {"{\"task_id\":\"HumanEval/0\",\"completion\":\"x\"}\n{\"task_id\":\"HumanEval/"
         "9\",\"completion\":\"x\"}",
         "line 2: t has no task \"HumanEval/9\""},
        {"{\"completion\":\"x\"}", "line 1: \"task_id\" is missing"},
        {"{\"task_id\":null,\"completion\":\"x\"}", "line 1: \"task_id\" is missing"},
        {"{\"task_id\":11.0,\"completion\":\"x\"}", "line 1: \"task_id\" is neither"},
        {"{\"task_id\":[11],\"completion\":\"x\"}", "line 1: \"task_id\" is neither"},
        {"{\"task_id\":\"HumanEval/0\\u0000x\",\"completion\":\"x\"}", "line 1: t has no task"},
        {"{\"doc\":{\"task_id\":11},\"resps\":[[\"r\"]],\"filter\":\"a\"}\n"
         "{\"doc\":{\"task_id\":11},\"resps\":[[\"r\"]],\"filter\":\"b\"}",
         "line 2: the answers of two filters, \"a\" and \"b\""},
        {"{\"task_id\":\"HumanEval/0\"}", "line 1: neither"},
        {"{\"task_id\":\"HumanEval/0\",\"completion\":7}", "line 1"},
        {"[[\"a\"],[\"b\"],[\"c\"]]", "entry 3"},
        {"[[7]]", "entry 1, program 1"},
        {"[7]", "entry 1"},
        {"7", "line 1"},
        {"{", "line 1"},
    };
    SC_AUTO(sc_suite) *s = suite();
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        SC_AUTO(sc_samples) *in = NULL;
        sc_err err = {0};
        CHECK_CODE(SC_E_FORMAT, sc_samples_parse(sc_str_c(bad[i].text), s, &in, &err), &err);
        if (!strstr(err.msg, bad[i].says))
            print_error("%s\n", err.msg);
        CHECK(strstr(err.msg, bad[i].says));
    }
}

TEST(survives_every_truncation_and_failed_allocation)
{
    UNUSED;
    SC_AUTO(sc_suite) *s = suite();
    for (size_t i = 0; i < SC_LEN(good); i++) {
        for (size_t n = 0; n < strlen(good[i].text); n++) {
            SC_AUTO(sc_samples) *in = NULL;
            sc_err err = {0};
            const sc_code code = sc_samples_parse((sc_str){good[i].text, n}, s, &in, &err);
            CHECK(code == SC_OK ? in != NULL : code == SC_E_FORMAT && !in);
        }
        sc_code code = SC_E_NOMEM;
        for (long nth = 1; code != SC_OK; nth++) {
            SC_AUTO(sc_samples) *in = NULL;
            sc_err err = {0};
            sc_alloc_fail_at(nth);
            code = sc_samples_parse(sc_str_c(good[i].text), s, &in, &err);
            sc_alloc_fail_at(0);
            CHECK(code == SC_OK ? in != NULL : !in);
        }
    }
}

TEST(a_folder_of_solutions_is_read_in_the_order_of_its_numbers_or_not_at_all)
{
    UNUSED;
    char dir[] = "solutions-XXXXXX", folder[64], path[3][80];
    CHECK(mkdtemp(dir));
    (void)snprintf(folder, sizeof folder, "%s/Mbpp_11", dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    SC_AUTO(sc_suite) *s = suite();
    sc_err err = {0};
    static const char *const name[] = {"10.py", "9.py", "notes.txt"};
    for (size_t i = 0; i < SC_LEN(path); i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/%s", folder, name[i]);
        CHECK_OK(sc_file_write(path[i], sc_str_c(name[i]), &err), &err);
    }
    sc_code code = SC_E_NOMEM;
    for (long nth = 1; code != SC_OK && nth < 1000; nth++) {
        SC_AUTO(sc_buf) out = sc_buf_init(4096);
        sc_alloc_fail_at(nth);
        code = sc_solutions_read(dir, s, &out, &err);
        sc_alloc_fail_at(0);
        if (code == SC_OK)
            assert_string_equal(sc_buf_text(&out),
                                "{\"task_id\":\"Mbpp/11\",\"solution\":\"9.py\",\"path\":\"Mbpp_11/"
                                "9.py\"}\n{\"task_id\":\"Mbpp/11\",\"solution\":\"10.py\",\"path\":"
                                "\"Mbpp_11/10.py\"}\n");
    }
    CHECK_OK(code, &err);
    for (size_t i = 0; i < SC_LEN(path); i++)
        assert_int_equal(unlink(path[i]), 0);
    assert_int_equal(rmdir(folder), 0);
    SC_AUTO(sc_buf) none = sc_buf_init(4096);
    CHECK_CODE(SC_E_FORMAT, sc_solutions_read(dir, s, &none, &err), &err);
    assert_int_equal(rmdir(dir), 0);
    CHECK_CODE(SC_E_IO, sc_solutions_read(dir, s, &none, &err), &err);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(reads_every_form),
        T(keeps_that_a_text_was_cut),
        T(a_mark_at_the_start_and_long_line_ends_do_not_matter),
        T(half_surrogates_are_kept_and_whole_ones_are_one_character),
        T(a_marked_text_is_written_with_its_escapes),
        T(says_where_it_failed),
        T(a_folder_of_solutions_is_read_in_the_order_of_its_numbers_or_not_at_all),
        T(survives_every_truncation_and_failed_allocation),
    };
    return RUN_TESTS(tests);
}
