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
#include "score/extract.h"
#include "task/suite.h"

/** Whether the task has tests that can be run. */
bool sc_program_has_tests(const sc_task *t);

/** What of a completion is run. */
typedef struct sc_cleaned {
    sc_str text;        // borrowed from the completion or from `made`
    bool whole;         // it is a whole program, whatever the task says
    bool none;          // there is no code in it
    sc_extract_how how; // what extraction did
    bool cut;           // text behind the end of the task's own code was left out
} sc_cleaned;

/**
 * The code of a completion under scbench@1: extraction (extract.h) first; a completion that
 * continues its prompt ends before the first line that begins at the margin (behind its definition
 * of the entry point, if it begins with another one), because a model that may go on writes the
 * next function; of one that was `broken_off` by the token limit the last line
 * is left out, unless that is all there is. `made` as in sc_extract.
 */
sc_cleaned sc_program_clean(const sc_task *t, sc_str completion, bool broken_off, sc_buf *made);

/**
 * The job of one completion against the task's tests, or against `cases` where it has some; its
 * source stands in `source` (cleared first), which must live until the job is handed in. `whole`:
 * the text is a whole program, whatever the task says.
 *
 * Limits and tag are the caller's. Errors: SC_E_NOMEM
 */
sc_code sc_program_job(const sc_task *t, const sc_case_list *cases, sc_str completion, bool whole,
                       sc_buf *source, sc_job *out, sc_err *err) SC_CHECKED;

/** Raises limits to what the task asks for at least. */
void sc_program_raise(const sc_task *t, sc_box_limits *l);

/**
 * Whether the program still goes on where the completion ends: its last line is the completion's
 * last one, or the one before it when that is followed by half an indented line. What was broken
 * off there is code, not the talk behind it.
 */
bool sc_program_reaches_end(sc_str program, sc_str completion);

#endif
