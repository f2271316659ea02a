// SPDX-License-Identifier: MIT
#include "base/clock.h"
#include "base/json.h"
#include "data.h"
#include "fmt/torch.h"
#include "fmt/weights.h"

#include <fcntl.h>
#include <unistd.h>

static const char *const good[] = {"torch/zip.pt",  "torch/proto4.pt", "torch/legacy.pt",
                                   "torch/bare.pt", "torch/views.pt",  "torch/other.pt"};

static const sc_tensor *named(const sc_weights *w, const char *name)
{
    const sc_tensor *t = sc_weights_find(w, sc_str_c(name));
    CHECK(t);
    return t;
}

TEST(reads_every_form_of_a_checkpoint)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(good); i++) {
        sc_err err = {0};
        SC_AUTO(sc_weights) *w = NULL;
        char *path = data_path(good[i]);
        CHECK_OK(sc_weights_open(path, &w, &err), &err);
        sc_free(path);
        const sc_tensor *a = named(w, "a");
        const sc_tensor *b = named(w, "b");
        CHECK(a->dtype == SC_F32 && a->n_dims == 2 && a->dims[0] == 2 && a->dims[1] == 3);
        CHECK(b->dtype == SC_F16 && b->n_dims == 1 && b->size == 6);
        CHECK(named(w, "c")->count == 0 && named(w, "c")->dims[1] == 4);
        const void *bytes = NULL;
        CHECK_OK(sc_weights_data(w, a, &bytes, &err), &err);
        const float want[] = {0, 1, 2, 3, 4, 5};
        assert_memory_equal(bytes, want, sizeof want);
        CHECK_OK(sc_weights_data(w, b, &bytes, &err), &err);
        const uint16_t halves[] = {0x3800, 0x3e00, 0xc000};
        assert_memory_equal(bytes, halves, sizeof halves);
    }
}

TEST(views_are_gathered_and_what_is_dense_is_not)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_weights) *w = NULL;
    char *path = data_path("torch/views.pt");
    CHECK_OK(sc_weights_open(path, &w, &err), &err);
    sc_free(path);
    const void *bytes = NULL;
    CHECK(named(w, "d")->dense && !named(w, "a")->dense && !named(w, "e")->dense);
    CHECK_OK(sc_weights_data(w, named(w, "d"), &bytes, &err), &err);
    CHECK(sc_weights_gathered(w) == 0);
    const float d[] = {4, 5, 6, 7};
    assert_memory_equal(bytes, d, sizeof d);
    CHECK_OK(sc_weights_data(w, named(w, "e"), &bytes, &err), &err);
    const float e[] = {1, 5, 9};
    assert_memory_equal(bytes, e, sizeof e);
    CHECK(sc_weights_gathered(w) == 12);
}

TEST(the_config_and_the_other_values_become_json_and_the_optimizer_nothing)
{
    UNUSED;
    for (size_t i = 0; i < 3; i++) {
        sc_err err = {0};
        size_t size = 0;
        uint8_t *bytes = data_read(good[i], &size);
        SC_AUTO(sc_torch) *t = NULL;
        CHECK_OK(sc_torch_parse(bytes, size, &t, &err), &err);
        const json_t *c = sc_torch_config(t);
        CHECK(json_integer_value(json_object_get(c, "vocab_size")) == 7);
        CHECK(json_is_null(json_object_get(c, "rope_scaling")));
        CHECK(json_real_value(json_object_get(c, "rms_norm_eps")) == 1e-6);
        CHECK(json_is_true(json_object_get(c, "tied")));
        assert_string_equal(json_string_value(json_object_get(c, "dtype")), "torch.float16");
        const json_t *x = sc_torch_extra(t);
        CHECK(json_integer_value(json_object_get(x, "epoch")) == 3);
        CHECK(json_real_value(json_object_get(x, "val_loss")) == 1.25);
        assert_int_equal(json_object_size(x), 2);
        size_t n = 0;
        (void)sc_torch_tensors(t, &n);
        assert_int_equal(n, 3);
        sc_free(bytes);
    }
}

