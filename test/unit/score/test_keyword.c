// SPDX-License-Identifier: MIT
#include "score/keyword.h"

#include "t.h"

static sc_keyword_score score(const char *words, const char *text)
{
    sc_str list[8];
    size_t n = 0;
    char copy[256];
    (void)snprintf(copy, sizeof copy, "%s", words);
    for (char *p = copy; *p && n < SC_LEN(list);) {
        char *end = strchr(p, '|');
        list[n++] = (sc_str){p, end ? (size_t)(end - p) : strlen(p)};
        p = end ? end + 1 : p + strlen(p);
    }
    sc_keyword_score s = {0};
    sc_err err = {0};
    CHECK_OK(sc_keyword_score_text(list, n, sc_str_c(text), &s, &err), &err);
    return s;
}

TEST(counts_substrings_and_whole_words_side_by_side)
{
    UNUSED;
    static const struct {
        const char *words, *text;
        unsigned n, found, whole;
    } rows[] = {
        {"if|return|n", "return x", 3, 2, 1},
        {"in", "print(range)", 1, 1, 0},
        {"in", "print in x", 1, 1, 1},
        {"IF", "if x:", 1, 1, 1},
        {"==", "a==b", 1, 1, 1},
        {"__init__", "def __init__(self):", 1, 1, 1},
        {"__init__", "def x__init__y", 1, 1, 0},
        {"time", "start_time time", 1, 1, 1},
        {"time", "start_time", 1, 1, 0},
        {"n", "", 1, 0, 0},
        {"é", "É", 1, 1, 1},
        {"a", "éa", 1, 1, 0},
        {"x", "\xff x", 1, 1, 1},
        {"aa", "aaa aa", 1, 1, 1},
    };
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        const sc_keyword_score s = score(rows[i].words, rows[i].text);
        if (s.n != rows[i].n || s.found != rows[i].found || s.words != rows[i].whole)
            print_error("row %zu: %u %u %u\n", i, s.n, s.found, s.words);
        CHECK(s.n == rows[i].n && s.found == rows[i].found && s.words == rows[i].whole);
        CHECK(s.share == (double)s.found / s.n && s.word_share == (double)s.words / s.n);
    }
}

TEST(no_keywords_score_zero)
{
    UNUSED;
    const sc_keyword_score s = score("", "anything");
    CHECK(s.n == 0 && s.share == 0 && s.word_share == 0);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    const sc_str word = SC_STR("x");
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        sc_keyword_score s = {0};
        sc_alloc_fail_at(++nth);
        code = sc_keyword_score_text(&word, 1, SC_STR("x"), &s, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK || code == SC_E_NOMEM);
    }
    CHECK(nth > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(counts_substrings_and_whole_words_side_by_side),
        T(no_keywords_score_zero),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
