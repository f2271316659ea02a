// SPDX-License-Identifier: MIT
#include "fmt/safetensors.h"

#include "base/file.h"
#include "five.h"

#include <unistd.h>

static sc_code parse(const uint8_t *bytes, size_t size, sc_err *err)
{
    SC_AUTO(sc_safetensors) *s = NULL;
    const sc_code code = sc_safetensors_parse(bytes, size, &s, err);
    CHECK((code == SC_OK) == (s != NULL));
    return code;
}

/* A file of this header and `data` bytes; on the heap. */
static uint8_t *file_of(const char *header, size_t data, size_t *size)
{
    const size_t n = strlen(header);
    *size = 8 + n + data;
    uint8_t *bytes = sc_alloc(*size, 1);
    CHECK(bytes);
    for (unsigned b = 0; b < 8; b++)
        bytes[b] = (uint8_t)((uint64_t)n >> (8 * b));
    memcpy(bytes + 8, header, n);
    for (size_t i = 0; i < data; i++)
        bytes[8 + n + i] = (uint8_t)i;
    return bytes;
}

#define ONE "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"
#define GOOD                                                                                       \
    "{\"__metadata__\":{\"format\":\"pt\"}," ONE                                                   \
    ",\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[24,26]}"                            \
    ",\"c\":{\"dtype\":\"I64\",\"shape\":[0,4],\"data_offsets\":[26,26]}}   "

TEST(reads_a_good_file)
{
    UNUSED;
    size_t size = 0, n = 0;
    uint8_t *bytes = file_of(GOOD, 26, &size);
    sc_err err = {0};
    SC_AUTO(sc_safetensors) *s = NULL;
    CHECK_OK(sc_safetensors_parse(bytes, size, &s, &err), &err);
    const sc_tensor *t = sc_safetensors_tensors(s, &n);
    CHECK(n == 3 && sc_str_is(t[0].name, "a") && t[0].dtype == SC_F32 && t[0].n_dims == 2);
    CHECK(t[0].dims[1] == 3 && t[0].size == 24 && bytes[t[0].offset] == 0);
    const json_t *m = sc_safetensors_metadata(s);
    assert_string_equal(json_string_value(json_object_get(m, "format")), "pt");
    for (size_t i = 0; i < n; i++)
        if (sc_str_is(t[i].name, "b"))
            CHECK(t[i].n_dims == 0 && t[i].count == 1 && bytes[t[i].offset] == 24);
    sc_free(bytes);
}

TEST(refuses_every_truncation)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = file_of(GOOD, 26, &size);
    refuse_truncations(parse, bytes, size);
    sc_free(bytes);
}

TEST(refuses_header_lengths_that_wrap)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = file_of(GOOD, 26, &size);
    const edit edits[] = {
        {0, 8, UINT64_MAX, NULL}, {0, 8, UINT64_MAX - 7, NULL}, {0, 8, 1ull << 63, NULL},
        {0, 8, 100000001, NULL},  {0, 8, size, NULL},           {0, 8, size - 7, NULL},
        {0, 8, 0, NULL},          {8, 1, 0xff, NULL},           {8, 1, '[', NULL},
    };
    refuse_edits(parse, bytes, size, edits, SC_LEN(edits));
    sc_free(bytes);
}

