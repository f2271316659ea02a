// SPDX-License-Identifier: MIT
#include "report/speed.h"

#include "base/mem.h"
#include "report/table.h"
#include "stat/interval.h"
#include "stat/quantile.h"

#include <math.h>

static const sc_column columns[] = {
    {"model", "model", false, false},
    {"arch", "arch", false, false},
    {"dtype", "weights", false, false},
    {"params", "params", true, false},
    {"bytes", "bytes", true, false},
    {"threads", "threads", true, false},
    {"level", "level", false, false},
    {"compute", "compute", false, false},
    {"kv_type", "kv", false, false},
    {"test", "test", false, true},
    {"n", "tokens", true, true},
    {"depth", "depth", true, false},
    {"batch", "batch", true, false},
    {"tok_s", "tok/s", true, true},
    {"tok_s_low", "q25", true, true},
    {"tok_s_high", "q75", true, true},
    {"step_ms.p50", "ms p50", true, true},
    {"step_ms.p99", "p99", true, true},
    {"of_limit", "of limit", true, true},
    {"limit_by", "set by", false, true},
    // In CSV and SQL alone:
    {"tok_s_min", NULL, true, false},
    {"tok_s_max", NULL, true, false},
    {"kv_bytes", NULL, true, false},
    {"step_bytes", NULL, true, false},
    {"limit_tok_s", NULL, true, false},
    {"step_ms.p90", NULL, true, false},
    {"step_ms.p95", NULL, true, false},
    {"step_ms.max", NULL, true, false},
    {"cpu", NULL, false, false},
    {"version", NULL, false, false},
    {"time", NULL, false, false},
};

static double quantile_of(const double *x, size_t n, double p)
{
    return n ? sc_quantile(x, n, p) : 0;
}

/* A sorted copy of x[n]; NULL when memory is out. */
static double *sorted(const double *x, size_t n)
{
    double *copy = sc_alloc(n ? n : 1, sizeof *copy);
    if (copy && n) {
        memcpy(copy, x, n * sizeof *copy);
        sc_sort(copy, n);
    }
    return copy;
}

