/* Folders of a model: shards, indices, what is chosen, what is refused. */
// SPDX-License-Identifier: MIT
#include "fmt/weights.h"

#include "base/file.h"
#include "five.h"
#include "fmt/gguf_write.h"
#include "fmt/safetensors.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 512 };

/* A folder of its own for each test, removed with what is in it. */
static void make_folder(char dir[PATH])
{
    CHECK(mkdtemp(scratch_path(dir)));
}

static void remove_folder(const char *dir)
{
    DIR *d = opendir(dir);
    CHECK(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[2 * PATH];
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        (void)unlink(path); // not "." and ".."
    }
    (void)closedir(d);
    CHECK(rmdir(dir) == 0);
}

static const char *in(const char *dir, const char *name)
{
    static char path[2 * PATH];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put_text(const char *dir, const char *name, const char *text)
{
    sc_err err = {0};
    CHECK_OK(sc_file_write(in(dir, name), sc_str_c(text), &err), &err);
}

/* A file of one vector of two floats. */
static void put_shard(const char *dir, const char *name, const char *tensor, float first)
{
    sc_err err = {0};
    const float x[] = {first, 2};
    const sc_safetensors_item item = {tensor, SC_F32, 1, {2}, x};
    CHECK_OK(sc_safetensors_write(in(dir, name), &item, 1, NULL, &err), &err);
}

static void put_gguf(const char *dir, const char *name)
{
    sc_err err = {0};
    const float x[] = {1, 2};
    SC_AUTO(sc_gguf_writer) *w = NULL;
    CHECK_OK(sc_gguf_writer_new(&w, &err), &err);
    sc_gguf_put_str(w, "general.architecture", SC_STR("llama"));
    CHECK_OK(sc_gguf_writer_add(w, "a", SC_F32, 1, (const uint64_t[]){2}, &err), &err);
    CHECK_OK(sc_gguf_writer_begin(w, in(dir, name), &err), &err);
    CHECK_OK(sc_gguf_writer_data(w, x, sizeof x, &err), &err);
    CHECK_OK(sc_gguf_writer_finish(w, &err), &err);
}

#define INDEX(map) "{\"metadata\":{\"total_size\":16},\"weight_map\":" map "}"
#define BOTH                                                                                       \
    INDEX("{\"a\":\"m-00001-of-00002.safetensors\",\"b\":\"m-00002-of-00002.safetensors\"}")

static void make_sharded(const char *dir)
{
    put_shard(dir, "m-00001-of-00002.safetensors", "a", 1);
    put_shard(dir, "m-00002-of-00002.safetensors", "b", 3);
    put_text(dir, "model.safetensors.index.json", BOTH);
    put_text(dir, "config.json", "{\"model_type\":\"llama\"}");
}

TEST(shards_are_one_model)
{
    UNUSED;
    char dir[PATH];
    make_folder(dir);
    make_sharded(dir);
    for (int whole = 0; whole < 2; whole++) {
        sc_err err = {0};
        size_t n = 0;
        const void *bytes = NULL;
        SC_AUTO(sc_weights) *w = NULL;
        CHECK_OK(sc_weights_open(whole ? dir : in(dir, "model.safetensors.index.json"), &w, &err),
                 &err);
        (void)sc_weights_tensors(w, &n);
        CHECK(n == 2 && sc_weights_kind_of(w) == SC_WEIGHTS_SAFETENSORS);
        const sc_tensor *b = sc_weights_find(w, SC_STR("b"));
        CHECK(b && b->size == 8);
        CHECK_OK(sc_weights_data(w, b, &bytes, &err), &err);
        assert_memory_equal(bytes, ((const float[]){3, 2}), 8);
        CHECK(sc_weights_in_file(w, bytes, bytes));
        const void *other = NULL;
        CHECK_OK(sc_weights_data(w, sc_weights_find(w, SC_STR("a")), &other, &err), &err);
        const bool rises = (uintptr_t)other < (uintptr_t)bytes;
        CHECK(!sc_weights_in_file(w, rises ? other : bytes, rises ? bytes : other));
        (void)sc_weights_files(w, &n);
        CHECK(n == 2 && sc_weights_config(w));
    }
    remove_folder(dir);
}

TEST(an_index_that_lies_is_refused_and_says_how)
{
    UNUSED;
    static const struct {
        const char *index, *says;
    } cases[] = {
        {"{", "model.safetensors.index.json"},
        {"[]", "weight_map"},
        {"{\"weight_map\":3}", "weight_map"},
        {INDEX("{\"a\":\"../m-00001-of-00002.safetensors\"}"), "is not a file's name"},
        {INDEX("{\"a\":\"/etc/passwd\"}"), "is not a file's name"},
        {INDEX("{\"a\":\"..\"}"), "is not a file's name"},
        {INDEX("{\"a\":7}"), "is not a file's name"},
        {INDEX("{\"a\":\"gone.safetensors\",\"b\":\"m-00002-of-00002.safetensors\"}"), "gone"},
        {INDEX("{\"a\":\"m-00002-of-00002.safetensors\",\"b\":\"m-00002-of-00002.safetensors\"}"),
         "a"},
        {INDEX("{\"x\":\"m-00001-of-00002.safetensors\",\"b\":\"m-00002-of-00002.safetensors\"}"),
         "x"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        char dir[PATH];
        make_folder(dir);
        make_sharded(dir);
        put_text(dir, "model.safetensors.index.json", cases[i].index);
        sc_err err = {0};
        SC_AUTO(sc_weights) *w = NULL;
        const sc_code code = sc_weights_open(dir, &w, &err);
        if (code == SC_OK || w || !strstr(err.msg, cases[i].says))
            fail_msg("%s: %s: %s", cases[i].index, sc_code_name(code), err.msg);
        remove_folder(dir);
    }
}

TEST(every_truncation_of_a_shard_or_of_the_index_is_refused)
{
    UNUSED;
    static const char *const names[] = {"m-00002-of-00002.safetensors",
                                        "model.safetensors.index.json"};
    char dir[PATH];
    make_folder(dir);
    make_sharded(dir);
    for (size_t k = 0; k < SC_LEN(names); k++) {
        sc_err err = {0};
        SC_AUTO(sc_buf) whole = sc_buf_init(1 << 16);
        CHECK_OK(sc_file_read(in(dir, names[k]), 1 << 16, &whole, &err), &err);
        for (size_t cut = 0; cut < whole.n; cut++) {
            CHECK(truncate(in(dir, names[k]), (off_t)cut) == 0);
            err = (sc_err){0};
            SC_AUTO(sc_weights) *w = NULL;
            const sc_code code = sc_weights_open(dir, &w, &err);
            if (code == SC_OK || !strstr(err.msg, names[k]))
                fail_msg("%s cut to %zu: %s: %s", names[k], cut, sc_code_name(code), err.msg);
            CHECK_OK(sc_file_write(in(dir, names[k]), sc_buf_str(&whole), &err), &err);
        }
    }
    remove_folder(dir);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    char dir[PATH];
    make_folder(dir);
    make_sharded(dir);
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_weights) *w = NULL;
        sc_alloc_fail_at(++nth);
        code = sc_weights_open(dir, &w, &err);
        sc_alloc_fail_at(0);
        CHECK((code == SC_OK) == (w != NULL));
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %ld: %s: %s", nth, sc_code_name(code), err.msg);
    }
    CHECK(nth > 5);
    remove_folder(dir);
}

