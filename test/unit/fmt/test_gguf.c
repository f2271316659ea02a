// SPDX-License-Identifier: MIT
#include "fmt/gguf.h"

#include "five.h"
#include "fmt/gguf_write.h"

#include <math.h>

enum { DATA = 24 + 8 + 2 * 34 + 28, TENSORS_AT = 8, VALUES_AT = 16, KEY_AT = 24 };

static sc_code parse(const uint8_t *bytes, size_t size, sc_err *err)
{
    SC_AUTO(sc_gguf) *g = NULL;
    const sc_code code = sc_gguf_parse(bytes, size, &g, err);
    CHECK((code == SC_OK) == (g != NULL));
    return code;
}

/* A file with every kind of value, a plain and a quantised tensor; on the heap. */
static uint8_t *good(size_t *size)
{
    sc_err err = {0};
    SC_AUTO(sc_gguf_writer) *w = NULL;
    SC_AUTO(sc_buf) b = sc_buf_init(1 << 16);
    CHECK_OK(sc_gguf_writer_new(&w, &err), &err);
    sc_gguf_put_str(w, "general.architecture", SC_STR("llama"));
    sc_gguf_put_u32(w, "a.u32", 4000000000u);
    sc_gguf_put_i32(w, "a.i32", -7);
    sc_gguf_put_f32(w, "a.f32", 1.5f);
    sc_gguf_put_bool(w, "a.bool", true);
    sc_gguf_put_array(w, "a.strings", SC_GGUF_STR, 2);
    sc_gguf_item_str(w, SC_STR("one"));
    sc_gguf_item_str(w, SC_STR(""));
    sc_gguf_put_array(w, "a.ints", SC_GGUF_I32, 2);
    sc_gguf_item_i32(w, 1);
    sc_gguf_item_i32(w, -1);
    sc_gguf_put_array(w, "a.floats", SC_GGUF_F32, 1);
    sc_gguf_item_f32(w, 0.25f);
    CHECK_OK(sc_gguf_writer_add(w, "plain.weight", SC_F32, 2, (const uint64_t[]){2, 3}, &err),
             &err);
    CHECK_OK(sc_gguf_writer_add(w, "blocks.weight", SC_Q8_0, 2, (const uint64_t[]){2, 32}, &err),
             &err);
    CHECK_OK(sc_gguf_writer_head(w, &b, &err), &err);
    for (size_t i = 0; i < DATA; i++) // 24 bytes, padding to 32, 68 bytes, padding
        sc_buf_add_char(&b, (char)i);
    *size = b.n;
    uint8_t *bytes = sc_alloc(b.n, 1);
    CHECK(bytes && sc_buf_ok(&b));
    memcpy(bytes, sc_buf_text(&b), b.n);
    return bytes;
}

TEST(a_bool_is_0_or_1)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = good(&size);
    const char key[] = "a.bool";
    uint8_t *at = memmem(bytes, size, key, sizeof key - 1);
    CHECK(at != NULL);
    at += sizeof key - 1 + 4; // behind its type
    CHECK(*at == 1);
    for (unsigned v = 0; v < 256; v++) {
        sc_err err = {0};
        SC_AUTO(sc_gguf) *g = NULL;
        *at = (uint8_t)v;
        if (v < 2) {
            CHECK_OK(sc_gguf_parse(bytes, size, &g, &err), &err);
            continue;
        }
        CHECK_CODE(SC_E_FORMAT, sc_gguf_parse(bytes, size, &g, &err), &err);
        CHECK(strstr(err.msg, "a.bool") && err.at == (uint64_t)(at - bytes));
    }
    sc_free(bytes);
}

TEST(reads_back_what_was_written)
{
    UNUSED;
    size_t size = 0, n = 0;
    uint8_t *bytes = good(&size);
    sc_err err = {0};
    SC_AUTO(sc_gguf) *g = NULL;
    CHECK_OK(sc_gguf_parse(bytes, size, &g, &err), &err);
    uint32_t u = 0;
    int64_t i = 0;
    float f = 0;
    bool b = false;
    sc_str s = {0};
    CHECK_OK(sc_gguf_get_str(g, "general.architecture", &s, &err), &err);
    CHECK(sc_str_is(s, "llama"));
    CHECK_OK(sc_gguf_get_u32(g, "a.u32", &u, &err), &err);
    CHECK_OK(sc_gguf_get_int(g, "a.i32", -10, 10, &i, &err), &err);
    CHECK_OK(sc_gguf_get_f32(g, "a.f32", &f, &err), &err);
    CHECK_OK(sc_gguf_get_bool(g, "a.bool", &b, &err), &err);
    CHECK(u == 4000000000u && i == -7 && !(fabsf(f - 1.5f) > 0) && b);
    const sc_gguf_kv *kv = NULL;
    CHECK_OK(sc_gguf_get_array(g, "a.strings", SC_GGUF_STR, &kv, &err), &err);
    size_t pos = 0;
    CHECK(kv->n == 2 && sc_gguf_next_str(kv, &pos, &s) && sc_str_is(s, "one"));
    CHECK(sc_gguf_next_str(kv, &pos, &s) && s.n == 0 && !sc_gguf_next_str(kv, &pos, &s));
    CHECK_OK(sc_gguf_get_array(g, "a.ints", SC_GGUF_I32, &kv, &err), &err);
    CHECK(kv->n == 2 && sc_gguf_int_at(kv, 1) == -1);
    const sc_tensor *t = sc_gguf_tensors(g, &n);
    CHECK(n == 2 && sc_str_is(t[0].name, "plain.weight") && t[0].dims[0] == 2 && t[0].dims[1] == 3);
    CHECK(t[0].size == 24 && bytes[t[0].offset] == 0);
    CHECK(t[1].dtype == SC_Q8_0 && t[1].size == 68 && bytes[t[1].offset] == 32);
    CHECK(t[1].offset % 32 == 0);
    sc_free(bytes);
}

