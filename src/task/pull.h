/**
 * pull.h - downloads the published data files, each with its size and digest known beforehand.
 *
 * A file is visible only when it is whole and its SHA-256 is the pinned one; an interrupted
 * download goes on where it stopped. No token is sent.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TASK_PULL_H
#define SC_TASK_PULL_H

#include "base/err.h"
#include "hub/places.h"
#include "hub/pull.h"

/** A published data file. */
typedef struct sc_data_file {
    const char *suite; // the name by which it is pulled
    const char *file;  // its name here
    const char *url;
    const char *sha256;
    uint64_t size;
    const char *licence; // and whom to credit
} sc_data_file;

/** All of them; *n is their count. */
const sc_data_file *sc_data_files(size_t *n);

/** The file behind a suite's name ("mbpp-test" is in mbpp's file), or NULL. */
const sc_data_file *sc_data_file_find(const char *suite);

/**
 * Downloads `f` into the folder `dir`, which is made. *was_there: it was whole already.
 *
 * `places` says about offline, certificates and timeouts; `how` about progress and the stop flag.
 *
 * Errors: SC_E_USAGE when HF_HUB_OFFLINE is set; else as sc_hub_fetch
 */
sc_code sc_data_pull(const sc_data_file *f, const char *dir, const sc_hub_places *places,
                     const sc_hub_pull_opts *how, bool *was_there, sc_err *err) SC_CHECKED;

/**
 * Whether `dir` has the file, and whole: *state is "whole", "missing" or "other" (other bytes).
 *
 * Errors: SC_E_IO, SC_E_NOMEM
 */
sc_code sc_data_verify(const sc_data_file *f, const char *dir, const char **state,
                       sc_err *err) SC_CHECKED;

#endif
