/**
 * clean.h - from a model's answer to the program that is run, as a protocol's form says.
 *
 * Threads: one thread at a time (the rule SC_CLEAN_SPAN asks the tools of a box).
 * Source:  lm-eval's build_predictions_instruct and extract_code_blocks; EvalPlus's code_extract
 *          and sanitize.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_CLEAN_H
#define SC_SCORE_CLEAN_H

#include "base/buf.h"
#include "box/box.h"
#include "task/protocol.h"

/** What became of an answer. */
typedef struct sc_clean_note {
    const char *how; // "raw", "fence", "prose", ...: one word for the record
    bool changed;    // other bytes are run than the prompt and the answer as they came
    bool none;       // there is no code in it: nothing is run, and it has not passed
} sc_clean_note;

/** Whether the rule needs a box that was opened with `tools`. */
bool sc_clean_needs_tools(sc_clean_rule rule);

/**
 * Writes the program of the answer into `program` (cleared first), without the task's setup.
 *
 * `asked` is the prompt as a base model saw it. `broken_off`: a limit ended the answer. `tools` may
 * be NULL when the rule needs none.
 *
 * Errors: SC_E_SANDBOX of the tools, SC_E_NOMEM. An answer that the tools cannot handle in their
 *         time is run as it is, and `how` says "as-is".
 */
sc_code sc_clean(const sc_form *form, const sc_task *t, sc_str asked, sc_str answer,
                 bool broken_off, sc_box *tools, sc_buf *program, sc_clean_note *note,
                 sc_err *err) SC_CHECKED;

#endif
