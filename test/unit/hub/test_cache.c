// SPDX-License-Identifier: MIT
#include "hub/cache.h"

#include "env.h"

#define REPO "hub/models--org--name/"
#define SNAP REPO "snapshots/" COMMIT "/"

/* Links hub/…/snapshots/COMMIT/name to a blob with `text`, as huggingface_hub does. */
static void put_linked(const char *dir, const char *name, const char *blob, const char *text)
{
    char path[256], to[128];
    (void)snprintf(path, sizeof path, REPO "blobs/%s", blob);
    put(dir, path, text);
    (void)snprintf(path, sizeof path, SNAP ".keep");
    put(dir, path, "");
    (void)snprintf(path, sizeof path, "%s/" SNAP "%s", dir, name);
    (void)snprintf(to, sizeof to, "../../blobs/%s", blob);
    assert_int_equal(symlink(to, path), 0);
}

static sc_code find(const char *dir, const char *arg, sc_hub_want want, char **path, sc_err *err)
{
    char cache[128];
    (void)snprintf(cache, sizeof cache, "%s/hub", dir);
    const sc_hub_places places = {.cache = cache};
    sc_hub_name name = {0};
    SC_TRY(sc_hub_name_parse(sc_str_c(arg), &name, err));
    return sc_hub_cache_find(&places, &name, want, path, err);
}

static void check_found(const char *dir, const char *arg, sc_hub_want want, const char *end)
{
    sc_err err = {0};
    char *path = NULL;
    CHECK_OK(find(dir, arg, want, &path, &err), &err);
    CHECK(sc_str_ends(sc_str_c(path), sc_str_c(end)));
    sc_free(path);
}

static void check_missing(const char *dir, const char *arg, sc_code code, const char *says)
{
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(code, find(dir, arg, SC_HUB_MODEL, &path, &err), &err);
    CHECK(!path);
    if (!strstr(err.msg, says))
        print_error("%s\n", err.msg);
    CHECK(strstr(err.msg, says));
}

TEST(finds_a_linked_snapshot_by_branch_tag_pull_request_and_commit)
{
    UNUSED;
    const char *dir = scratch();
    put_linked(dir, "config.json", "c0", "{}");
    put_linked(dir, "model.safetensors", "b0", "weights");
    put_linked(dir, "tokenizer.json", "t0", "{}");
    put(dir, REPO "refs/main", COMMIT "\n");
    put(dir, REPO "refs/v1.0", COMMIT);
    put(dir, REPO "refs/refs/pr/1", COMMIT);
    check_found(dir, "org/name", SC_HUB_MODEL, "snapshots/" COMMIT);
    check_found(dir, "org/name@v1.0", SC_HUB_MODEL, "snapshots/" COMMIT);
    check_found(dir, "org/name@refs/pr/1", SC_HUB_MODEL, "snapshots/" COMMIT);
    check_found(dir, "org/name@" COMMIT, SC_HUB_TOKENIZER, "snapshots/" COMMIT);
}

TEST(finds_a_snapshot_of_real_files_and_one_gguf_in_it)
{
    UNUSED;
    const char *dir = scratch();
    put(dir, REPO "refs/main", COMMIT);
    put(dir, SNAP "README.md", "");
    put(dir, SNAP "x-Q8_0.gguf", "GGUF");
    check_found(dir, "org/name", SC_HUB_MODEL, COMMIT "/x-Q8_0.gguf");
    put(dir, SNAP "sub/x-Q4_0.gguf", "GGUF");
    check_found(dir, "org/name:Q4_0", SC_HUB_MODEL, COMMIT "/sub/x-Q4_0.gguf");
    check_missing(dir, "org/name", SC_E_USAGE, "sub/x-Q4_0.gguf, x-Q8_0.gguf");
}

TEST(says_what_is_missing)
{
    UNUSED;
    const char *dir = scratch();
    check_missing(dir, "org/name", SC_E_NOTFOUND, "not there");
    put(dir, REPO "refs/main", COMMIT);
    check_missing(dir, "org/name", SC_E_NOTFOUND, "commit " COMMIT " is not there");
    check_missing(dir, "org/name@dev", SC_E_NOTFOUND, "revision dev is not there");
    put(dir, SNAP "config.json", "{}");
    check_missing(dir, "org/name", SC_E_NOTFOUND, "incomplete: no model among 1 files");
    put_linked(dir, "model.safetensors", "b0", "weights");
    check_found(dir, "org/name", SC_HUB_MODEL, COMMIT);
    char blob[256];
    (void)snprintf(blob, sizeof blob, "%s/" REPO "blobs/b0", dir);
    assert_int_equal(unlink(blob), 0);
    check_missing(dir, "org/name", SC_E_NOTFOUND, "model.safetensors leads to a file that is gone");
    put(dir, REPO "refs/main", "../../../etc");
    check_missing(dir, "org/name", SC_E_FORMAT, "refs/main: holds no commit");
}

TEST(lists_every_snapshot_with_its_state)
{
    UNUSED;
    const char *dir = scratch();
    put(dir, REPO "refs/main", COMMIT);
    put(dir, SNAP "config.json", "{}");
    put(dir, SNAP "model.safetensors", "weights");
    put(dir, "hub/models--gpt2/snapshots/" COMMIT2 "/config.json", "{}");
    put(dir, "hub/datasets--a--b/snapshots/" COMMIT "/x", "");
    put(dir, "hub/models--a--b/snapshots/no-commit/x", "");
    char cache[128];
    (void)snprintf(cache, sizeof cache, "%s/hub", dir);
    const sc_hub_places places = {.cache = cache};
    sc_err err = {0};
    SC_AUTO(sc_hub_cached_list) l = {0};
    CHECK_OK(sc_hub_cache_list(&places, &l, &err), &err);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.at[0].repo, "gpt2");
    CHECK(!l.at[0].revision && strstr(l.at[0].lacks, "no model"));
    assert_string_equal(l.at[1].repo, "org/name");
    assert_string_equal(l.at[1].revision, "main");
    CHECK(!l.at[1].lacks);
    assert_int_equal(l.at[1].n_files, 2);
    assert_int_equal(l.at[1].size, 9);
    const sc_hub_places none = {.cache = (char[]){"/no/such/folder"}};
    SC_AUTO(sc_hub_cached_list) empty = {0};
    CHECK_OK(sc_hub_cache_list(&none, &empty, &err), &err);
    assert_int_equal(empty.n, 0);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    const char *dir = scratch();
    put(dir, REPO "refs/main", COMMIT);
    put(dir, SNAP "config.json", "{}");
    put(dir, SNAP "model.safetensors", "weights");
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        char *path = NULL;
        sc_alloc_fail_at(++nth);
        code = find(dir, "org/name", SC_HUB_MODEL, &path, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? path != NULL : code == SC_E_NOMEM && !path);
        sc_free(path);
    }
    CHECK(nth > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(finds_a_linked_snapshot_by_branch_tag_pull_request_and_commit),
        T(finds_a_snapshot_of_real_files_and_one_gguf_in_it),
        T(says_what_is_missing),
        T(lists_every_snapshot_with_its_state),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
