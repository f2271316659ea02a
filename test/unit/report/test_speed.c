// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "report/limits.h"
#include "report/speed.h"
#include "schema.h"
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
    // One run of 128 steps: 128 MB to read, or 4e8 multiply-adds of 8 bits for a prompt.
    const sc_speed_cost cost = {.bytes = 128e6, .int8 = decode ? 1e6 : 4e8, .step_bytes = 1e6};
    const sc_limits limits = {
        .threads = threads, .read_all = 1e9, .f32 = 1e9, .bf16 = 1e9, .int8 = 2e9};
    CHECK_OK(sc_speed_row(about, &t, &r, &cost, &limits, &out, &err), &err);
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
    assert_string_equal(json_string_value(json_object_get(r, "limit_by")), "memory");
    CHECK(figure(json_object_get(r, "step_ms"), "p50") == 11);
}

TEST(a_row_bound_by_arithmetic_says_so)
{
    UNUSED;
    // 4e8 multiply-adds at 2e9 a second take longer than reading 128 MB at 1 GB/s.
    SC_AUTO_JSON *r = row("m", false, 2, slow, SC_LEN(slow));
    CHECK(figure(r, "limit_tok_s") == 1280);
    assert_string_equal(json_string_value(json_object_get(r, "limit_by")), "arithmetic");
}

TEST(a_row_without_limits_claims_no_share_of_them)
{
    UNUSED;
    double tok_s[] = {10};
    const sc_speed_result r = {tok_s, 1, tok_s, 0, 0};
    const sc_speed_test t = {.decode = true, .n = 1, .batch = 1};
    SC_AUTO_JSON *about = json_object();
    const sc_speed_cost cost = {.bytes = 1, .step_bytes = 1};
    sc_err err = {0};
    SC_AUTO_JSON *out = NULL;
    CHECK_OK(sc_speed_row(about, &t, &r, &cost, NULL, &out, &err), &err);
    CHECK(!json_object_get(out, "of_limit") && !json_object_get(out, "limit_tok_s"));
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
                        "| test | tokens | tok/s | q25 | q75 | ms p50 | p99 | of limit | set by |\n"
                        "|---|---:|---:|---:|---:|---:|---:|---:|---|\n"
                        "| decode | 128 | 100 | 100 | 101 | 11.0 | 12.0 | 0.05 | memory |\n"
                        "| prefill | 128 | 100 | 100 | 101 |  |  | 0.08 | arithmetic |\n");
    SC_AUTO_JSON *quote = json_array();
    CHECK(json_array_append_new(quote, row("it's", true, 1, slow, SC_LEN(slow))) == 0);
    SC_AUTO(sc_buf) sql = sc_buf_init(1 << 20);
    sc_speed_sql(quote, true, &sql);
    CHECK(strstr(sc_buf_text(&sql), "VALUES ('it''s',"));
    SC_AUTO(sc_buf) csv = sc_buf_init(1 << 20);
    sc_speed_csv(quote, true, &csv);
    CHECK(strstr(sc_buf_text(&csv), "\n\"it's\",") != NULL);
    CHECK(strstr(sc_buf_text(&csv), ",limit_tok_s,step_ms_p90,"));
}

TEST(limits_are_printed_in_every_form)
{
    UNUSED;
    const sc_limits l = {.threads = 2,
                         .read_one = 30e9,
                         .read_all = 33.5e9,
                         .f32 = 118e9,
                         .bf16 = 236e9,
                         .int8 = 473e9,
                         .barrier = 0.4e-6};
    sc_err err = {0};
    json_t *one = NULL;
    CHECK_OK(sc_limits_row(&l, "avx512", &one, &err), &err);
    SC_AUTO_JSON *list = json_array();
    CHECK(json_array_append_new(list, one) == 0);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    sc_limits_markdown(list, &text);
    CHECK(strstr(sc_buf_text(&text), "\n| avx512 | 2 | 30.0 | 33.5 | 118 | 236 | 473 | 0.40 |\n"));
    sc_buf_clear(&text);
    sc_limits_csv(list, &text);
    assert_string_equal(sc_buf_text(&text),
                        "level,threads,read_one,read_all,f32,bf16,int8,barrier_s\n"
                        "\"avx512\",2,3e+10,3.35e+10,1.18e+11,2.36e+11,4.73e+11,4e-07\n");
    sc_buf_clear(&text);
    sc_limits_sql(list, &text);
    CHECK(strstr(
        sc_buf_text(&text),
        "INSERT INTO scbench_limits (level,threads,read_one,read_all,f32,bf16,int8,barrier_s) "
        "VALUES ('avx512',2,3e+10,"));
}

