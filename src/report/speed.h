/**
 * speed.h - results of speed tests as rows, and the rows as Markdown, CSV, JSON and SQL; two
 * results compared.
 *
 * A row is a JSON object; what identifies it (model, sizes, threads, test) and what was measured
 * stand in it side by side, so a file of rows can be read back and compared with another.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_REPORT_SPEED_H
#define SC_REPORT_SPEED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "eval/speed.h"

/**
 * A row: the members of `about` (model, threads, ...), then those of the test and of the result.
 *
 *   test "prefill" | "decode", n, depth, batch; tok_s (the median of runs), tok_s_low, tok_s_high
 * (quartiles), tok_s_min, tok_s_max, runs[]; step_ms {p50, p90, p95, p99, max} for decode: a
 * sequence's time per token; kv_bytes; step_bytes. With limits (else NULL) limit_tok_s, of_limit
 * and limit_by, "memory" or "arithmetic": what the machine allows at most, how much of it this is.
 *
 * Owns:   the caller drops *out.
 * Errors: SC_E_NOMEM
 */
sc_code sc_speed_row(const json_t *about, const sc_speed_test *t, const sc_speed_result *r,
                     const sc_speed_cost *cost, const sc_limits *limits, json_t **out,
                     sc_err *err) SC_CHECKED;

/** The rows as a Markdown table; only columns that vary are shown, the others stand above it once.
 */
void sc_speed_markdown(const json_t *rows, sc_buf *out);
/** As CSV; `head`: behind the names of the columns. */
void sc_speed_csv(const json_t *rows, bool head, sc_buf *out);
/** INSERT statements for SQLite and PostgreSQL; `head`: behind CREATE TABLE. */
void sc_speed_sql(const json_t *rows, bool head, sc_buf *out);

/**
 * Compares two results, {environment, rows}: each row of `b` with the row of `a` of the same test
 * on as many threads that has most else in common. A Markdown table of the geometric means, their
 * ratio b/a, its interval (Welch on the logarithms of the runs; all intervals together hold with 95
 * %) and a verdict: FASTER, SLOWER or CANNOT TELL APART. What differs within a pair is shown, below
 * the table what differs between the machines, and how many rows have no partner.
 *
 * Errors: SC_E_FORMAT when a row lacks its members, SC_E_NOTFOUND when no row has a partner
 */
sc_code sc_speed_compare(const json_t *a, const json_t *b, sc_buf *out, sc_err *err) SC_CHECKED;

#endif
