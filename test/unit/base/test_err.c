// SPDX-License-Identifier: MIT
#include "t.h"

static sc_code inner(sc_err *err)
{
    return sc_fail_at(err, SC_E_FORMAT, 42, "tensor %d: %s", 3, "9 dimensions");
}

static sc_code outer(sc_err *err)
{
    SC_TRY_IN(inner(err), err, "%s", "model.gguf");
    return SC_OK;
}

TEST(context_stands_in_front_and_the_byte_behind)
{
    UNUSED;
    sc_err err = {0};
    CHECK_CODE(SC_E_FORMAT, outer(&err), &err);
    assert_string_equal(err.msg, "model.gguf: tensor 3: 9 dimensions (byte 42)");
    CHECK(err.at == 42);
    CHECK(strstr(err.where, "test_err.c:") != NULL);
}

TEST(the_system_says_why)
{
    UNUSED;
    sc_err err = {0};
    CHECK_CODE(SC_E_IO, sc_fail_sys(&err, SC_E_IO, 2, "a.pt"), &err);
    assert_string_equal(err.msg, "a.pt: No such file or directory");
    assert_int_equal(err.sys, 2);
}

TEST(text_from_outside_stays_one_harmless_line)
{
    UNUSED;
    sc_err err = {0};
    CHECK_CODE(SC_E_FORMAT, sc_fail(&err, SC_E_FORMAT, "name \x1b[31m\nred"), &err);
    assert_string_equal(err.msg, "name ?[31m?red");
}

TEST(a_long_message_is_cut_not_overrun)
{
    UNUSED;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    sc_err err = {0};
    CHECK_CODE(SC_E_IO, sc_fail_sys(&err, SC_E_IO, 2, "%s", text), &err);
    assert_int_equal(strlen(err.msg), SC_ERR_MSG_SIZE - 1);
    sc_within(&err, "%s", text);
    assert_int_equal(strlen(err.msg), SC_ERR_MSG_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(context_stands_in_front_and_the_byte_behind),
        T(the_system_says_why),
        T(text_from_outside_stays_one_harmless_line),
        T(a_long_message_is_cut_not_overrun),
    };
    return RUN_TESTS(tests);
}
