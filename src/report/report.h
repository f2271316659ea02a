/**
 * report.h - a report: the run document, the samples and what they add up to, ready for writers.
 *
 * Made from what a run gave, or again from the folder of a run, with the same numbers. Every writer
 * is a function from a report to text.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_REPORT_REPORT_H
#define SC_REPORT_REPORT_H

#include "base/buf.h"
#include "report/summary.h"

typedef struct sc_report_model {
    const json_t *info; // borrowed from the run document: its entry
    sc_str label;       // borrowed
    sc_str error;       // borrowed; empty when it was measured to the end
    sc_summary sum;     // owned
} sc_report_model;

typedef struct sc_report {
    json_t *run;               // owned: with summaries, as it goes into run.json
    const sc_records *samples; // borrowed
    sc_report_model *model;    // owned, [n_models]
    size_t n_models;
    uint32_t max_tokens;
    size_t n_expected; // samples a model should have
} sc_report;

/**
 * Adds summaries to a copy of the run document `run`.
 *
 * Owns:   the caller drops *out with sc_report_drop; `samples` must outlive it.
 * Errors: SC_E_FORMAT when `run` is not a run document, SC_E_NOMEM
 */
sc_code sc_report_make(const json_t *run, const sc_records *samples, sc_report *out,
                       sc_err *err) SC_CHECKED;
void sc_report_drop(sc_report *r);

/** run.json. */
void sc_report_run_json(const sc_report *r, sc_buf *out);
/** report.md: safe in a comment on GitHub, under 60 KiB. */
void sc_report_markdown(const sc_report *r, sc_buf *out);
/** The original's benchmark_results_*.json. */
void sc_report_seed_json(const sc_report *r, sc_buf *out);
/** The original's benchmark_comparison_*.md; `generated` is "YYYY-MM-DD HH:MM:SS". */
void sc_report_seed_markdown(const sc_report *r, const char *generated, sc_buf *out);

/** Appends text that may be anything for a cell of a Markdown table: one line, nothing active. */
void sc_report_add_cell(sc_buf *out, sc_str text);
/** Appends text as a fenced block whose fence the text cannot close; control characters are shown.
 */
void sc_report_add_block(sc_buf *out, const char *language, sc_str text);

/** Bytes as "12.3 MiB". */
void sc_report_add_bytes(sc_buf *out, double bytes);

SC_AUTO_DEFINE_VALUE(sc_report, sc_report_drop);

#endif
