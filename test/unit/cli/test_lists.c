// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/lists.h"
#include "t.h"

static const sc_cmd cmd = {
    .name = "test",
    .summary = "a test",
    .options = "n-prompt threads-list kv-list",
};

static void parse(char **word, int n, sc_args **out)
{
    sc_err err = {0};
    CHECK_OK(sc_args_parse(&cmd, n, word, NULL, NULL, NULL, out, &err), &err);
}

/* The list that `-p text` is, of numbers from `min` to `max`. */
static sc_code list_of(const char *text, unsigned min, unsigned max, sc_list *l, sc_err *err)
{
    char option[] = "-p", value[128];
    (void)snprintf(value, sizeof value, "%s", text);
    char *word[] = {option, value};
    SC_AUTO(sc_args) *a = NULL;
    parse(word, SC_LEN(word), &a);
    return sc_list_numbers(a, "n-prompt", min, max, l, err);
}

static void expect(const char *text, const char *want)
{
    sc_list l;
    sc_err err = {0};
    CHECK_OK(list_of(text, 0, 1 << 30, &l, &err), &err);
    SC_AUTO(sc_buf) got = sc_buf_init(1 << 16);
    for (size_t i = 0; i < l.n; i++)
        sc_buf_addf(&got, "%s%u", i ? " " : "", l.v[i]);
    assert_string_equal(sc_buf_text(&got), want);
}

static void refuse(const char *text, const char *why)
{
    sc_list l;
    sc_err err = {0};
    CHECK_CODE(SC_E_USAGE, list_of(text, 1, 5000, &l, &err), &err);
    CHECK(strstr(err.msg, "--n-prompt") && strstr(err.msg, why));
}

TEST(lists_and_ranges_are_spelt_out_each_value_once)
{
    UNUSED;
    expect("7", "7");
    expect("1-4", "1 2 3 4");
    expect("64-1024*2", "64 128 256 512 1024");
    expect("0-4096+2048,1", "0 2048 4096 1");
    expect("1-4,2-6,3", "1 2 3 4 5 6");
    expect("5-5", "5");
    expect("3-10*4294967297", "3"); // a factor that would wrap
    expect("1-1073741824*1073741824", "1 1073741824");
}

TEST(what_is_no_list_is_refused_with_the_reason)
{
    UNUSED;
    static const char *const bad[] = {",",     "1,,2", "-5",  "8-4", "1-",    "1-4+0", "1-4*1",
                                      "0-8*2", "x",    "1 2", "1;2", "1-4-8", "+3",    "1x10"};
    for (size_t i = 0; i < SC_LEN(bad); i++)
        refuse(bad[i], "is not a list such as");
    refuse("0", "outside 1 to 5000");
    refuse("8,99999999999999999999", "outside 1 to 5000");
    refuse("8-99999999999999999999*2", "outside 1 to 5000");
    refuse("1-2000", "more than 1024 values");
}

TEST(an_option_that_is_given_twice_says_all_of_it)
{
    UNUSED;
    char p[] = "-p", t[] = "64", u[] = "8,64", kv[] = "--kv-type", a[] = "q8_0,f16",
         b[] = "f16,f32";
    char *word[] = {p, t, p, u, kv, a, kv, b};
    SC_AUTO(sc_args) *args = NULL;
    parse(word, SC_LEN(word), &args);
    sc_list l;
    sc_err err = {0};
    CHECK_OK(sc_list_numbers(args, "n-prompt", 0, 100, &l, &err), &err);
    CHECK(l.n == 2 && l.v[0] == 64 && l.v[1] == 8);
    CHECK_OK(sc_list_words(args, "kv-list", &l, &err), &err);
    CHECK(l.n == 3 && l.v[0] == 4 && l.v[1] == 2 && l.v[2] == 1); // auto f32 f16 bf16 q8_0
}

TEST(an_option_that_is_not_given_has_its_default_or_nothing)
{
    UNUSED;
    SC_AUTO(sc_args) *args = NULL;
    parse(NULL, 0, &args);
    sc_list l;
    sc_err err = {0};
    CHECK_OK(sc_list_numbers(args, "n-prompt", 0, 1000, &l, &err), &err);
    CHECK(l.n == 1 && l.v[0] == 512);
    CHECK_OK(sc_list_numbers(args, "threads-list", 1, 256, &l, &err), &err);
    CHECK(l.n == 0);
    CHECK_OK(sc_list_words(args, "kv-list", &l, &err), &err);
    CHECK(l.n == 1 && l.v[0] == 0);
}

TEST(an_unknown_word_is_refused_with_the_choices)
{
    UNUSED;
    char kv[] = "--kv-type", a[] = "f16,q4_0,f32";
    char *word[] = {kv, a};
    SC_AUTO(sc_args) *args = NULL;
    parse(word, 2, &args);
    sc_list l;
    sc_err err = {0};
    CHECK_CODE(SC_E_USAGE, sc_list_words(args, "kv-list", &l, &err), &err);
    assert_string_equal(err.msg, "--kv-type: 'q4_0' is none of auto|f32|f16|bf16|q8_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lists_and_ranges_are_spelt_out_each_value_once),
        T(what_is_no_list_is_refused_with_the_reason),
        T(an_option_that_is_given_twice_says_all_of_it),
        T(an_option_that_is_not_given_has_its_default_or_nothing),
        T(an_unknown_word_is_refused_with_the_choices),
    };
    return RUN_TESTS(tests);
}
