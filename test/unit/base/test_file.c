// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/map.h"
#include "base/sha256.h"
#include "t.h"

#include <unistd.h>

static char dir[SCRATCH];

static char *in_dir(const char *name)
{
    char *path = sc_path_join(dir, name);
    CHECK(path);
    return path;
}

TEST(what_was_written_is_read_mapped_and_hashed)
{
    UNUSED;
    sc_err err = {0};
    char *sub = in_dir("a/b");
    char *path = in_dir("a/b/file");
    CHECK_OK(sc_file_make_dirs(sub, &err), &err);
    CHECK_OK(sc_file_make_dirs(sub, &err), &err);
    CHECK_OK(sc_file_write(path, SC_STR("abc"), &err), &err);
    SC_AUTO(sc_buf) back = sc_buf_init(0);
    CHECK_OK(sc_file_read(path, 3, &back, &err), &err);
    assert_string_equal(back.p, "abc");
    SC_AUTO(sc_map) *m = NULL;
    CHECK_OK(sc_map_open(path, &m, &err), &err);
    size_t size = 0;
    assert_memory_equal(sc_map_bytes(m, &size), "abc", 3);
    assert_int_equal(size, 3);
    char hex[SC_SHA256_HEX];
    CHECK_OK(sc_sha256_file(path, hex, &err), &err);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_CODE(SC_E_LIMIT, sc_file_read(path, 2, &back, &err), &err);
    sc_free(sub);
    sc_free(path);
}

TEST(missing_files_and_folders_are_errors)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_buf) b = sc_buf_init(0);
    SC_AUTO(sc_map) *m = NULL;
    CHECK_CODE(SC_E_IO, sc_file_read("no/such", 10, &b, &err), &err);
    CHECK(err.sys != 0 && strstr(err.msg, "no/such"));
    CHECK_CODE(SC_E_FORMAT, sc_file_read(dir, 10, &b, &err), &err);
    CHECK_CODE(SC_E_FORMAT, sc_map_open(dir, &m, &err), &err);
    CHECK_CODE(SC_E_IO, sc_file_write("no/such", SC_STR("x"), &err), &err);
    CHECK_CODE(SC_E_IO, sc_file_make_dirs("/dev/null/x", &err), &err);
}

TEST(an_empty_file_maps)
{
    UNUSED;
    sc_err err = {0};
    char *path = in_dir("empty");
    CHECK_OK(sc_file_write(path, SC_STR(""), &err), &err);
    SC_AUTO(sc_map) *m = NULL;
    CHECK_OK(sc_map_open(path, &m, &err), &err);
    size_t size = 1;
    CHECK(sc_map_bytes(m, &size) != NULL);
    assert_int_equal(size, 0);
    sc_free(path);
}

TEST(paths_split_and_join)
{
    UNUSED;
    char *a = sc_path_join("x/", "y");
    char *b = sc_path_dir("x/y/z");
    char *c = sc_path_dir("z");
    assert_string_equal(a, "x/y");
    assert_string_equal(b, "x/y");
    assert_string_equal(c, ".");
    assert_string_equal(sc_path_base("x/y"), "y");
    sc_free(a);
    sc_free(b);
    sc_free(c);
}

int main(void)
{
    if (!mkdtemp(scratch_path(dir)))
        return 1;
    const struct CMUnitTest tests[] = {
        T(what_was_written_is_read_mapped_and_hashed),
        T(missing_files_and_folders_are_errors),
        T(an_empty_file_maps),
        T(paths_split_and_join),
    };
    return RUN_TESTS(tests);
}
