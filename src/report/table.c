// SPDX-License-Identifier: MIT
#include "report/table.h"

#include <string.h>

static json_t *member(const json_t *row, const char *key)
{
    const char *dot = strchr(key, '.');
    if (!dot)
        return json_object_get(row, key);
    return json_object_get(json_object_getn(row, key, (size_t)(dot - key)), dot + 1);
}

void sc_table_cell(sc_buf *out, const json_t *v)
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
    json_array_foreach(rows, i, row) if (member(row, key)) return true;
    return false;
}

static bool varies(const json_t *rows, const char *key)
{
    const json_t *first = member(json_array_get(rows, 0), key);
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) if (!json_equal(member(row, key), first)) return true;
    return false;
}

static bool in_table(const json_t *rows, const sc_column *c)
{
    return c->title && present(rows, c->key) && (c->always || varies(rows, c->key));
}

static void add_row(const json_t *rows, const json_t *row, const sc_column *c, size_t n,
                    sc_buf *out)
{
    sc_buf_add_char(out, '|');
    for (size_t i = 0; i < n; i++) {
        if (!in_table(rows, &c[i]))
            continue;
        sc_buf_add_char(out, ' ');
        sc_table_cell(out, member(row, c[i].key));
        sc_buf_add_c(out, " |");
    }
    sc_buf_add_c(out, "\n");
}

void sc_table_markdown(const json_t *rows, const sc_column *c, size_t n, sc_buf *out)
{
    bool above = false;
    for (size_t i = 0; i < n; i++) {
        if (!c[i].title || in_table(rows, &c[i]) || !present(rows, c[i].key))
            continue;
        sc_buf_addf(out, "%s: ", c[i].title);
        sc_table_cell(out, member(json_array_get(rows, 0), c[i].key));
        sc_buf_add_c(out, "  \n");
        above = true;
    }
    sc_buf_add_c(out, above ? "\n|" : "|");
    for (size_t i = 0; i < n; i++)
        if (in_table(rows, &c[i]))
            sc_buf_addf(out, " %s |", c[i].title);
    sc_buf_add_c(out, "\n|");
    for (size_t i = 0; i < n; i++)
        if (in_table(rows, &c[i]))
            sc_buf_add_c(out, c[i].number ? "---:|" : "---|");
    sc_buf_add_c(out, "\n");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) add_row(rows, row, c, n, out);
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

static void add_fields(const json_t *row, const sc_column *c, size_t n, char quote, sc_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            sc_buf_add_char(out, ',');
        add_field(out, member(row, c[i].key), quote);
    }
}

static void add_name(sc_buf *out, const char *key)
{
    for (; *key; key++)
        sc_buf_add_char(out, *key == '.' ? '_' : *key);
}

/* The names of all columns, with commas between; with their types where `typed`. */
static void add_head(const sc_column *c, size_t n, bool typed, sc_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            sc_buf_add_char(out, ',');
        add_name(out, c[i].key);
        if (typed)
            sc_buf_add_c(out, c[i].number ? " DOUBLE PRECISION" : " TEXT");
    }
}

void sc_table_csv(const json_t *rows, bool head, const sc_column *c, size_t n, sc_buf *out)
{
    if (head) {
        add_head(c, n, false, out);
        sc_buf_add_char(out, '\n');
    }
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        add_fields(row, c, n, '"', out);
        sc_buf_add_char(out, '\n');
    }
}

void sc_table_sql(const json_t *rows, bool head, const char *name, const sc_column *c, size_t n,
                  sc_buf *out)
{
    if (head) {
        sc_buf_addf(out, "CREATE TABLE IF NOT EXISTS %s (", name);
        add_head(c, n, true, out);
        sc_buf_add_c(out, ");\n");
    }
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        sc_buf_addf(out, "INSERT INTO %s (", name);
        add_head(c, n, false, out);
        sc_buf_add_c(out, ") VALUES (");
        add_fields(row, c, n, '\'', out);
        sc_buf_add_c(out, ");\n");
    }
}