TEST(refuses_every_truncation)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(good); i++) {
        size_t size = 0;
        uint8_t *bytes = data_read(good[i], &size);
        for (size_t cut = 1; cut < size; cut++) {
            sc_err err = {0};
            SC_AUTO(sc_torch) *t = NULL;
            const sc_code code = sc_torch_parse(bytes, cut, &t, &err);
            if (code == SC_OK || t || (err.at != SC_NOWHERE && err.at > cut))
                fail_msg("%s cut to %zu: %s", good[i], cut, err.msg);
        }
        sc_free(bytes);
    }
}

/* The promise of weights: what was accepted can be read. Every byte is changed in three ways. */
TEST(survives_every_changed_byte)
{
    UNUSED;
    static const uint8_t change[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < 3; i++) {
        size_t size = 0;
        uint8_t *bytes = data_read(good[i], &size);
        for (size_t at = 0; at < size; at++)
            for (size_t k = 0; k < SC_LEN(change); k++) {
                bytes[at] ^= change[k];
                sc_err err = {0};
                SC_AUTO(sc_torch) *t = NULL;
                size_t n = 0;
                if (sc_torch_parse(bytes, size, &t, &err) == SC_OK) {
                    const sc_tensor *x = sc_torch_tensors(t, &n);
                    for (size_t j = 0; j < n; j++) {
                        uint64_t last = x[j].offset;
                        for (uint32_t d = 0; d < x[j].n_dims && x[j].count; d++)
                            last += (x[j].dims[d] - 1) * x[j].stride[d] *
                                    sc_dtype_info(x[j].dtype)->size;
                        CHECK(x[j].count == 0 || last < size);
                    }
                }
                bytes[at] ^= change[k];
            }
        sc_free(bytes);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(good); i++) {
        size_t size = 0;
        uint8_t *bytes = data_read(good[i], &size);
        long nth = 0;
        sc_code code = SC_E_NOMEM;
        while (code != SC_OK) {
            sc_err err = {0};
            SC_AUTO(sc_torch) *t = NULL;
            sc_alloc_fail_at(++nth);
            code = sc_torch_parse(bytes, size, &t, &err);
            sc_alloc_fail_at(0);
            if (code != SC_OK && code != SC_E_NOMEM)
                fail_msg("%s, allocation %ld: %s", good[i], nth, err.msg);
            CHECK(nth < 10000);
        }
        sc_free(bytes);
    }
}

TEST(a_file_that_names_code_is_refused_and_nothing_is_run)
{
    UNUSED;
    sc_err err = {0};
    size_t size = 0;
    uint8_t *bytes = data_read("torch/evil.pt", &size);
    SC_AUTO(sc_torch) *t = NULL;
    CHECK_CODE(SC_E_FORMAT, sc_torch_parse(bytes, size, &t, &err), &err);
    CHECK(strstr(err.msg, "could run code") && err.at < size);
    sc_free(bytes);
}

TEST(other_archives_are_told_apart)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_torch) *t = NULL;
    static const char preview[] = "PYTORCH1 and more";
    CHECK(sc_torch_is(preview, sizeof preview));
    CHECK_CODE(SC_E_UNSUPPORTED, sc_torch_parse(preview, sizeof preview, &t, &err), &err);
    char tar[512] = "storages";
    memcpy(tar + 257, "ustar", 5);
    CHECK(sc_torch_is(tar, sizeof tar));
    CHECK_CODE(SC_E_UNSUPPORTED, sc_torch_parse(tar, sizeof tar, &t, &err), &err);
    CHECK(!sc_torch_is("{\"a\":1}", 7));
}

static void put(uint8_t **p, const void *bytes, size_t n)
{
    memcpy(*p, bytes, n);
    *p += n;
}

static void put_le(uint8_t **p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        *(*p)++ = i < 8 ? (uint8_t)(v >> (8 * i)) : 0;
}

/* The pickle of {"model_state_dict": {"w": a tensor of n floats}}. */
static size_t big_pickle(uint8_t *out, uint32_t n)
{
    uint8_t *p = out;
    static const char a[] =
        "\x80\x02}X\x10\0\0\0model_state_dict}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("
        "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
        "0X\x03\0\0\0cpuJ";
    put(&p, a, sizeof a - 1);
    put_le(&p, n, 4);
    put(&p, "tQK\0J", 5);
    put_le(&p, n, 4);
    put(&p, "\x85K\x01\x85\x89NtRss.", 11);
    return (size_t)(p - out);
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (0xedb88320u & (0u - (c & 1)));
    }
    return ~c;
}