TEST(refuses_every_truncation)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = good(&size);
    // Up to the last byte of the last tensor: the padding behind it may be missing.
    refuse_truncations(parse, bytes, size - 28);
    sc_free(bytes);
}

TEST(refuses_sizes_that_wrap_and_says_where)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = good(&size);
    const size_t info =
        place_of(bytes, size, "plain.weight", 12) + 12;               // n_dims, dims, type, offset
    const size_t strings = place_of(bytes, size, "a.strings", 9) + 9; // type, element type, n
    const edit edits[] = {
        {0, 4, 0x46554748, "GGUF"},
        {4, 4, 1, "version"},
        {4, 4, 0x03000000, "big-endian"},
        {4, 4, 99, "version"},
        {TENSORS_AT, 8, UINT64_MAX, NULL},
        {TENSORS_AT, 8, 1ull << 62, NULL},
        {VALUES_AT, 8, UINT64_MAX, NULL},
        {VALUES_AT, 8, 1ull << 61, NULL},
        {KEY_AT, 8, UINT64_MAX, NULL},
        {KEY_AT, 8, UINT64_MAX - 31, NULL},
        {KEY_AT, 8, 0, NULL},
        {strings, 4, 77, NULL},
        {strings + 4, 4, SC_GGUF_ARRAY, NULL},
        {strings + 8, 8, UINT64_MAX, NULL},
        {strings + 8, 8, UINT64_MAX / 8 + 1, NULL},
        {strings + 16, 8, UINT64_MAX - 2, NULL},
        {info, 4, 5, "dimensions"},
        {info, 4, UINT32_MAX, "dimensions"},
        {info + 4, 8, UINT64_MAX, NULL},
        {info + 4, 8, UINT64_MAX / 2, NULL},
        {info + 4, 8, 1ull << 62, NULL},
        {info + 12, 8, 1ull << 63, NULL},
        {info + 20, 4, 4, NULL},   // a type that was removed
        {info + 20, 4, 777, NULL}, // one that never was
        {info + 20, 4, 8, NULL},   // Q8_0: rows of 3 are no blocks
        {info + 24, 8, UINT64_MAX, NULL},
        {info + 24, 8, UINT64_MAX - 31, NULL},
        {info + 24, 8, 32, NULL}, // a gap
    };
    refuse_edits(parse, bytes, size, edits, SC_LEN(edits));
    sc_err err = {0};
    bytes[info] = 9;
    CHECK_CODE(SC_E_FORMAT, parse(bytes, size, &err), &err);
    CHECK(strstr(err.msg, "tensor 0: 9 dimensions") && err.at >= info && err.at <= info + 4);
    sc_free(bytes);
}

TEST(refuses_what_stands_twice)
{
    UNUSED;
    sc_err err = {0};
    for (int tensors = 0; tensors < 2; tensors++) {
        SC_AUTO(sc_gguf_writer) *w = NULL;
        SC_AUTO(sc_buf) b = sc_buf_init(1 << 16);
        CHECK_OK(sc_gguf_writer_new(&w, &err), &err);
        for (int i = 0; i < 2; i++) {
            if (tensors)
                CHECK_OK(sc_gguf_writer_add(w, "x", SC_F32, 1, (const uint64_t[]){8}, &err), &err);
            else
                sc_gguf_put_u32(w, "x", 1);
        }
        CHECK_OK(sc_gguf_writer_head(w, &b, &err), &err);
        for (int i = 0; i < 64; i++)
            sc_buf_add_char(&b, 0);
        sc_err why = {0};
        CHECK_CODE(SC_E_FORMAT, parse((const uint8_t *)sc_buf_text(&b), b.n, &why), &why);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    size_t size = 0;
    uint8_t *bytes = good(&size);
    survive_allocations(parse, bytes, size);
    sc_free(bytes);
}

TEST(the_writer_refuses_what_the_format_does_not_have)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_gguf_writer) *w = NULL;
    const uint64_t dims[] = {2, 33, 1, 1, 1};
    char name[80];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_OK(sc_gguf_writer_new(&w, &err), &err);
    CHECK_CODE(SC_E_USAGE, sc_gguf_writer_add(w, name, SC_F32, 1, dims, &err), &err);
    CHECK_CODE(SC_E_USAGE, sc_gguf_writer_add(w, "x", SC_BOOL, 1, dims, &err), &err);
    CHECK_CODE(SC_E_USAGE, sc_gguf_writer_add(w, "x", SC_F32, 5, dims, &err), &err);
    CHECK_CODE(SC_E_FORMAT, sc_gguf_writer_add(w, "x", SC_Q8_0, 2, dims, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_bool_is_0_or_1),
        T(reads_back_what_was_written),
        T(refuses_every_truncation),
        T(refuses_sizes_that_wrap_and_says_where),
        T(refuses_what_stands_twice),
        T(survives_every_failed_allocation),
        T(the_writer_refuses_what_the_format_does_not_have),
    };
    return RUN_TESTS(tests);
}
