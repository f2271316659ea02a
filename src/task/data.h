/**
 * data.h - the published benchmarks: where their files are, and their records as lines of a suite.
 *
 * The files are never part of the program: they are looked for in the folder given, in $SC_DATA,
 * and in $XDG_DATA_HOME/scbench/tasks (~/.local/share/scbench/tasks).
 *
 * Threads: any thread.
 * Source:  openai/human-eval (data/HumanEval.jsonl.gz); google-research/mbpp (mbpp.jsonl,
 *          sanitized-mbpp.json).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TASK_DATA_H
#define SC_TASK_DATA_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/** The published suites, NULL at the end: "humaneval", "mbpp", ... */
extern const char *const sc_data_names[];

bool sc_data_is(const char *name);

/** Appends the user's data folder, $XDG_DATA_HOME/scbench/tasks; nothing when there is none. */
void sc_data_home(sc_buf *out);

/**
 * Reads the data file of the suite `name` and writes it as JSON lines that sc_suite_parse reads.
 *
 * *path is where it was found (the caller frees it with sc_free); `bytes` gets the file as it is on
 * disk, for its digest.
 *
 * Errors: SC_E_NOTFOUND (the message says where it was looked for), SC_E_FORMAT, SC_E_LIMIT,
 * SC_E_IO, SC_E_NOMEM
 */
sc_code sc_data_read(const char *name, const char *dir, char **path, sc_buf *bytes, sc_buf *lines,
                     sc_err *err) SC_CHECKED;

/**
 * Finds `file` in the folder `dir`, or without one where published data is looked for; `suite` is
 * for the message.
 *
 * Owns:   the caller frees *out with sc_free.
 * Errors: SC_E_NOTFOUND, SC_E_NOMEM
 */
sc_code sc_data_find(const char *suite, const char *file, const char *dir, char **out,
                     sc_err *err) SC_CHECKED;

/**
 * The bytes of a zlib stream, or of one or more gzip streams one behind the other, at most
 * `out->max`.
 *
 * Needs:  in.n <= UINT_MAX
 * Errors: SC_E_FORMAT, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_data_unpack(sc_str in, sc_buf *out, sc_err *err) SC_CHECKED;

/** The name called first in an assertion of MBPP ("assert set(f(x)) == ..." is f); empty: none. */
sc_str sc_data_called(sc_str test);

#endif