/* Two results without an environment. */
static sc_code compare_rows(const json_t *a, const json_t *b, sc_buf *out, sc_err *err)
{
    SC_AUTO_JSON *x = json_pack("{s:O}", "rows", a);
    SC_AUTO_JSON *y = json_pack("{s:O}", "rows", b);
    CHECK(x && y);
    return sc_speed_compare(x, y, out, err);
}

TEST(a_comparison_says_what_the_figures_allow)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *a = rows(slow, SC_LEN(slow));
    SC_AUTO_JSON *b = rows(fast, SC_LEN(fast));
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_OK(compare_rows(a, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "| 1.498 |") && strstr(sc_buf_text(&text), "FASTER"));
    sc_buf_clear(&text);
    CHECK_OK(compare_rows(b, a, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "SLOWER"));
    sc_buf_clear(&text);
    CHECK_OK(compare_rows(a, a, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "CANNOT TELL APART"));
    const double one[] = {500};
    SC_AUTO_JSON *single = rows(one, 1);
    sc_buf_clear(&text);
    CHECK_OK(compare_rows(single, single, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "CANNOT TELL APART"));
}

TEST(a_comparison_pairs_what_has_most_in_common)
{
    UNUSED;
    sc_err err = {0};
    // The same test in two modes, in the other order in B: each meets its own.
    SC_AUTO_JSON *a = json_array();
    SC_AUTO_JSON *b = json_array();
    const char *const modes[] = {"auto", "int8"};
    for (size_t i = 0; i < 2; i++) {
        json_t *x = row("m", true, 1, i ? fast : slow, 5),
               *y = row("m", true, 1, i ? slow : fast, 5);
        CHECK(json_object_set_new(x, "compute", json_string(modes[i])) == 0);
        CHECK(json_object_set_new(y, "compute", json_string(modes[1 - i])) == 0);
        CHECK(json_array_append_new(a, x) == 0 && json_array_append_new(b, y) == 0);
    }
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_OK(compare_rows(a, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "| int8 | decode | 128 | 64 | 2 | 1 | 150 | 150 | 1.000 |"));
    CHECK(strstr(sc_buf_text(&text), "| auto | decode | 128 | 64 | 2 | 1 | 100 | 100 | 1.000 |"));
    // Where the mode itself is what differs, both are named.
    SC_AUTO_JSON *one = json_array();
    CHECK(json_array_append(one, json_array_get(a, 0)) == 0);
    sc_buf_clear(&text);
    CHECK_OK(compare_rows(one, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "| auto, int8 | decode |"));
}

TEST(many_comparisons_are_no_licence_to_find_something)
{
    UNUSED;
    sc_err err = {0};
    const double x[] = {100, 101, 102, 103, 104}, y[] = {102.5, 103.5, 104.5, 105.5, 106.5};
    SC_AUTO_JSON *a = json_array();
    SC_AUTO_JSON *b = json_array();
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    for (uint32_t threads = 1; threads <= 20; threads++) {
        CHECK(json_array_append_new(a, row("m", true, threads, x, 5)) == 0);
        CHECK(json_array_append_new(b, row("m", true, threads, y, 5)) == 0);
        if (threads == 1) { // alone the difference is just beyond doubt's edge
            CHECK_OK(compare_rows(a, b, &text, &err), &err);
            CHECK(strstr(sc_buf_text(&text), "FASTER") && !strstr(sc_buf_text(&text), "together"));
        }
    }
    sc_buf_clear(&text);
    CHECK_OK(compare_rows(a, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "CANNOT TELL APART") && !strstr(sc_buf_text(&text), "FASTER"));
    CHECK(strstr(sc_buf_text(&text), "The 20 intervals hold together"));
}

TEST(a_ratio_is_that_of_the_speeds_beside_it)
{
    UNUSED;
    sc_err err = {0};
    // The medians say 100 to 90, the geometric means 20.6 to 90: one of them stands in the table.
    const double torn[] = {100, 100, 100, 2, 2}, steady[] = {90, 90, 90, 90, 90};
    SC_AUTO_JSON *a = rows(torn, 5);
    SC_AUTO_JSON *b = rows(steady, 5);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_OK(compare_rows(a, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "| 20.9 | 90.0 | 4.304 |"));
}

