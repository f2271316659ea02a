/**
 * speed.h - how fast a loaded model reads prompts and writes tokens, as a function of length, depth
 * and batch.
 *
 * Token ids are drawn from a fixed stream: speed does not depend on what the text says. Every
 * repeat starts from the same state; the context before the measured part is read outside the
 * measured time.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_SPEED_H
#define SC_EVAL_SPEED_H

#include "base/clock.h"
#include "base/err.h"
#include "kern/limits.h"
#include "model/model.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One measurement. */
typedef struct sc_speed_test {
    bool decode;    // else prefill
    uint32_t n;     // prefill: prompt tokens; decode: tokens written by each sequence
    uint32_t depth; // tokens already in each sequence
    uint32_t batch; // sequences, 1 or more; prefill reads one prompt for each
} sc_speed_test;

enum {
    SC_SPEED_MAX_REPEATS = 1000,
    SC_SPEED_BLOCK = 512, // rows of a step while a prompt is read
};

/** What came out; all figures of all counted repeats. */
typedef struct sc_speed_result {
    double *tok_s; // owned, [n_runs]: tokens over all sequences and seconds, one figure a repeat
    size_t n_runs;
    double *step_s; // owned, [n_steps]: seconds of each step, all repeats; of prefill: each block
    size_t n_steps;
    uint64_t kv_bytes; // keys and values in use at the end
} sc_speed_result;

void sc_speed_result_drop(sc_speed_result *r);

/**
 * Runs `t` 'warmup' times and then `repeats` times more, which count.
 *
 * Prompts are read in blocks of SC_SPEED_BLOCK, so a result does not depend on what else the model
 * was opened for.
 *
 * Needs:  the model was opened with max_seqs > t->batch and max_rows >= t->batch; repeats is 1 to
 *         SC_SPEED_MAX_REPEATS
 * Errors: SC_E_LIMIT when depth + n exceeds the context or the cache has no room, SC_E_INTERRUPTED,
 *         SC_E_NOMEM
 */
sc_code sc_speed_measure(sc_model *m, const sc_speed_test *t, unsigned warmup, unsigned repeats,
                         const sc_clock *clock, const atomic_bool *stop, sc_speed_result *out,
                         sc_err *err) SC_CHECKED;

/** What one run of a test must do at least. */
typedef struct sc_speed_cost {
    double bytes;      // read from memory
    double f32;        // multiply-adds of each kind; two of 8 bits for one with an input of 15
    double bf16;       //
    double int8;       //
    double step_bytes; // of one step: of decode in the middle of the run, of prefill a whole block
} sc_speed_cost;

sc_speed_cost sc_speed_cost_of(const sc_model *m, const sc_speed_test *t);

/** Which of a machine's limits the shortest possible run meets. */
typedef struct sc_speed_floor {
    double seconds;
    bool memory; // its bandwidth; else its arithmetic
} sc_speed_floor;

/** The shortest time of a run on a machine with these limits: a roofline. */
sc_speed_floor sc_speed_floor_of(const sc_speed_cost *c, const sc_limits *l);

SC_AUTO_DEFINE_VALUE(sc_speed_result, sc_speed_result_drop);

#endif