static json_t *numbers(const double *x, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, json_real(x[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* Adds what the machine allows, and the share of it that was reached. */
static bool add_limit(json_t *row, const sc_speed_test *t, const sc_speed_cost *cost,
                      const sc_limits *limits, double tok_s)
{
    const sc_speed_floor floor = sc_speed_floor_of(cost, limits);
    const double most = (double)t->n * (double)t->batch / floor.seconds;
    SC_AUTO_JSON *more = json_pack("{s:f, s:f, s:s}", "limit_tok_s", most, "of_limit", tok_s / most,
                                   "limit_by", floor.memory ? "memory" : "arithmetic");
    return more && json_object_update(row, more) == 0;
}

/* Adds the figures to `row`; false when memory is out. */
static bool add_figures(json_t *row, const sc_speed_test *t, const sc_speed_result *r,
                        const sc_speed_cost *cost, const sc_limits *limits)
{
    double *runs = sorted(r->tok_s, r->n_runs);
    double *steps = sorted(r->step_s, r->n_steps);
    bool ok = runs && steps;
    if (ok) {
        SC_AUTO_JSON *figures = json_pack(
            "{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:I, s:f}", //
            "test", t->decode ? "decode" : "prefill", "n", (json_int_t)t->n, "depth",
            (json_int_t)t->depth, "batch", (json_int_t)t->batch, //
            "tok_s", quantile_of(runs, r->n_runs, 0.5), "tok_s_low",
            quantile_of(runs, r->n_runs, 0.25), "tok_s_high", quantile_of(runs, r->n_runs, 0.75),
            "tok_s_min", quantile_of(runs, r->n_runs, 0), "tok_s_max",
            quantile_of(runs, r->n_runs, 1), //
            "runs", numbers(r->tok_s, r->n_runs), "kv_bytes", (json_int_t)r->kv_bytes, "step_bytes",
            cost->step_bytes);
        ok = figures && json_object_update(row, figures) == 0;
    }
    if (ok && t->decode) {
        json_t *ms = json_pack("{s:f, s:f, s:f, s:f, s:f}",                       //
                               "p50", quantile_of(steps, r->n_steps, 0.5) * 1e3,  //
                               "p90", quantile_of(steps, r->n_steps, 0.9) * 1e3,  //
                               "p95", quantile_of(steps, r->n_steps, 0.95) * 1e3, //
                               "p99", quantile_of(steps, r->n_steps, 0.99) * 1e3, //
                               "max", quantile_of(steps, r->n_steps, 1) * 1e3);
        ok = json_object_set_new(row, "step_ms", ms) == 0;
    }
    if (ok && limits)
        ok = add_limit(row, t, cost, limits, quantile_of(runs, r->n_runs, 0.5));
    sc_free(runs);
    sc_free(steps);
    return ok;
}

sc_code sc_speed_row(const json_t *about, const sc_speed_test *t, const sc_speed_result *r,
                     const sc_speed_cost *cost, const sc_limits *limits, json_t **out, sc_err *err)
{
    json_t *row = json_deep_copy(about);
    if (!row || !add_figures(row, t, r, cost, limits)) {
        json_decref(row);
        return sc_fail_nomem(err);
    }
    *out = row;
    return SC_OK;
}

void sc_speed_markdown(const json_t *rows, sc_buf *out)
{
    sc_table_markdown(rows, columns, SC_LEN(columns), out);
}

void sc_speed_csv(const json_t *rows, bool head, sc_buf *out)
{
    sc_table_csv(rows, head, columns, SC_LEN(columns), out);
}

void sc_speed_sql(const json_t *rows, bool head, sc_buf *out)
{
    sc_table_sql(rows, head, "scbench_speed", columns, SC_LEN(columns), out);
}

static const char *const identity[] = {"test", "n", "depth", "batch", "threads"};

// What may differ between the partners of a pair; shown where it does, or where it varies.
static const struct {
    const char *key;
    const char *title;
} variants[] = {{"model", "model"},
                {"dtype", "weights"},
                {"level", "level"},
                {"compute", "compute"},
                {"kv_type", "kv"}};

/* The runs of a row as doubles on the heap. */
static sc_code runs_of(const json_t *row, size_t index, double **out, size_t *n, sc_err *err)
{
    const json_t *runs = json_object_get(row, "runs");
    *n = json_array_size(runs);
    if (*n == 0 || *n > SC_SPEED_MAX_REPEATS)
        return sc_fail(err, SC_E_FORMAT, "row %zu has no list of \"runs\"", index + 1);
    double *x = sc_alloc(*n, sizeof *x);
    if (!x)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < *n; i++) {
        x[i] = json_number_value(json_array_get(runs, i));
        if (!(x[i] > 0 && isfinite(x[i]))) {
            sc_free(x);
            return sc_fail(err, SC_E_FORMAT, "row %zu: run %zu is not a speed", index + 1, i + 1);
        }
    }
    *out = x;
    return SC_OK;
}

static bool equal_at(const json_t *a, const json_t *b, const char *key)
{
    const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
    return x == y || json_equal(x, y); // in neither: NULL twice
}

/* The row of the same test that has most else in common, the first of equals; NULL: none. */
static const json_t *partner(const json_t *rows, const json_t *row)
{
    const json_t *best = NULL;
    size_t most = 0;
    size_t i = 0;
    json_t *other = NULL;
    json_array_foreach(rows, i, other)
    {
        bool same = true;
        for (size_t k = 0; k < SC_LEN(identity); k++)
            same = same && equal_at(other, row, identity[k]);
        size_t common = 1;
        for (size_t k = 0; k < SC_LEN(variants); k++)
            common += equal_at(other, row, variants[k].key);
        if (same && common > most) {
            best = other;
            most = common;
        }
    }
    return best;
}

static const char *verdict(sc_interval i)
{
    if (i.low > 1)
        return "FASTER";
    if (i.high < 1)
        return "SLOWER";
    return "CANNOT TELL APART";
}

static bool variant_shown(const json_t *a, const json_t *b, const char *key)
{
    const json_t *first = json_array_get(b, 0);
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(b, i, row)
    {
        const json_t *other = partner(a, row);
        if (other && (!equal_at(other, row, key) || !equal_at(row, first, key)))
            return true;
    }
    return false;
}

/* What names a pair: the cells before its figures. */
static void add_names(const json_t *a, const json_t *b, const bool *shown, sc_buf *out)
{
    sc_buf_add_char(out, '|');
    for (size_t k = 0; k < SC_LEN(variants); k++) {
        if (!shown[k])
            continue;
        sc_buf_add_char(out, ' ');
        if (!equal_at(a, b, variants[k].key)) {
            sc_table_cell(out, json_object_get(a, variants[k].key));
            sc_buf_add_c(out, ", ");
        }
        sc_table_cell(out, json_object_get(b, variants[k].key));
        sc_buf_add_c(out, " |");
    }
    for (size_t k = 0; k < SC_LEN(identity); k++) {
        sc_buf_add_char(out, ' ');
        sc_table_cell(out, json_object_get(b, identity[k]));
        sc_buf_add_c(out, " |");
    }
}

static double geometric_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(x[i]);
    return exp(sum / (double)n);
}

static void add_speed(sc_buf *out, double x)
{
    SC_AUTO_JSON *v = json_real(x);
    sc_buf_add_char(out, ' ');
    sc_table_cell(out, v);
    sc_buf_add_c(out, " |");
}

static sc_code add_ratio(const json_t *a, const json_t *b, size_t index, double level, sc_buf *out,
                         sc_err *err)
{
    double *x = NULL;
    double *y = NULL;
    size_t nx = 0;
    size_t ny = 0;
    sc_code code = runs_of(a, index, &x, &nx, err);
    if (code == SC_OK)
        code = runs_of(b, index, &y, &ny, err);
    if (code == SC_OK) {
        const sc_ratio r = sc_ratio_welch(y, ny, x, nx, level);
        add_speed(out, geometric_mean(x, nx)); // what the ratio is of
        add_speed(out, geometric_mean(y, ny));
        if (isfinite(r.interval.low))
            sc_buf_addf(out, " %.3f | %.3f to %.3f | %s |\n", r.ratio, r.interval.low,
                        r.interval.high, verdict(r.interval));
        else
            sc_buf_addf(out, " %.3f | - | CANNOT TELL APART |\n", r.ratio);
    }
    sc_free(x);
    sc_free(y);
    return code;
}

// Members of the environment that make another machine of it.
static const char *const machine[] = {"model", "logical", "usable", "governor"};

static void add_value(sc_buf *out, const json_t *v)
{
    if (v && !json_is_null(v))
        sc_table_cell(out, v);
    else
        sc_buf_add_c(out, "unknown");
}

/* Says where the machines differ: then it is they that are compared. */
static void add_machines(const json_t *a, const json_t *b, sc_buf *out)
{
    const json_t *x = json_object_get(json_object_get(a, "environment"), "cpu"),
                 *y = json_object_get(json_object_get(b, "environment"), "cpu");
    bool differ = false;
    for (size_t i = 0; i < SC_LEN(machine); i++) {
        if (equal_at(x, y, machine[i]))
            continue;
        sc_buf_addf(out, "%s%s ", differ ? "; " : "\nThe machines differ: CPU ", machine[i]);
        add_value(out, json_object_get(x, machine[i]));
        sc_buf_add_c(out, " in A, ");
        add_value(out, json_object_get(y, machine[i]));
        sc_buf_add_c(out, " in B");
        differ = true;
    }
    if (differ)
        sc_buf_add_c(out, ". A ratio is then one of machines and programs together.\n");
}

/* How many rows of `rows` find no partner among `others`. */
static size_t lonely(const json_t *rows, const json_t *others)
{
    size_t n = 0, i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) n += partner(others, row) == NULL;
    return n;
}