TEST(a_comparison_names_other_machines_and_rows_without_a_partner)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *a = json_pack("{s:{s:{s:s, s:i, s:i}}, s:o}", "environment", "cpu", "model",
                                "X|1", "logical", 8, "usable", 2, "rows", rows(slow, SC_LEN(slow)));
    SC_AUTO_JSON *b = json_pack("{s:{s:{s:s, s:i, s:i}}, s:o}", "environment", "cpu", "model", "Y",
                                "logical", 8, "usable", 4, "rows", rows(fast, SC_LEN(fast)));
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_OK(sc_speed_compare(a, a, &text, &err), &err);
    CHECK(!strstr(sc_buf_text(&text), "differ") && !strstr(sc_buf_text(&text), "partner"));
    sc_buf_clear(&text);
    CHECK(json_array_append_new(json_object_get(b, "rows"), row("m", true, 3, fast, 5)) == 0);
    CHECK_OK(sc_speed_compare(a, b, &text, &err), &err);
    CHECK(strstr(sc_buf_text(&text), "CPU model X\\|1 in A, Y in B; usable 2 in A, 4 in B."));
    CHECK(strstr(sc_buf_text(&text), "\nWithout a partner: 0 of A's rows, 1 of B's.\n"));
}

TEST(a_comparison_without_partners_or_figures_is_an_error)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO_JSON *a = rows(slow, SC_LEN(slow));
    SC_AUTO_JSON *none = json_array();
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    CHECK_CODE(SC_E_NOTFOUND, compare_rows(a, none, &text, &err), &err);
    SC_AUTO_JSON *broken = json_deep_copy(a);
    CHECK(json_object_del(json_array_get(broken, 0), "runs") == 0);
    CHECK_CODE(SC_E_FORMAT, compare_rows(a, broken, &text, &err), &err);
    CHECK(strstr(err.msg, "row 1"));
}

TEST(what_is_printed_as_json_fits_its_schema)
{
    UNUSED;
    sc_err err = {0};
    const sc_limits l = {.threads = 2,
                         .read_one = 1,
                         .read_all = 1,
                         .f32 = 1,
                         .bf16 = 1,
                         .int8 = 1,
                         .barrier = 1e-7};
    json_t *one = NULL;
    CHECK_OK(sc_limits_row(&l, "avx2", &one, &err), &err);
    SC_AUTO_JSON *list = rows(slow, SC_LEN(slow));
    size_t i = 0;
    json_t *each = NULL;
    json_array_foreach(list, i, each)
    {
        // What the command says of the model; the rest is the row's own.
        SC_AUTO_JSON *about =
            json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "arch", "llama",
                      "dtype", "F16", "params", 1, "bytes", 2, "level", "avx2", "compute", "auto",
                      "kv_type", "f16", "cpu", "c", "version", "1", "time", "2026-01-01T00:00:00Z");
        CHECK(json_object_update(each, about) == 0);
    }
    SC_AUTO_JSON *doc =
        json_pack("{s:i, s:{}, s:{}, s:[o], s:O, s:[{s:s, s:s}]}", "schema", 1, "program",
                  "environment", "limits", one, "rows", list, "missed", "what", "m", "why", "none");
    const char *source = getenv("SC_SOURCE");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/schemas/speed.schema.json", source ? source : ".");
    SC_AUTO_JSON *schema = NULL;
    CHECK_OK(sc_json_read(path, 1 << 20, &schema, &err), &err);
    schema_why why = {{0}};
    if (!schema_check(doc, schema, "$", &why))
        fail_msg("%s", why.text);
    CHECK(json_object_del(json_array_get(list, 0), "runs") == 0);
    CHECK(!schema_check(doc, schema, "$", &why));
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(a_row_has_the_median_the_quartiles_and_its_share_of_the_limit),
        T(a_row_bound_by_arithmetic_says_so),
        T(a_row_without_limits_claims_no_share_of_them),
        T(limits_are_printed_in_every_form),
        T(tables_show_what_varies_and_survive_a_hostile_name),
        T(what_is_printed_as_json_fits_its_schema),
        T(a_comparison_says_what_the_figures_allow),
        T(a_comparison_pairs_what_has_most_in_common),
        T(many_comparisons_are_no_licence_to_find_something),
        T(a_ratio_is_that_of_the_speeds_beside_it),
        T(a_comparison_names_other_machines_and_rows_without_a_partner),
        T(a_comparison_without_partners_or_figures_is_an_error),
    };
    return RUN_TESTS(tests);
}