TEST(a_folder_with_several_models_or_none_says_so)
{
    UNUSED;
    char dir[PATH];
    make_folder(dir);
    sc_err err = {0};
    SC_AUTO(sc_weights) *w = NULL;
    CHECK_CODE(SC_E_NOTFOUND, sc_weights_open(dir, &w, &err), &err);
    CHECK(strstr(err.msg, dir));
    put_gguf(dir, "one.gguf");
    CHECK_OK(sc_weights_open(dir, &w, &err), &err);
    CHECK(sc_weights_kind_of(w) == SC_WEIGHTS_GGUF && sc_weights_gguf(w));
    sc_weights_close(sc_take(w));
    put_gguf(dir, "two.gguf");
    CHECK_CODE(SC_E_NOTFOUND, sc_weights_open(dir, &w, &err), &err);
    CHECK(strstr(err.msg, "one.gguf") || strstr(err.msg, "two.gguf") || strstr(err.msg, "more"));
    CHECK_CODE(SC_E_IO, sc_weights_open(in(dir, "three.gguf"), &w, &err), &err);
    remove_folder(dir);
}

TEST(the_format_is_found_in_the_content)
{
    UNUSED;
    char dir[PATH];
    make_folder(dir);
    put_gguf(dir, "model.pt");
    put_shard(dir, "model.gguf", "a", 1);
    put_text(dir, "model.bin", "this is no model at all");
    sc_err err = {0};
    SC_AUTO(sc_weights) *a = NULL;
    SC_AUTO(sc_weights) *b = NULL;
    SC_AUTO(sc_weights) *c = NULL;
    CHECK_OK(sc_weights_open(in(dir, "model.pt"), &a, &err), &err);
    CHECK(sc_weights_kind_of(a) == SC_WEIGHTS_GGUF);
    CHECK_OK(sc_weights_open(in(dir, "model.gguf"), &b, &err), &err);
    CHECK(sc_weights_kind_of(b) == SC_WEIGHTS_SAFETENSORS);
    const sc_code code = sc_weights_open(in(dir, "model.bin"), &c, &err);
    CHECK((code == SC_E_FORMAT || code == SC_E_UNSUPPORTED) && strstr(err.msg, "model.bin"));
    remove_folder(dir);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(shards_are_one_model),
        T(an_index_that_lies_is_refused_and_says_how),
        T(every_truncation_of_a_shard_or_of_the_index_is_refused),
        T(survives_every_failed_allocation),
        T(a_folder_with_several_models_or_none_says_so),
        T(the_format_is_found_in_the_content),
    };
    return RUN_TESTS(tests);
}