TEST(refuses_shapes_and_places_that_do_not_hold)
{
    UNUSED;
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } cases[] = {
#define AT(type, shape, offsets)                                                                   \
    "{\"a\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
        {AT("F32", "[2,18446744073709551614]", "[0,16]"), 16, "a"},
        {AT("F32", "[2,9223372036854775807]", "[0,16]"), 16, "a"},
        {AT("F32", "[4611686018427387904,4]", "[0,16]"), 16, "a"},
        {AT("F32", "[-2,2]", "[0,16]"), 16, "a"},
        {AT("F32", "[2.5,2]", "[0,20]"), 20, "a"},
        {AT("F32", "[2,2]", "[0,4]"), 4, "a"},
        {AT("F32", "[2,2]", "[16,0]"), 16, "a"},
        {AT("F32", "[2,2]", "[0,18446744073709551615]"), 16, "a"},
        {AT("F32", "[2,2]", "[-16,0]"), 16, "a"},
        {AT("F32", "[2,2]", "[4,20]"), 20, "a"},   // a hole in front
        {AT("F32", "[2,2]", "[0,16]"), 17, NULL},  // a byte behind
        {AT("F32", "[2,2]", "[0]"), 16, "a"},      //
        {AT("F32", "{}", "[0,16]"), 16, "a"},      //
        {AT("F33", "[2,2]", "[0,16]"), 16, "F33"}, //
        {AT("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "a"},
        {"{" ONE "," ONE "}", 24, NULL},
        {"{" ONE ",\"b\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}", 24, NULL},
        {"{" ONE ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[28,32]}}", 32, NULL},
        {"{\"__metadata__\":{\"x\":1}," ONE "}", 24, "__metadata__"},
        {"{\"a\\nb\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, NULL},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "a"},
        {"{\"a\":[]}", 0, "a"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        size_t size = 0;
        uint8_t *bytes = file_of(cases[i].header, cases[i].data, &size);
        sc_err err = {0};
        const sc_code code = parse(bytes, size, &err);
        if ((code != SC_E_FORMAT && code != SC_E_UNSUPPORTED) ||
            (cases[i].says && !strstr(err.msg, cases[i].says)) ||
            (err.at != SC_NOWHERE && err.at > size))
            fail_msg("%s: %s: %s", cases[i].header, sc_code_name(code), err.msg);
        sc_free(bytes);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = file_of(GOOD, 26, &size);
    survive_allocations(parse, bytes, size);
    sc_free(bytes);
}

TEST(says_where_it_failed)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = file_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],,}}", 24, &size);
    sc_err err = {0};
    CHECK_CODE(SC_E_FORMAT, parse(bytes, size, &err), &err);
    CHECK(err.at != SC_NOWHERE && err.at > 8 && err.at <= size - 24);
    sc_free(bytes);
}

TEST(writes_what_it_reads_whole_or_not_at_all)
{
    UNUSED;
    char path[256];
    const char *temp = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%.200s/sc-st-%ld", temp ? temp : P_tmpdir, (long)getpid());
    static const float x[] = {1, 2, 3, 4};
    static const int64_t y[] = {5};
    const sc_safetensors_item items[] = {
        {"z", SC_F32, 2, {2, 2}, x}, {"y", SC_I64, 1, {1}, y}, {"a", SC_F32, 1, {4}, x}};
    sc_err err = {0};
    SC_AUTO(sc_buf) b = sc_buf_init(1 << 16);
    CHECK_OK(sc_safetensors_write(path, items, SC_LEN(items), NULL, &err), &err);
    CHECK_OK(sc_file_read(path, 1 << 16, &b, &err), &err);
    SC_AUTO(sc_safetensors) *s = NULL;
    CHECK_OK(sc_safetensors_parse(sc_buf_text(&b), b.n, &s, &err), &err);
    size_t n = 0;
    const sc_tensor *t = sc_safetensors_tensors(s, &n);
    CHECK(n == 3 && sc_str_is(t[0].name, "y") && sc_str_is(t[1].name, "a")); // by type, then name
    assert_memory_equal(sc_buf_text(&b) + t[1].offset, x, sizeof x);
    const sc_safetensors_item twice[] = {{"a", SC_F32, 1, {4}, x}, {"a", SC_F32, 1, {4}, x}};
    CHECK(unlink(path) == 0);
    CHECK_CODE(SC_E_USAGE, sc_safetensors_write(path, twice, 2, NULL, &err), &err);
    CHECK(!sc_file_is_file(path));
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(reads_a_good_file),
        T(refuses_every_truncation),
        T(refuses_header_lengths_that_wrap),
        T(refuses_shapes_and_places_that_do_not_hold),
        T(survives_every_failed_allocation),
        T(says_where_it_failed),
        T(writes_what_it_reads_whole_or_not_at_all),
    };
    return RUN_TESTS(tests);
}
