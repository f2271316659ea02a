// SPDX-License-Identifier: MIT
#include "hub/resolve.h"

#include "env.h"

static sc_code resolve(const char *dir, const char *arg, char **path, sc_err *err)
{
    var vars[] = {{"HF_HUB_CACHE", dir}, {"HOME", dir}, {0}};
    const sc_hub_env env = env_of(vars);
    const sc_hub_opts opts = {.env = &env};
    return sc_hub_resolve(arg, &opts, path, err);
}

TEST(an_existing_file_or_folder_comes_first)
{
    UNUSED;
    const char *dir = scratch();
    put(dir, "m.pt", "x");
    put(dir, "org/name/config.json", "{}");
    char here[256];
    CHECK(getcwd(here, sizeof here));
    assert_int_equal(chdir(dir), 0);
    static const char *const args[] = {"m.pt", "org/name", "./org/name"};
    for (size_t i = 0; i < SC_LEN(args); i++) {
        sc_err err = {0};
        char *path = NULL;
        CHECK_OK(resolve(dir, args[i], &path, &err), &err);
        assert_string_equal(path, args[i]);
        sc_free(path);
    }
    assert_int_equal(chdir(here), 0);
}

TEST(a_short_name_and_a_hub_name_lead_into_the_cache)
{
    UNUSED;
    const char *dir = scratch();
    put(dir, "models--Salesforce--codegen-350M-mono/refs/main", COMMIT);
    put(dir, "models--Salesforce--codegen-350M-mono/snapshots/" COMMIT "/config.json", "{}");
    put(dir, "models--Salesforce--codegen-350M-mono/snapshots/" COMMIT "/pytorch_model.bin", "x");
    static const char *const args[] = {"codegen-350m", "Salesforce/codegen-350M-mono",
                                       "Salesforce/codegen-350M-mono@" COMMIT};
    for (size_t i = 0; i < SC_LEN(args); i++) {
        sc_err err = {0};
        char *path = NULL;
        CHECK_OK(resolve(dir, args[i], &path, &err), &err);
        CHECK(sc_str_ends(sc_str_c(path), SC_STR("snapshots/" COMMIT)));
        sc_free(path);
    }
}

TEST(says_what_was_tried_and_what_helps)
{
    UNUSED;
    const char *dir = scratch();
    static const struct {
        const char *arg, *says;
        sc_code code;
    } cases[] = {
        {"codellama-7b",
         "(codellama/CodeLlama-7b-hf, revision main: not there); allow the download "
         "with --pull missing",
         SC_E_NOTFOUND},
        {"org/none@v2", "org/none@v2: no such file or folder, and not usable from", SC_E_NOTFOUND},
        {"dir/m.pt", "dir/m.pt: no such file or folder", SC_E_NOTFOUND},
        {"/no/such", "/no/such: no such file or folder", SC_E_NOTFOUND},
        {"a/b/c", "not a hub name (org/name[@revision])", SC_E_NOTFOUND},
        {"http://x/v1", "an address", SC_E_USAGE},
        {"", "empty", SC_E_USAGE},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        sc_err err = {0};
        char *path = NULL;
        CHECK_CODE(cases[i].code, resolve(dir, cases[i].arg, &path, &err), &err);
        if (!strstr(err.msg, cases[i].says))
            print_error("%s\n", err.msg);
        CHECK(strstr(err.msg, cases[i].says) && !path);
    }
}

TEST(offline_forbids_the_download_even_when_asked_for)
{
    UNUSED;
    const char *dir = scratch();
    var vars[] = {{"HF_HUB_CACHE", dir}, {"HOME", dir}, {"HF_HUB_OFFLINE", "1"}, {0}};
    const sc_hub_env env = env_of(vars);
    const sc_hub_opts opts = {.env = &env, .pull = SC_HUB_PULL_MISSING};
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(SC_E_NOTFOUND, sc_hub_resolve("org/name", &opts, &path, &err), &err);
    CHECK(strstr(err.msg, "HF_HUB_OFFLINE forbids"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_existing_file_or_folder_comes_first),
        T(a_short_name_and_a_hub_name_lead_into_the_cache),
        T(says_what_was_tried_and_what_helps),
        T(offline_forbids_the_download_even_when_asked_for),
    };
    return RUN_TESTS(tests);
}
