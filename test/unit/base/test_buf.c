// SPDX-License-Identifier: MIT
#include "base/buf.h"
#include "base/json.h"
#include "t.h"

TEST(holds_what_was_added)
{
    UNUSED;
    SC_AUTO(sc_buf) b = sc_buf_init(1000);
    sc_buf_add_c(&b, "a");
    sc_buf_addf(&b, "%d-%s", 12, "bc");
    sc_buf_add_char(&b, '!');
    CHECK(sc_buf_ok(&b));
    assert_string_equal(sc_buf_text(&b), "a12-bc!");
}

TEST(the_ceiling_is_sticky_and_keeps_what_was_there)
{
    UNUSED;
    SC_AUTO(sc_buf) b = sc_buf_init(4);
    sc_buf_add_c(&b, "abc");
    sc_buf_add_c(&b, "de");
    sc_buf_add_c(&b, "f");
    CHECK(!sc_buf_ok(&b));
    assert_string_equal(sc_buf_text(&b), "abc");
    CHECK(sc_buf_take(&b) == NULL);
}

TEST(any_bytes_become_valid_json)
{
    UNUSED;
    static const char bytes[] = "q\"\\\n\t\x01\x7f\xC3\xA9\xFF\xE2\x82 z\0y";
    SC_AUTO(sc_buf) b = sc_buf_init(1000);
    sc_buf_add_json(&b, (sc_str){bytes, sizeof bytes - 1});
    sc_err err = {0};
    SC_AUTO_JSON *v = NULL;
    CHECK_OK(sc_json_parse(sc_buf_str(&b), &v, &err), &err);
    static const char want[] = "q\"\\\n\t\x01\x7f\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD z\0y";
    CHECK(sc_str_eq(sc_json_str(v), (sc_str){want, sizeof want - 1}));
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    bool ok = false;
    long nth = 0;
    while (!ok) {
        SC_AUTO(sc_buf) b = sc_buf_init(10000);
        sc_alloc_fail_at(++nth);
        for (int i = 0; i < 100; i++)
            sc_buf_addf(&b, "%d ", i);
        ok = sc_buf_ok(&b);
        sc_alloc_fail_at(0);
    }
    CHECK(nth > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(holds_what_was_added),
        T(the_ceiling_is_sticky_and_keeps_what_was_there),
        T(any_bytes_become_valid_json),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