/* The lines below the table. */
static void add_notes(const json_t *a, const json_t *b, size_t pairs, sc_buf *out)
{
    const size_t only_a = lonely(json_object_get(a, "rows"), json_object_get(b, "rows")),
                 only_b = lonely(json_object_get(b, "rows"), json_object_get(a, "rows"));
    if (pairs > 1)
        sc_buf_addf(out,
                    "\nThe %zu intervals hold together with 95 %%: one alone would be narrower.\n",
                    pairs);
    if (only_a || only_b)
        sc_buf_addf(out, "\nWithout a partner: %zu of A's rows, %zu of B's.\n", only_a, only_b);
    add_machines(a, b, out);
}

/* The table of all pairs. */
static sc_code add_pairs(const json_t *a, const json_t *b, size_t pairs, sc_buf *out, sc_err *err)
{
    bool shown[SC_LEN(variants)];
    size_t i = 0;
    json_t *row = NULL;
    sc_buf_add_c(out, "|");
    for (size_t k = 0; k < SC_LEN(variants); k++) {
        shown[k] = variant_shown(a, b, variants[k].key);
        if (shown[k])
            sc_buf_addf(out, " %s |", variants[k].title);
    }
    sc_buf_add_c(out, " test | tokens | depth | batch | threads | A tok/s | B tok/s | B / A | 95 % "
                      "| B is |\n|");
    for (size_t k = 0; k < SC_LEN(variants); k++)
        sc_buf_add_c(out, shown[k] ? "---|" : "");
    sc_buf_add_c(out, "---|---:|---:|---:|---:|---:|---:|---:|---|---|\n");
    json_array_foreach(b, i, row)
    {
        const json_t *other = partner(a, row);
        if (!other)
            continue;
        add_names(other, row, shown, out);
        // Each interval is so wide that with 95 % all of them hold together (Bonferroni).
        SC_TRY(add_ratio(other, row, i, 1 - 0.05 / (double)pairs, out, err));
    }
    return SC_OK;
}

sc_code sc_speed_compare(const json_t *a, const json_t *b, sc_buf *out, sc_err *err)
{
    const json_t *x = json_object_get(a, "rows"), *y = json_object_get(b, "rows");
    const size_t pairs = json_array_size(y) - lonely(y, x);
    if (pairs == 0)
        return sc_fail(err, SC_E_NOTFOUND, "no test stands in both files");
    SC_TRY(add_pairs(x, y, pairs, out, err));
    add_notes(a, b, pairs, out);
    return SC_OK;
}
