/**
 * table.h - a list of JSON objects as a Markdown table, as CSV and as SQL.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_REPORT_TABLE_H
#define SC_REPORT_TABLE_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

/** A column: a member of each row. */
typedef struct sc_column {
    const char *key;   // "name", or "object.name" for a member of a member
    const char *title; // in Markdown; NULL: not shown there
    bool number;       // else text
    bool always;       // shown even when it is the same in every row
} sc_column;

/**
 * Rows as a Markdown table. Columns that are the same in every row stand above it once; what would
 * break the table is escaped.
 */
void sc_table_markdown(const json_t *rows, const sc_column *c, size_t n, sc_buf *out);

/** All columns; `head`: behind a line of names, the keys with their dots turned into underscores.
 */
void sc_table_csv(const json_t *rows, bool head, const sc_column *c, size_t n, sc_buf *out);

/** INSERT statements that name their columns, for SQLite and PostgreSQL; `head`: behind CREATE
 * TABLE. */
void sc_table_sql(const json_t *rows, bool head, const char *name, const sc_column *c, size_t n,
                  sc_buf *out);

/** One value as a Markdown cell: numbers short. */
void sc_table_cell(sc_buf *out, const json_t *v);

#endif
