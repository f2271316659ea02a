/**
 * env.h - where a measurement was taken: what a reader must know to compare it with another.
 *
 * Nothing that names a person or a host is recorded.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MEASURE_ENV_H
#define SC_MEASURE_ENV_H

#include "base/err.h"
#include "base/json.h"

/** The system's load averages over 1, 5 and 15 minutes; zeros where it does not say. */
typedef struct sc_load {
    double avg[3];
} sc_load;

sc_load sc_load_read(void);

/**
 * The environment block: an object with
 *   cpu {model, vendor, family, model_number, stepping, flags[] (those that matter here), logical,
 * usable, mhz_max, governor, scaling_driver, caches{}, virtual (bool)}, memory {total_bytes,
 * available_bytes, huge_pages}, kernel, os, container (bool), clock_source, locale, load_before[3],
 * git {commit} of the folder the program runs in, when it is a repository. What the system does not
 * say is null, never guessed.
 *
 * Owns:   the caller drops *out with json_decref
 * Errors: SC_E_NOMEM
 */
sc_code sc_env_capture(json_t **out, sc_err *err) SC_CHECKED;

/**
 * What may disturb a measurement, one sentence each, as a JSON array of strings: a high load, a
 * scaling governor, a machine with a CPU quota. Empty when all is quiet.
 *
 * Owns:   the caller drops *out.
 * Errors: SC_E_NOMEM
 */
sc_code sc_env_warnings(const json_t *env, json_t **out, sc_err *err) SC_CHECKED;

#endif
