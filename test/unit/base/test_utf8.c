// SPDX-License-Identifier: MIT
#include "base/utf8.h"
#include "t.h"

TEST(every_scalar_value_comes_back)
{
    UNUSED;
    for (uint32_t p = 0; p < 0x110000; p++) {
        if (p >= 0xD800 && p < 0xE000)
            continue;
        char bytes[4];
        const size_t n = sc_utf8_encode(p, bytes);
        uint32_t back = 0;
        if (sc_utf8_decode((sc_str){bytes, n}, &back) != n || back != p)
            fail_msg("U+%04X", p);
        for (size_t cut = 1; cut < n; cut++)
            if (sc_utf8_tail((sc_str){bytes, cut}) != cut)
                fail_msg("U+%04X cut after %zu", p, cut);
        if (sc_utf8_tail((sc_str){bytes, n}) != 0)
            fail_msg("U+%04X whole", p);
    }
}

TEST(ill_formed_parts_are_maximal)
{
    UNUSED;
    // Unicode 15, table 3-8 and its neighbours: one length a bad part.
    static const struct {
        const char *bytes;
        size_t n;
        size_t parts[8];
    } rows[] = {
        {"\xC0\xAF", 2, {1, 1}},
        {"\xE0\x9F\x80", 3, {1, 1, 1}},
        {"\xED\xA0\x80", 3, {1, 1, 1}},
        {"\xF4\x91\x92\x93", 4, {1, 1, 1, 1}},
        {"\xE1\x80\xE2\xF0\x91\x92", 6, {2, 1, 3}},
        {"\xF1\x80\x80", 3, {3}},
        {"\xFF\x80", 2, {1, 1}},
    };
    for (size_t r = 0; r < SC_LEN(rows); r++) {
        size_t at = 0;
        for (size_t k = 0; at < rows[r].n; k++) {
            uint32_t point = 0;
            const size_t len = sc_utf8_decode((sc_str){rows[r].bytes + at, rows[r].n - at}, &point);
            CHECK(point == SC_UTF8_BAD);
            assert_int_equal(len, rows[r].parts[k]);
            at += len;
        }
    }
}

TEST(says_where_it_is_bad)
{
    UNUSED;
    size_t at = 0;
    CHECK(!sc_utf8_valid(SC_STR("ab\xC3\xA9\x80z"), &at));
    assert_int_equal(at, 4);
    CHECK(sc_utf8_valid(SC_STR("\xF0\x9F\x98\x80"), NULL));
    assert_int_equal(sc_utf8_tail(SC_STR("\xE0\x80")), 0);
    assert_int_equal(sc_utf8_tail(SC_STR("\x80\x80\x80\x80")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_scalar_value_comes_back),
        T(ill_formed_parts_are_maximal),
        T(says_where_it_is_bad),
    };
    return RUN_TESTS(tests);
}
