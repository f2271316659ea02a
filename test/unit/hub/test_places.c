// SPDX-License-Identifier: MIT
#include "hub/places.h"

#include "env.h"

/* The cache root for the variables; NULL-named end. */
static void check_cache(var *vars, const char *want)
{
    sc_err err = {0};
    SC_AUTO(sc_hub_places) p = {0};
    const sc_hub_env env = env_of(vars);
    CHECK_OK(sc_hub_places_init(&p, &env, &err), &err);
    assert_string_equal(p.cache, want);
}

TEST(the_cache_is_where_huggingface_hub_looks)
{
    UNUSED;
    check_cache((var[]){{"HOME", "/h"}, {0}}, "/h/.cache/huggingface/hub");
    check_cache((var[]){{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}, {0}}, "/x/huggingface/hub");
    check_cache((var[]){{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}, {"HF_HOME", "~/hf"}, {0}},
                "/h/hf/hub");
    check_cache((var[]){{"HF_HOME", "/hf"}, {"HUGGINGFACE_HUB_CACHE", "/old/"}, {0}}, "/old");
    check_cache((var[]){{"HUGGINGFACE_HUB_CACHE", "/old"}, {"HF_HUB_CACHE", "/new"}, {0}}, "/new");
    check_cache((var[]){{"HF_HUB_CACHE", ""}, {"HF_HOME", "/hf"}, {0}}, "/hf/hub");
}

TEST(the_token_comes_from_the_variables_then_the_file)
{
    UNUSED;
    const char *dir = scratch();
    put(dir, "token", "  hf_file\n");
    char path[128];
    (void)snprintf(path, sizeof path, "%s/token", dir);
    const struct {
        var vars[5];
        const char *want;
    } cases[] = {
        {{{"HF_TOKEN", "hf_a\n"}, {"HUGGING_FACE_HUB_TOKEN", "b"}, {"HF_HOME", dir}, {0}}, "hf_a"},
        {{{"HUGGING_FACE_HUB_TOKEN", "b"}, {"HF_HOME", dir}, {0}}, "b"},
        {{{"HF_HOME", dir}, {0}}, "hf_file"},
        {{{"HF_TOKEN_PATH", path}, {"HF_HOME", "/no"}, {0}}, "hf_file"},
        {{{"HF_HOME", "/no"}, {0}}, NULL},
        {{{"HF_TOKEN", "a"}, {"HF_HOME", dir}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "Yes"}, {0}},
         NULL},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        sc_err err = {0};
        SC_AUTO(sc_hub_places) p = {0};
        sc_hub_env env = {var_get, (void *)(uintptr_t)cases[i].vars};
        CHECK_OK(sc_hub_places_init(&p, &env, &err), &err);
        if (cases[i].want)
            assert_string_equal(p.token, cases[i].want);
        else
            CHECK(!p.token);
    }
}

TEST(switches_and_timeouts_are_read)
{
    UNUSED;
    static const char *const on[] = {"1", "ON", "yes", "True"};
    for (size_t i = 0; i < SC_LEN(on); i++) {
        sc_err err = {0};
        SC_AUTO(sc_hub_places) p = {0};
        var vars[] = {{i % 2 ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE", on[i]},
                      {"HF_HUB_DISABLE_SYMLINKS", on[i]},
                      {"HF_HUB_ETAG_TIMEOUT", "3"},
                      {"HF_ENDPOINT", "http://127.0.0.1:8080/x//"},
                      {"HOME", "/h"},
                      {0}};
        const sc_hub_env env = env_of(vars);
        CHECK_OK(sc_hub_places_init(&p, &env, &err), &err);
        CHECK(p.offline && p.no_symlinks);
        assert_int_equal(p.etag_timeout_ms, 3000);
        assert_int_equal(p.download_timeout_ms, 10000);
        assert_string_equal(p.endpoint, "http://127.0.0.1:8080/x");
    }
    sc_err err = {0};
    SC_AUTO(sc_hub_places) p = {0};
    const sc_hub_env env = env_of((var[]){{"HOME", "/h"}, {"HF_HUB_OFFLINE", "0"}, {0}});
    CHECK_OK(sc_hub_places_init(&p, &env, &err), &err);
    CHECK(!p.offline && !p.no_symlinks);
    assert_string_equal(p.endpoint, "https://huggingface.co");
}

TEST(values_without_sense_are_refused_by_the_name_of_the_variable)
{
    UNUSED;
    static const var bad[] = {
        {"HF_ENDPOINT", "ftp://x"},          {"HF_ENDPOINT", "https://a b"},
        {"HF_ENDPOINT", "https://u:p@host"}, {"HF_HUB_ETAG_TIMEOUT", "ten"},
        {"HF_HUB_DOWNLOAD_TIMEOUT", "0"},    {"HF_HUB_DOWNLOAD_TIMEOUT", "99999999999"},
        {"HF_TOKEN", "hf_x\r\nX-Evil: 1"},   {"HF_TOKEN", "caf\xc3\xa9"},
    };
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        sc_err err = {0};
        SC_AUTO(sc_hub_places) p = {0};
        const sc_hub_env env = env_of((var[]){bad[i], {"HOME", "/h"}, {0}});
        CHECK_CODE(SC_E_USAGE, sc_hub_places_init(&p, &env, &err), &err);
        CHECK(strstr(err.msg, bad[i].name));
        CHECK(!strstr(err.msg, "hf_x"));
    }
    sc_err err = {0};
    SC_AUTO(sc_hub_places) p = {0};
    const sc_hub_env env = env_of((var[]){{0}});
    CHECK_CODE(SC_E_USAGE, sc_hub_places_init(&p, &env, &err), &err);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    const sc_hub_env env = env_of((var[]){{"HOME", "/h"}, {"HF_TOKEN", "t"}, {0}});
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_hub_places) p = {0};
        sc_alloc_fail_at(++nth);
        code = sc_hub_places_init(&p, &env, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? p.cache != NULL : code == SC_E_NOMEM && !p.cache);
    }
    CHECK(nth > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_cache_is_where_huggingface_hub_looks),
        T(the_token_comes_from_the_variables_then_the_file),
        T(switches_and_timeouts_are_read),
        T(values_without_sense_are_refused_by_the_name_of_the_variable),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
