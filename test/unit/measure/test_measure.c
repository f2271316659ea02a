// SPDX-License-Identifier: MIT
#include "measure/env.h"
#include "measure/memory.h"
#include "t.h"

TEST(the_peak_follows_what_is_touched_and_can_start_again)
{
    UNUSED;
    enum { SIZE = 64 << 20 };
    sc_err err = {0};
    sc_rss before = {0};
    CHECK_OK(sc_rss_read(&before, &err), &err);
    char *p = sc_alloc_pages(SIZE);
    CHECK(p);
    memset(p, 1, SIZE);
    sc_rss with = {0};
    CHECK_OK(sc_rss_read(&with, &err), &err);
    sc_free_pages(p, SIZE);
    sc_rss after = {0};
    CHECK_OK(sc_rss_read(&after, &err), &err);
    CHECK(with.now > before.now + SIZE / 2);
    CHECK(with.anonymous > before.anonymous + SIZE / 2);
    // The kernel counts pages in batches: some hundred KiB of slack.
    CHECK(after.peak + (1 << 20) >= with.now && after.now < with.now - SIZE / 2);
    if (sc_rss_reset_peak()) {
        CHECK_OK(sc_rss_read(&after, &err), &err);
        CHECK(after.peak < with.now - SIZE / 2);
    }
}

TEST(the_system_has_memory)
{
    UNUSED;
    sc_err err = {0};
    sc_system_memory m = {0};
    CHECK_OK(sc_system_memory_read(&m, &err), &err);
    CHECK(m.total > m.available && m.available > 0);
}

TEST(the_environment_has_every_field)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *env = NULL;
    CHECK_OK(sc_env_capture(&env, &err), &err);
    static const char *const keys[] = {"cpu",          "memory", "kernel",      "os", "container",
                                       "clock_source", "locale", "load_before", "git"};
    for (size_t i = 0; i < SC_LEN(keys); i++)
        CHECK(json_object_get(env, keys[i]));
    CHECK(json_integer_value(json_object_get(json_object_get(env, "cpu"), "usable")) >= 1);
}

TEST(warnings_say_what_disturbs)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *busy = json_pack("{s:{s:i,s:i,s:s}, s:[f,f,f]}", "cpu", "usable", 2, "logical", 8,
                                   "governor", "powersave", "load_before", 3.0, 2.0, 1.0);
    SC_AUTO_JSON *list = NULL;
    CHECK_OK(sc_env_warnings(busy, &list, &err), &err);
    assert_int_equal(json_array_size(list), 3);
    SC_AUTO_JSON *quiet = json_pack("{s:{s:i,s:i,s:s}, s:[f,f,f]}", "cpu", "usable", 8, "logical",
                                    8, "governor", "performance", "load_before", 0.1, 0.1, 0.1);
    SC_AUTO_JSON *none = NULL;
    CHECK_OK(sc_env_warnings(quiet, &none, &err), &err);
    assert_int_equal(json_array_size(none), 0);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    long nth = 0;
    sc_code code = SC_E_NOMEM;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO_JSON *env = NULL;
        sc_alloc_fail_at(++nth);
        code = sc_env_capture(&env, &err);
        const bool left = nth > 0;
        sc_alloc_fail_at(0);
        CHECK(left && (code == SC_OK || code == SC_E_NOMEM));
        CHECK(nth < 2000);
    }
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(the_peak_follows_what_is_touched_and_can_start_again),
        T(the_system_has_memory),
        T(the_environment_has_every_field),
        T(warnings_say_what_disturbs),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
