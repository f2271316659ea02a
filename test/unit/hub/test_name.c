// SPDX-License-Identifier: MIT
#include "hub/name.h"

#include "t.h"

TEST(takes_repository_revision_and_pattern_apart)
{
    UNUSED;
    static const struct {
        const char *arg, *repo, *revision, *pattern;
    } good[] = {
        {"org/name", "org/name", "main", ""},
        {"gpt2", "gpt2", "main", ""},
        {"org/na.me-1_x@v1.0", "org/na.me-1_x", "v1.0", ""},
        {"org/name@refs/pr/3", "org/name", "refs/pr/3", ""},
        {"org/name:Q4_K_M", "org/name", "main", "Q4_K_M"},
        {"org/name@dev:sub/x.gguf", "org/name", "dev", "sub/x.gguf"},
    };
    for (size_t i = 0; i < SC_LEN(good); i++) {
        sc_err err = {0};
        sc_hub_name n = {0};
        CHECK_OK(sc_hub_name_parse(sc_str_c(good[i].arg), &n, &err), &err);
        CHECK(sc_str_is(n.repo, good[i].repo));
        CHECK(sc_str_is(n.revision, good[i].revision));
        CHECK(sc_str_is(n.pattern, good[i].pattern));
    }
}

TEST(refuses_names_that_the_hub_refuses_or_that_leave_the_cache)
{
    UNUSED;
    static const char *const bad[] = {
        "",         "/",          "org/",      "/name",      "a/b/c",
        "../name",  "org/..",     "org/.name", "org/name-",  "org/na--me",
        "org/a..b", "org/n.git",  "org/na me", "org/name@",  "org/x@..",
        "org/x@/a", "org/x@a//b", "org/x@a/",  "org/x@a b",  "org/x@a~1",
        "org/x:",   "org/x:../y", "or\ng/x",   "org/x@a\\b", "org/x:/etc",
    };
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        sc_err err = {0};
        sc_hub_name n = {0};
        CHECK_CODE(SC_E_USAGE, sc_hub_name_parse(sc_str_c(bad[i]), &n, &err), &err);
        CHECK(n.repo.p == NULL);
    }
    char longest[98];
    memset(longest, 'a', 97);
    longest[97] = '\0';
    sc_err err = {0};
    sc_hub_name n = {0};
    CHECK_CODE(SC_E_USAGE, sc_hub_name_parse(sc_str_c(longest), &n, &err), &err);
}

TEST(only_plain_relative_paths_are_safe)
{
    UNUSED;
    static const char *const good[] = {"a", "a/b", "a.b/..c", ".hidden", "a/b/c.gguf", "\xc3\xa9"};
    static const char *const bad[] = {"",
                                      "/a",
                                      "a/",
                                      "a//b",
                                      ".",
                                      "..",
                                      "a/../b",
                                      "./a",
                                      "a/..",
                                      "a\\b",
                                      "a\nb",
                                      "a\x7f",
                                      "../../etc/passwd"};
    for (size_t i = 0; i < SC_LEN(good); i++)
        CHECK(sc_hub_path_is_safe(sc_str_c(good[i])));
    for (size_t i = 0; i < SC_LEN(bad); i++)
        CHECK(!sc_hub_path_is_safe(sc_str_c(bad[i])));
    CHECK(!sc_hub_path_is_safe((sc_str){"a\0b", 3}));
}

TEST(short_names_and_commits_are_recognised)
{
    UNUSED;
    assert_string_equal(sc_hub_name_of_short(SC_STR("codellama-7b")), "codellama/CodeLlama-7b-hf");
    assert_string_equal(sc_hub_name_of_short(SC_STR("codegen-350m")),
                        "Salesforce/codegen-350M-mono");
    assert_string_equal(sc_hub_name_of_short(SC_STR("starcoder-1b")), "bigcode/starcoderbase-1b");
    CHECK(!sc_hub_name_of_short(SC_STR("codellama")));
    CHECK(sc_hub_is_commit(SC_STR("0123456789abcdef0123456789abcdef01234567")));
    CHECK(!sc_hub_is_commit(SC_STR("0123456789abcdef0123456789abcdef0123456")));
    CHECK(!sc_hub_is_commit(SC_STR("0123456789abcdef0123456789abcdef0123456g")));
    SC_AUTO(sc_buf) b = sc_buf_init(100);
    sc_hub_name_folder(SC_STR("org/name"), &b);
    sc_hub_name_folder(SC_STR("gpt2"), &b);
    assert_string_equal(b.p, "models--org--namemodels--gpt2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(takes_repository_revision_and_pattern_apart),
        T(refuses_names_that_the_hub_refuses_or_that_leave_the_cache),
        T(only_plain_relative_paths_are_safe),
        T(short_names_and_commits_are_recognised),
    };
    return RUN_TESTS(tests);
}
