// SPDX-License-Identifier: MIT
#include "report/limits.h"

#include "report/table.h"

static const sc_column columns[] = {
    {"level", "level", false, true}, {"threads", "threads", true, true},
    {"read_one", NULL, true, false}, {"read_all", NULL, true, false},
    {"f32", NULL, true, false},      {"bf16", NULL, true, false},
    {"int8", NULL, true, false},     {"barrier_s", NULL, true, false},
};

sc_code sc_limits_row(const sc_limits *l, const char *level, json_t **out, sc_err *err)
{
    *out = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "level", level, "threads",
                     (json_int_t)l->threads, "read_one", l->read_one, "read_all", l->read_all,
                     "f32", l->f32, "bf16", l->bf16, "int8", l->int8, "barrier_s", l->barrier);
    return *out ? SC_OK : sc_fail_nomem(err);
}

static void add_scaled(sc_buf *out, const json_t *row, const char *key, double scale)
{
    const double x = json_number_value(json_object_get(row, key)) * scale;
    sc_buf_addf(out, x >= 100 ? " %.0f |" : x >= 10 ? " %.1f |" : " %.2f |", x);
}

void sc_limits_markdown(const json_t *rows, sc_buf *out)
{
    sc_buf_add_c(out,
                 "| level | threads | read GB/s, 1 thread | all | f32 G multiply-adds/s | bf16 "
                 "| int8 | barrier µs |\n"
                 "|---|---:|---:|---:|---:|---:|---:|---:|\n");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        sc_buf_add_c(out, "| ");
        sc_table_cell(out, json_object_get(row, "level"));
        sc_buf_add_c(out, " | ");
        sc_table_cell(out, json_object_get(row, "threads"));
        sc_buf_add_c(out, " |");
        static const char *const rates[] = {"read_one", "read_all", "f32", "bf16", "int8"};
        for (size_t k = 0; k < SC_LEN(rates); k++)
            add_scaled(out, row, rates[k], 1e-9);
        add_scaled(out, row, "barrier_s", 1e6);
        sc_buf_add_c(out, "\n");
    }
}

void sc_limits_csv(const json_t *rows, sc_buf *out)
{
    sc_table_csv(rows, true, columns, SC_LEN(columns), out);
}

void sc_limits_sql(const json_t *rows, sc_buf *out)
{
    sc_table_sql(rows, true, "scbench_limits", columns, SC_LEN(columns), out);
}
