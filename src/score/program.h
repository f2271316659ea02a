/**
 * program.h - from a task and a completion to the job that the sandbox runs.
 *
 * Threads: any thread.
 * Source:  openai/human-eval's execution.py: prompt + completion, then the tests.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_PROGRAM_H
#define SC_SCORE_PROGRAM_H

#include "base/buf.h"
#include "box/box.h"
#include "task/suite.h"

/** Whether the task has tests that can be run. */
bool sc_program_has_tests(const sc_task *t);

/**
 * The job of one completion; its source stands in `source` (cleared first), which must live until
 * the job is handed in. `whole`: the text is a whole program, whatever the task says.
 *
 * Limits and tag are the caller's. Errors: SC_E_NOMEM
 */
sc_code sc_program_job(const sc_task *t, sc_str completion, bool whole, sc_buf *source, sc_job *out,
                       sc_err *err) SC_CHECKED;

#endif