struct member {
    const char *name;
    uint32_t size, crc, head;
};

static void local_header(int fd, const struct member *m)
{
    uint8_t b[128];
    uint8_t *p = b;
    put_le(&p, 0x04034b50, 4);
    put_le(&p, 0, 10); // version, flags, method, time, date
    put_le(&p, m->crc, 4);
    put_le(&p, m->size, 4);
    put_le(&p, m->size, 4);
    put_le(&p, strlen(m->name), 2);
    put_le(&p, 0, 2);
    put(&p, m->name, strlen(m->name));
    CHECK(pwrite(fd, b, (size_t)(p - b), m->head) == p - b);
}

static uint8_t *directory_entry(uint8_t *p, const struct member *m)
{
    put_le(&p, 0x02014b50, 4);
    put_le(&p, 0, 12);
    put_le(&p, m->crc, 4);
    put_le(&p, m->size, 4);
    put_le(&p, m->size, 4);
    put_le(&p, strlen(m->name), 2);
    put_le(&p, 0, 12);
    put_le(&p, m->head, 4);
    put(&p, m->name, strlen(m->name));
    return p;
}

/* A checkpoint of one gigabyte whose data is a hole in the file. */
static void write_sparse(const char *path, uint32_t floats)
{
    uint8_t pickle[512];
    struct member m[2] = {{.name = "x/data.pkl"}, {.name = "x/data/0"}};
    m[0].size = (uint32_t)big_pickle(pickle, floats);
    m[0].crc = crc32_of(pickle, m[0].size);
    m[1].size = floats * 4;
    m[1].head = 30 + (uint32_t)strlen(m[0].name) + m[0].size;
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    local_header(fd, &m[0]);
    CHECK(pwrite(fd, pickle, m[0].size, 30 + (off_t)strlen(m[0].name)) == (ssize_t)m[0].size);
    local_header(fd, &m[1]);
    const uint64_t at = m[1].head + 30 + strlen(m[1].name) + (uint64_t)m[1].size;
    uint8_t b[512];
    uint8_t *p = directory_entry(directory_entry(b, &m[0]), &m[1]);
    const size_t size = (size_t)(p - b);
    put_le(&p, 0x06054b50, 4);
    put_le(&p, 0, 4);
    put_le(&p, 2, 2);
    put_le(&p, 2, 2);
    put_le(&p, size, 4);
    put_le(&p, at, 4);
    put_le(&p, 0, 2);
    CHECK(pwrite(fd, b, (size_t)(p - b), (off_t)at) == p - b);
    (void)close(fd);
}

TEST(opening_a_gigabyte_reads_no_tensor_data)
{
    UNUSED;
    char path[SCRATCH];
    const int fd = mkstemp(scratch_path(path));
    CHECK(fd >= 0);
    (void)close(fd);
    write_sparse(path, 1u << 28);
    const sc_clock clock = sc_clock_real();
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        sc_err err = {0};
        const uint64_t from = sc_clock_ns(&clock);
        SC_AUTO(sc_weights) *w = NULL;
        CHECK_OK(sc_weights_open(path, &w, &err), &err);
        const double seconds = sc_clock_seconds(from, sc_clock_ns(&clock));
        best = seconds < best ? seconds : best;
        CHECK(named(w, "w")->size == 1u << 30 && named(w, "w")->dense);
    }
    (void)unlink(path);
    printf("# opened 1 GiB in %.2f ms\n", best * 1e3);
    CHECK(best < 0.05);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(reads_every_form_of_a_checkpoint),
        T(views_are_gathered_and_what_is_dense_is_not),
        T(the_config_and_the_other_values_become_json_and_the_optimizer_nothing),
        T(refuses_every_truncation),
        T(survives_every_changed_byte),
        T(survives_every_failed_allocation),
        T(a_file_that_names_code_is_refused_and_nothing_is_run),
        T(other_archives_are_told_apart),
        T(opening_a_gigabyte_reads_no_tensor_data),
    };
    return RUN_TESTS(tests);
}
