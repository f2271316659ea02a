// SPDX-License-Identifier: MIT
#include "fmt/zip.h"

#include "data.h"
#include "five.h"

enum { END_SIZE = 22, ENTRY_SIZE = 46, HEAD_SIZE = 30 };

static sc_code parse(const uint8_t *bytes, size_t size, sc_err *err)
{
    SC_AUTO(sc_zip) *z = NULL;
    const sc_code code = sc_zip_parse(bytes, size, &z, err);
    CHECK((code == SC_OK) == (z != NULL));
    return code;
}

static void put(uint8_t **p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++, v >>= 8)
        *(*p)++ = (uint8_t)v;
}

/* Two members of four bytes, "x/a" and "x/b". The CRC is that of "abcd". Returns the size. */
static size_t good(uint8_t *out)
{
    uint8_t *p = out;
    for (unsigned i = 0; i < 2; i++) {
        put(&p, 0x04034b50, 4);
        put(&p, 0, 10);
        put(&p, 0xed82cd11, 4);
        put(&p, 4, 4);
        put(&p, 4, 4);
        put(&p, 3, 2);
        put(&p, 0, 2);
        memcpy(p, i ? "x/babcd" : "x/aabcd", 7);
        p += 7;
    }
    const size_t directory = (size_t)(p - out);
    for (unsigned i = 0; i < 2; i++) {
        put(&p, 0x02014b50, 4);
        put(&p, 0, 12);
        put(&p, 0xed82cd11, 4);
        put(&p, 4, 4);
        put(&p, 4, 4);
        put(&p, 3, 2);
        put(&p, 0, 12);
        put(&p, i * (HEAD_SIZE + 7), 4);
        memcpy(p, i ? "x/b" : "x/a", 3);
        p += 3;
    }
    const size_t end = (size_t)(p - out);
    put(&p, 0x06054b50, 4);
    put(&p, 0, 4);
    put(&p, 2, 2);
    put(&p, 2, 2);
    put(&p, end - directory, 4);
    put(&p, directory, 4);
    put(&p, 0, 2);
    return (size_t)(p - out);
}

TEST(reads_a_good_file)
{
    UNUSED;
    uint8_t bytes[512];
    const size_t size = good(bytes);
    size_t n = 0;
    sc_err err = {0};
    SC_AUTO(sc_zip) *z = NULL;
    CHECK_OK(sc_zip_parse(bytes, size, &z, &err), &err);
    const sc_zip_member *m = sc_zip_members(z, &n);
    CHECK(n == 2 && sc_str_is(m[1].name, "x/b") && m[1].size == 4);
    assert_memory_equal(bytes + m[1].at, "abcd", 4);
    CHECK_OK(sc_zip_check(z, &m[0], &err), &err);
    CHECK(sc_zip_find(z, SC_STR("x/a")) == &m[0] && !sc_zip_find(z, SC_STR("x/c")));
}

TEST(finds_a_changed_byte_by_its_checksum)
{
    UNUSED;
    uint8_t bytes[512];
    const size_t size = good(bytes);
    bytes[HEAD_SIZE + 3] ^= 1;
    size_t n = 0;
    sc_err err = {0};
    SC_AUTO(sc_zip) *z = NULL;
    CHECK_OK(sc_zip_parse(bytes, size, &z, &err), &err);
    CHECK_CODE(SC_E_FORMAT, sc_zip_check(z, sc_zip_members(z, &n), &err), &err);
    CHECK(strstr(err.msg, "x/a"));
}

TEST(refuses_every_truncation)
{
    UNUSED;
    uint8_t bytes[512];
    const size_t size = good(bytes);
    refuse_truncations(parse, bytes, size);
    size_t torch = 0;
    uint8_t *file = data_read("torch/zip.pt", &torch);
    refuse_truncations(parse, file, torch);
    sc_free(file);
}

TEST(refuses_sizes_that_wrap_and_archives_that_two_readers_would_read_differently)
{
    UNUSED;
    uint8_t bytes[512];
    const size_t size = good(bytes);
    const size_t end = size - END_SIZE, second = HEAD_SIZE + 7;
    const size_t entry = 2 * second, other = entry + ENTRY_SIZE + 3;
    const edit edits[] = {
        {end + 4, 2, 1, NULL},                   // another disk
        {end + 8, 2, 1, NULL},                   // the two counts differ
        {end + 8, 4, 0x00030003, NULL},          // more members than there are
        {end + 8, 4, 0xfffefffe, NULL},          //
        {end + 12, 4, UINT32_MAX - 1, NULL},     //
        {end + 12, 4, 1, NULL},                  //
        {end + 16, 4, UINT32_MAX - 1, NULL},     //
        {end + 16, 4, (uint32_t)size, NULL},     //
        {entry, 4, 0, NULL},                     // no entry
        {entry + 8, 2, 1, NULL},                 // encrypted
        {entry + 10, 2, 8, NULL},                // deflated
        {entry + 20, 4, UINT32_MAX, NULL},       // ZIP64 without its field
        {entry + 20, 4, UINT32_MAX - 1, NULL},   //
        {entry + 24, 4, UINT32_MAX - 1, NULL},   //
        {entry + 24, 4, 5, NULL},                // stored, and the sizes differ
        {entry + 28, 2, UINT16_MAX, NULL},       // a name past the end
        {entry + 28, 2, 0, NULL},                // no name
        {entry + 30, 2, UINT16_MAX, NULL},       // an extra field past the end
        {entry + 42, 4, UINT32_MAX - 1, NULL},   //
        {entry + 42, 4, (uint32_t)second, NULL}, // two members in one place
        {entry + 46, 1, '/', NULL},              // absolute
        {entry + 46, 1, '\\', NULL},             //
        {entry + 46, 1, 0, NULL},                //
        {other + 48, 1, 'a', NULL},              // a name twice
        {0, 4, 0, NULL},                         // no local header
        {26, 2, UINT16_MAX, NULL},               // its name past the end
        {30, 1, 'y', NULL},                      // another name than the directory's
    };
    refuse_edits(parse, bytes, size, edits, SC_LEN(edits));
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    uint8_t bytes[512];
    survive_allocations(parse, bytes, good(bytes));
}

TEST(says_where_it_failed)
{
    UNUSED;
    uint8_t bytes[512];
    const size_t size = good(bytes), entry = 2 * (HEAD_SIZE + 7);
    bytes[entry + 10] = 8;
    sc_err err = {0};
    CHECK_CODE(SC_E_UNSUPPORTED, parse(bytes, size, &err), &err);
    CHECK(strstr(err.msg, "x/a") && err.at >= entry && err.at < entry + ENTRY_SIZE + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reads_a_good_file),
        T(finds_a_changed_byte_by_its_checksum),
        T(refuses_every_truncation),
        T(refuses_sizes_that_wrap_and_archives_that_two_readers_would_read_differently),
        T(survives_every_failed_allocation),
        T(says_where_it_failed),
    };
    return RUN_TESTS(tests);
}
