/**
 * solutions.h - a folder of solutions as EvalPlus writes it: HumanEval_0/0.py, HumanEval_0/1.py ...
 *
 * A folder whose name ends in "_NUMBER" is the task before that, and each of its files "*.py" one
 * program. Everything else in it is passed over.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_SOLUTIONS_H
#define SC_SCORE_SOLUTIONS_H

#include "base/buf.h"
#include "task/suite.h"

/**
 * Appends to `out` a JSON line with "task_id", "solution" and "path" (below `dir`) for each
 * program, in the order of their numbers.
 *
 * Errors: SC_E_FORMAT with the path of a task that `suite` does not have, of a program that is not
 *         UTF-8 text, or when there is no program; SC_E_IO, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_solutions_read(const char *dir, const sc_suite *suite, sc_buf *out,
                          sc_err *err) SC_CHECKED;

#endif
