/* The reference numbers of goldens/stats; plus what needs no file: exact ends and identities. */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/json.h"
#include "stat/interval.h"
#include "stat/passk.h"
#include "stat/quantile.h"
#include "stat/special.h"
#include "t.h"

#include <math.h>

/* The cases of goldens/stats/NAME.json, or NULL when the folder is absent. */
static json_t *load(const char *name, const char *list, json_t **doc)
{
    const char *root = getenv("SC_GOLDENS");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/stats/%s.json", root ? root : ".", name);
    if (!sc_file_is_file(path))
        return NULL;
    sc_err err = {0};
    CHECK_OK(sc_json_read(path, 64u << 20, doc, &err), &err);
    json_t *cases = json_object_get(*doc, list);
    CHECK(json_array_size(cases) > 0);
    return cases;
}

#define LOAD(name, list)                                                                           \
    SC_AUTO_JSON *doc = NULL;                                                                      \
    json_t *cases = load(name, list, &doc);                                                        \
    if (!cases)                                                                                    \
    SKIP("goldens", "no goldens/stats")

static double num(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

static uint64_t count(const json_t *row, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(row, key));
}

static double at(const json_t *row, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(row, key), i));
}

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want) + 1e-14))
        fail_msg("got %.17g, want %.17g", got, want);
}

/* The array `key` as doubles, on the heap. */
static double *numbers(const json_t *row, const char *key, size_t *n)
{
    const json_t *a = json_object_get(row, key);
    *n = json_array_size(a);
    double *x = sc_alloc(*n, sizeof *x);
    CHECK(x);
    for (size_t i = 0; i < *n; i++)
        x[i] = json_number_value(json_array_get(a, i));
    return x;
}

TEST(pass_at_k_agrees)
{
    UNUSED;
    LOAD("passk", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row) near(
        sc_pass_at_k(count(row, "n"), count(row, "c"), count(row, "k")), num(row, "value"), 1e-12);
}

TEST(intervals_agree)
{
    UNUSED;
    LOAD("intervals", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row)
    {
        const sc_interval w = sc_wilson(count(row, "x"), count(row, "n"), num(row, "level"));
        near(w.low, at(row, "wilson", 0), 1e-12);
        near(w.high, at(row, "wilson", 1), 1e-12);
        const sc_interval c =
            sc_clopper_pearson(count(row, "x"), count(row, "n"), num(row, "level"));
        near(c.low, at(row, "clopper_pearson", 0), 1e-12);
        near(c.high, at(row, "clopper_pearson", 1), 1e-12);
    }
    json_array_foreach(json_object_get(doc, "difference_of_two"), i, row)
    {
        const sc_interval d = sc_newcombe(count(row, "x1"), count(row, "n1"), count(row, "x2"),
                                          count(row, "n2"), num(row, "level"));
        near(d.low, at(row, "newcombe", 0), 1e-12);
        near(d.high, at(row, "newcombe", 1), 1e-12);
    }
}

TEST(mcnemar_agrees)
{
    UNUSED;
    LOAD("mcnemar", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row)
    {
        const double p = sc_mcnemar(count(row, "b"), count(row, "c"));
        if (!(fabs(p / num(row, "p") - 1) <= 1e-10))
            fail_msg("got %.17g, want %.17g", p, num(row, "p"));
    }
}

TEST(quantiles_agree)
{
    UNUSED;
    LOAD("quantiles", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row)
    {
        size_t n = 0;
        double *x = numbers(row, "x", &n);
        sc_sort(x, n);
        for (size_t k = 0; k < json_array_size(json_object_get(row, "probs")); k++)
            near(sc_quantile(x, n, at(row, "probs", k)), at(row, "values", k), 1e-12);
        sc_free(x);
    }
}

TEST(modified_z_scores_agree)
{
    UNUSED;
    LOAD("outliers", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row)
    {
        size_t n = 0;
        double *x = numbers(row, "x", &n);
        double *z = sc_alloc(n * 2 + 1, sizeof *z);
        CHECK(z);
        sc_modified_z(x, n, z, z + n);
        for (size_t k = 0; k < n; k++)
            near(z[k], at(row, "z", k), 1e-12);
        sc_free(z);
        sc_free(x);
    }
}

TEST(ratios_agree)
{
    UNUSED;
    LOAD("ratios", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row)
    {
        size_t na = 0;
        size_t nb = 0;
        double *a = numbers(row, "a", &na);
        double *b = numbers(row, "b", &nb);
        const double level = num(row, "level");
        const sc_ratio r = json_is_true(json_object_get(row, "paired"))
                               ? sc_ratio_paired(a, b, na, level)
                               : sc_ratio_welch(a, na, b, nb, level);
        near(r.ratio, num(row, "ratio"), 1e-12);
        near(r.df, num(row, "df"), 1e-10);
        near(r.interval.low, at(row, "interval", 0), 1e-10);
        near(r.interval.high, at(row, "interval", 1), 1e-10);
        sc_free(a);
        sc_free(b);
    }
}

TEST(special_functions_agree)
{
    UNUSED;
    LOAD("special", "cases");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(cases, i, row)
    {
        const char *f = json_string_value(json_object_get(row, "f"));
        const double a = at(row, "args", 0);
        const double b = at(row, "args", 1);
        const double want = num(row, "value");
        if (strcmp(f, "norm_ppf") == 0)
            near(sc_norm_ppf(a), want, 1e-12);
        else if (strcmp(f, "norm_cdf") == 0)
            near(sc_norm_cdf(a), want, 1e-12);
        else if (strcmp(f, "betainc_regularized") == 0)
            near(sc_betainc(a, b, at(row, "args", 2)), want, 1e-12);
        else if (strcmp(f, "t_ppf") == 0)
            near(sc_t_ppf(a, b), want, 1e-10);
        else if (strcmp(f, "ln_factorial") == 0)
            near(sc_ln_factorial(a), want, 1e-12);
        else
            fail_msg("unknown function %s", f);
    }
}

TEST(ends_are_exact_and_known_values_hold)
{
    UNUSED;
    CHECK(sc_wilson(0, 10, 0.95).low == 0 && sc_wilson(10, 10, 0.95).high == 1);
    CHECK(sc_wilson(0, 0, 0.95).low == 0 && sc_wilson(0, 0, 0.95).high == 1);
    near(sc_pass_at_k(10, 3, 2), 1 - 7.0 * 6 / (10 * 9), 1e-15);
    CHECK(sc_pass_at_k(1000, 1, 1000) == 1);
    near(sc_mcnemar(5, 12), 0.143463134765625, 1e-12);
    near(sc_t_two_sided(sc_t_ppf(0.975, 7), 7), 0.05, 1e-12);
    near(sc_norm_ppf(0.975), 1.959963984540054, 1e-14);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(pass_at_k_agrees),        T(intervals_agree),
        T(mcnemar_agrees),          T(quantiles_agree),
        T(modified_z_scores_agree), T(ratios_agree),
        T(special_functions_agree), T(ends_are_exact_and_known_values_hold),
    };
    return RUN_TESTS(tests);
}
