// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "t.h"

TEST(errors_say_line_column_and_byte)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *v = NULL;
    CHECK_CODE(SC_E_FORMAT, sc_json_parse(SC_STR("{\"a\": 1,\n \"b\" 2}"), &v, &err), &err);
    CHECK(strstr(err.msg, "line 2") != NULL);
    CHECK(!v);
}

TEST(refuses_duplicate_keys_and_trailing_bytes)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *v = NULL;
    CHECK_CODE(SC_E_FORMAT, sc_json_parse(SC_STR("{\"a\":1,\"a\":2}"), &v, &err), &err);
    CHECK_CODE(SC_E_FORMAT, sc_json_parse(SC_STR("1 2"), &v, &err), &err);
}

TEST(reads_members_with_their_types)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *v = NULL;
    CHECK_OK(sc_json_parse(SC_STR("{\"n\":3,\"x\":1.5,\"t\":true,\"s\":\"a\\u0000b\",\"z\":null}"),
                           &v, &err),
             &err);
    int64_t n = 0;
    double x = 0;
    bool t = false;
    sc_str s = {0};
    CHECK_OK(sc_json_get_int(v, "n", 0, 10, &n, &err), &err);
    CHECK_OK(sc_json_get_num(v, "x", &x, &err), &err);
    CHECK_OK(sc_json_get_bool(v, "t", &t, &err), &err);
    CHECK_OK(sc_json_get_str(v, "s", &s, &err), &err);
    CHECK(n == 3 && x == 1.5 && t && s.n == 3);
    n = 77;
    CHECK_OK(sc_json_get_int(v, "absent", 0, 10, &n, &err), &err);
    CHECK_OK(sc_json_get_int(v, "z", 0, 10, &n, &err), &err);
    CHECK(n == 77);
    CHECK_CODE(SC_E_FORMAT, sc_json_get_int(v, "n", 4, 10, &n, &err), &err);
    assert_string_equal(err.msg, "\"n\" is 3, 4 to 10 expected");
    CHECK_CODE(SC_E_FORMAT, sc_json_get_bool(v, "n", &t, &err), &err);
}

TEST(writes_and_reads_back)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *v = json_pack("{s:f, s:[i,i], s:s}", "x", 0.1, "a", 1, 2, "t", "é\n");
    SC_AUTO(sc_buf) text = sc_buf_init(1000);
    sc_json_format(v, 0, &text);
    CHECK(sc_buf_ok(&text));
    SC_AUTO_JSON *back = NULL;
    CHECK_OK(sc_json_parse(sc_buf_str(&text), &back, &err), &err);
    CHECK(json_equal(v, back));
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    long nth = 0;
    sc_code code = SC_E_NOMEM;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO_JSON *v = NULL;
        sc_alloc_fail_at(++nth);
        code = sc_json_parse(SC_STR("{\"a\":[1,2,{\"b\":\"c\"}]}"), &v, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? v != NULL : !v);
        if (nth > 1000)
            fail();
    }
    CHECK(nth > 1);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(errors_say_line_column_and_byte),  T(refuses_duplicate_keys_and_trailing_bytes),
        T(reads_members_with_their_types),   T(writes_and_reads_back),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
