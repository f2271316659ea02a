/**
 * limits.h - a machine's limits as a row, and rows as Markdown, CSV and SQL.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_REPORT_LIMITS_H
#define SC_REPORT_LIMITS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "kern/limits.h"

/**
 * A row: level, threads, read_one and read_all (bytes a second), f32, bf16 and int8 (multiply-adds
 * a second), barrier_s (seconds).
 *
 * Owns:   the caller drops *out.
 * Errors: SC_E_NOMEM
 */
sc_code sc_limits_row(const sc_limits *l, const char *level, json_t **out, sc_err *err) SC_CHECKED;

/** In GB/s, billions of multiply-adds a second, microseconds. */
void sc_limits_markdown(const json_t *rows, sc_buf *out);
/** In the rows' own units. */
void sc_limits_csv(const json_t *rows, sc_buf *out);
void sc_limits_sql(const json_t *rows, sc_buf *out);

#endif
