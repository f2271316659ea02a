// SPDX-License-Identifier: MIT
#include "report/speed.h"

#include "base/mem.h"
#include "stat/interval.h"
#include "stat/quantile.h"

#include <math.h>

/* A column of the tables: a member of a row. */
typedef struct column {
    const char *key;
    const char *title;
    bool number;
    bool always; // shown even when it is the same in every row
} column;

static const column columns[] = {
    {"model", "model", false, false},     {"arch", "arch", false, false},
    {"dtype", "weights", false, false},   {"params", "params", true, false},
    {"bytes", "bytes", true, false},      {"threads", "threads", true, false},
    {"level", "level", false, false},     {"compute", "compute", false, false},
    {"kv_type", "kv", false, false},      {"test", "test", false, true},
    {"n", "tokens", true, true},          {"depth", "depth", true, false},
    {"batch", "batch", true, false},      {"tok_s", "tok/s", true, true},
    {"tok_s_low", "q25", true, true},     {"tok_s_high", "q75", true, true},
    {"of_limit", "of limit", true, true},
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

/* Adds the figures to `row`; false when memory is out. */
static bool add_figures(json_t *row, const sc_speed_test *t, const sc_speed_result *r,
                        double step_bytes, double bandwidth)
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
            step_bytes);
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
    if (ok && t->decode && bandwidth > 0) {
        const double limit = (double)t->batch * bandwidth / step_bytes;
        ok = json_object_set_new(row, "limit_tok_s", json_real(limit)) == 0 &&
             json_object_set_new(row, "of_limit",
                                 json_real(quantile_of(runs, r->n_runs, 0.5) / limit)) == 0;
    }
    sc_free(runs);
    sc_free(steps);
    return ok;
}

sc_code sc_speed_row(const json_t *about, const sc_speed_test *t, const sc_speed_result *r,
                     double step_bytes, double bandwidth, json_t **out, sc_err *err)
{
    json_t *row = json_deep_copy(about);
    if (!row || !add_figures(row, t, r, step_bytes, bandwidth)) {
        json_decref(row);
        return sc_fail_nomem(err);
    }
    *out = row;
    return SC_OK;
}

/* A value as a cell: numbers short, text with what would break a table taken out. */
static void add_cell(sc_buf *out, const json_t *v)
{
    if (json_is_integer(v)) {
        sc_buf_addf(out, "%lld", (long long)json_integer_value(v));
    } else if (json_is_real(v)) {
        const double x = json_real_value(v);
        sc_buf_addf(out, x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.2f", x);
    } else {
        const sc_str s = sc_json_str(v);
        for (size_t i = 0; i < s.n; i++)
            if (s.p[i] == '|')
                sc_buf_add_c(out, "\\|");
            else
                sc_buf_add_char(out, (unsigned char)s.p[i] < 0x20 ? ' ' : s.p[i]);
    }
}

static bool present(const json_t *rows, const char *key)
{
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) if (json_object_get(row, key)) return true;
    return false;
}

static bool varies(const json_t *rows, const char *key)
{
    const json_t *first = json_object_get(json_array_get(rows, 0), key);
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) if (!json_equal(json_object_get(row, key), first)) return true;
    return false;
}

void sc_speed_markdown(const json_t *rows, sc_buf *out)
{
    bool shown[SC_LEN(columns)];
    for (size_t c = 0; c < SC_LEN(columns); c++) {
        const bool there = present(rows, columns[c].key);
        shown[c] = there && (columns[c].always || varies(rows, columns[c].key));
        if (!there || shown[c])
            continue;
        sc_buf_addf(out, "%s: ", columns[c].title);
        add_cell(out, json_object_get(json_array_get(rows, 0), columns[c].key));
        sc_buf_add_c(out, "  \n");
    }
    sc_buf_add_c(out, "\n|");
    for (size_t c = 0; c < SC_LEN(columns); c++)
        if (shown[c])
            sc_buf_addf(out, " %s |", columns[c].title);
    sc_buf_add_c(out, "\n|");
    for (size_t c = 0; c < SC_LEN(columns); c++)
        if (shown[c])
            sc_buf_add_c(out, columns[c].number ? "---:|" : "---|");
    sc_buf_add_c(out, "\n");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        sc_buf_add_char(out, '|');
        for (size_t c = 0; c < SC_LEN(columns); c++) {
            if (!shown[c])
                continue;
            sc_buf_add_char(out, ' ');
            add_cell(out, json_object_get(row, columns[c].key));
            sc_buf_add_c(out, " |");
        }
        sc_buf_add_c(out, "\n");
    }
}

/* A CSV field or, with `quote` '\'', an SQL literal. */
static void add_field(sc_buf *out, const json_t *v, char quote)
{
    if (json_is_integer(v)) {
        sc_buf_addf(out, "%lld", (long long)json_integer_value(v));
        return;
    }
    if (json_is_real(v)) {
        sc_buf_addf(out, "%.9g", json_real_value(v));
        return;
    }
    if (!json_is_string(v)) {
        sc_buf_add_c(out, quote == '\'' ? "NULL" : "");
        return;
    }
    const sc_str s = sc_json_str(v);
    sc_buf_add_char(out, quote);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            sc_buf_add_char(out, quote);
        if (s.p[i] != '\0')
            sc_buf_add_char(out, s.p[i]);
    }
    sc_buf_add_char(out, quote);
}

