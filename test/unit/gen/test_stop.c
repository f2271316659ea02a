// SPDX-License-Identifier: MIT
#include "gen/stop.h"
#include "t.h"

/* Feeds `text` in pieces cut at every border of `step` bytes; where the first stop text was found,
 * or -1. */
static long feed(const sc_str *stops, size_t n, sc_str text, size_t step, size_t *streamed)
{
    *streamed = 0;
    for (size_t have = 0; have < text.n;) {
        const size_t known = have;
        have = have + step < text.n ? have + step : text.n;
        const sc_str now = {text.p, have};
        size_t cut = 0;
        if (sc_stop_find(stops, n, now, known, &cut))
            return (long)cut;
        *streamed = have - sc_stop_hold(stops, n, now);
    }
    return -1;
}

TEST(a_stop_text_is_found_across_any_token_borders_and_never_streamed)
{
    UNUSED;
    static const sc_str stops[] = {{"\ndef ", 5}, {"\n\n\n", 3}, {"```", 3}};
    static const struct {
        const char *text;
        long cut;
    } rows[] = {
        {"    return a\n\ndef b", 13}, {"x\n\n\n\ndef ", 1}, {"nothing here\nde", -1}, {"```", 0},
        {"ab``c```\ndef ", 5},         {"\n\ndef x", 1},
    };
    for (size_t r = 0; r < SC_LEN(rows); r++)
        for (size_t step = 1; step < 9; step++) {
            size_t streamed = 0;
            const long cut = feed(stops, SC_LEN(stops), sc_str_c(rows[r].text), step, &streamed);
            assert_int_equal(cut, rows[r].cut);
            if (cut >= 0)
                CHECK(streamed <= (size_t)cut);
        }
}

TEST(only_what_may_become_a_stop_text_is_held_back)
{
    UNUSED;
    static const sc_str stops[] = {{"\ndef ", 5}, {"aab", 3}};
    assert_int_equal(sc_stop_hold(stops, 2, SC_STR("x = 1")), 0);
    assert_int_equal(sc_stop_hold(stops, 2, SC_STR("x\nde")), 3);
    assert_int_equal(sc_stop_hold(stops, 2, SC_STR("aaa")), 2);
    assert_int_equal(sc_stop_hold(stops, 0, SC_STR("aaa")), 0);
    assert_int_equal(sc_stop_hold(stops, 2, SC_STR("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_stop_text_is_found_across_any_token_borders_and_never_streamed),
        T(only_what_may_become_a_stop_text_is_held_back),
    };
    return RUN_TESTS(tests);
}
