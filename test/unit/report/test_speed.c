// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "report/speed.h"
#include "t.h"

static json_t *row(const char *model, bool decode, uint32_t threads, const double *runs, size_t n)
{
    double *tok_s = sc_alloc(n, sizeof *tok_s);
    double *step_s = sc_alloc(3, sizeof *step_s);
    CHECK(tok_s && step_s);
    memcpy(tok_s, runs, n * sizeof *tok_s);
    for (int i = 0; i < 3; i++)
        step_s[i] = 0.010 + 0.001 * i;
    SC_AUTO(sc_speed_result) r = {tok_s, n, step_s, 3, 4096};
    const sc_speed_test t = {.decode = decode, .n = 128, .depth = 64, .batch = 2};
    SC_AUTO_JSON *about = json_pack("{s:s, s:I}", "model", model, "threads", (json_int_t)threads);
    sc_err err = {0};
    json_t *out = NULL;
    CHECK_OK(sc_speed_row(about, &t, &r, 1e6, 1e9, &out, &err), &err);
    return out;
}

static json_t *rows(const double *runs, size_t n)
{
    json_t *list = json_array();
    CHECK(json_array_append_new(list, row("a|b\n", true, 1, runs, n)) == 0);
    CHECK(json_array_append_new(list, row("a|b\n", false, 1, runs, n)) == 0);
    return list;
}

static const double slow[] = {100, 101, 99, 100, 102};
static const double fast[] = {150, 151, 149, 150, 152};

static double figure(const json_t *r, const char *key)
{
    return json_number_value(json_object_get(r, key));
}

TEST(a_row_has_the_median_the_quartiles_and_its_share_of_the_limit)
{
    UNUSED;
    SC_AUTO_JSON *r = row("m", true, 2, slow, SC_LEN(slow));
    CHECK(figure(r, "tok_s") == 100 && figure(r, "tok_s_low") == 100);
    CHECK(figure(r, "tok_s_high") == 101 && figure(r, "tok_s_max") == 102);
    // 2 sequences, 1e9 bytes a second, 1e6 bytes a step: at most 2000 tokens a second.
    CHECK(figure(r, "limit_tok_s") == 2000 && figure(r, "of_limit") == 0.05);
    CHECK(figure(json_object_get(r, "step_ms"), "p50") == 11);
}

TEST(tables_show_what_varies_and_survive_a_hostile_name)
{
    UNUSED;
    SC_AUTO_JSON *list = rows(slow, SC_LEN(slow));
    SC_AUTO(sc_buf) md = sc_buf_init(1 << 20);
    sc_speed_markdown(list, &md);
    assert_string_equal(sc_buf_text(&md),
                        "model: a\\|b   \n"
                        "threads: 1  \n"
                        "depth: 64  \n"
                        "batch: 2  \n"
                        "\n"
                        "| test | tokens | tok/s | q25 | q75 | of limit |\n"
                        "|---|---:|---:|---:|---:|---:|\n"
                        "| decode | 128 | 100 | 100 | 101 | 0.05 |\n"
                        "| prefill | 128 | 100 | 100 | 101 |  |\n");
    SC_AUTO_JSON *quote = json_array();
    CHECK(json_array_append_new(quote, row("it's", true, 1, slow, SC_LEN(slow))) == 0);
    SC_AUTO(sc_buf) sql = sc_buf_init(1 << 20);
    sc_speed_sql(quote, &sql);
    CHECK(strstr(sc_buf_text(&sql), "VALUES ('it''s',"));
    SC_AUTO(sc_buf) csv = sc_buf_init(1 << 20);
    sc_speed_csv(quote, &csv);
    CHECK(strstr(sc_buf_text(&csv), "\n\"it's\",") != NULL);
}

TEST(a_comparison_says_what_the_figures_allow)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *a = rows(slow, SC_LEN(slow));
    SC_AUTO_JSON *b = rows(fast, SC_LEN(fast));
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_OK(sc_speed_compare(a, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "| 1.498 |") && strstr(sc_buf_text(&text), "FASTER"));
    sc_buf_clear(&text);
    CHECK_OK(sc_speed_compare(b, a, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "SLOWER"));
    sc_buf_clear(&text);
    CHECK_OK(sc_speed_compare(a, a, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "CANNOT TELL APART"));
    const double one[] = {500};
    SC_AUTO_JSON *single = rows(one, 1);
    sc_buf_clear(&text);
    CHECK_OK(sc_speed_compare(single, single, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "CANNOT TELL APART"));
}

TEST(a_comparison_without_partners_or_figures_is_an_error)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *a = rows(slow, SC_LEN(slow));
    SC_AUTO_JSON *none = json_array();
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_CODE(SC_E_NOTFOUND, sc_speed_compare(a, none, &text, &err), &err);
    SC_AUTO_JSON *broken = json_deep_copy(a);
    CHECK(json_object_del(json_array_get(broken, 0), "runs") == 0);
    CHECK_CODE(SC_E_FORMAT, sc_speed_compare(a, broken, &text, &err), &err);
    CHECK(strstr(err.msg, "row 1"));
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(a_row_has_the_median_the_quartiles_and_its_share_of_the_limit),
        T(tables_show_what_varies_and_survive_a_hostile_name),
        T(a_comparison_says_what_the_figures_allow),
        T(a_comparison_without_partners_or_figures_is_an_error),
    };
    return RUN_TESTS(tests);
}