// Behind the columns above in CSV and SQL: a member of the row, or of its step_ms.
static const char *const more[] = {"tok_s_min", "tok_s_max", "kv_bytes", "step_bytes",
                                   "limit_tok_s"};
static const char *const steps[] = {"p50", "p90", "p95", "p99", "max"};

static void add_fields(sc_buf *out, const json_t *row, char quote)
{
    const json_t *ms = json_object_get(row, "step_ms");
    for (size_t c = 0; c < SC_LEN(columns); c++) {
        if (c)
            sc_buf_add_char(out, ',');
        add_field(out, json_object_get(row, columns[c].key), quote);
    }
    for (size_t c = 0; c < SC_LEN(more); c++) {
        sc_buf_add_char(out, ',');
        add_field(out, json_object_get(row, more[c]), quote);
    }
    for (size_t c = 0; c < SC_LEN(steps); c++) {
        sc_buf_add_char(out, ',');
        add_field(out, json_object_get(ms, steps[c]), quote);
    }
}

void sc_speed_csv(const json_t *rows, sc_buf *out)
{
    for (size_t c = 0; c < SC_LEN(columns); c++)
        sc_buf_addf(out, "%s%s", c ? "," : "", columns[c].key);
    for (size_t c = 0; c < SC_LEN(more); c++)
        sc_buf_addf(out, ",%s", more[c]);
    for (size_t c = 0; c < SC_LEN(steps); c++)
        sc_buf_addf(out, ",step_ms_%s", steps[c]);
    sc_buf_add_char(out, '\n');
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        add_fields(out, row, '"');
        sc_buf_add_char(out, '\n');
    }
}

void sc_speed_sql(const json_t *rows, sc_buf *out)
{
    sc_buf_add_c(out, "CREATE TABLE IF NOT EXISTS scbench_speed (");
    for (size_t c = 0; c < SC_LEN(columns); c++)
        sc_buf_addf(out, "%s%s %s", c ? ", " : "", columns[c].key,
                    columns[c].number ? "DOUBLE PRECISION" : "TEXT");
    for (size_t c = 0; c < SC_LEN(more); c++)
        sc_buf_addf(out, ", %s DOUBLE PRECISION", more[c]);
    for (size_t c = 0; c < SC_LEN(steps); c++)
        sc_buf_addf(out, ", step_ms_%s DOUBLE PRECISION", steps[c]);
    sc_buf_add_c(out, ");\n");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        sc_buf_add_c(out, "INSERT INTO scbench_speed VALUES (");
        add_fields(out, row, '\'');
        sc_buf_add_c(out, ");\n");
    }
}

static const char *const identity[] = {"test", "n", "depth", "batch", "threads"};

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

static const json_t *partner(const json_t *rows, const json_t *row)
{
    size_t i = 0;
    json_t *other = NULL;
    json_array_foreach(rows, i, other)
    {
        bool same = true;
        for (size_t k = 0; k < SC_LEN(identity); k++)
            same = same && json_equal(json_object_get(other, identity[k]),
                                      json_object_get(row, identity[k]));
        if (same)
            return other;
    }
    return NULL;
}

static const char *verdict(sc_interval i)
{
    if (i.low > 1)
        return "FASTER";
    if (i.high < 1)
        return "SLOWER";
    return "CANNOT TELL APART";
}

static sc_code compare_rows(const json_t *a, const json_t *b, size_t index, sc_buf *out,
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
        const sc_ratio r = sc_ratio_welch(y, ny, x, nx, 0.95);
        sc_buf_add_char(out, '|');
        for (size_t k = 0; k < SC_LEN(identity); k++) {
            sc_buf_add_char(out, ' ');
            add_cell(out, json_object_get(b, identity[k]));
            sc_buf_add_c(out, " |");
        }
        sc_buf_add_char(out, ' ');
        add_cell(out, json_object_get(a, "tok_s"));
        sc_buf_add_c(out, " | ");
        add_cell(out, json_object_get(b, "tok_s"));
        if (isfinite(r.interval.low))
            sc_buf_addf(out, " | %.3f | %.3f to %.3f | %s |\n", r.ratio, r.interval.low,
                        r.interval.high, verdict(r.interval));
        else
            sc_buf_addf(out, " | %.3f | - | CANNOT TELL APART |\n", r.ratio);
    }
    sc_free(x);
    sc_free(y);
    return code;
}

sc_code sc_speed_compare(const json_t *a, const json_t *b, sc_buf *out, sc_err *err)
{
    sc_buf_add_c(
        out,
        "| test | tokens | depth | batch | threads | A tok/s | B tok/s | B / A | 95 % | B is |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---|---|\n");
    size_t found = 0;
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(b, i, row)
    {
        const json_t *other = partner(a, row);
        if (!other)
            continue;
        found++;
        SC_TRY(compare_rows(other, row, i, out, err));
    }
    if (!found)
        return sc_fail(err, SC_E_NOTFOUND, "no test stands in both files");
    return SC_OK;
}
