/**
 * run.h - the folder of a run: samples.jsonl, run.json, report.md.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STORE_RUN_H
#define SC_STORE_RUN_H

#include "base/err.h"
#include "base/json.h"
#include "store/journal.h"

#include <stdint.h>
#include <time.h>

enum { SC_RUN_ID_SIZE = 32 };

typedef struct sc_run {
    char id[SC_RUN_ID_SIZE]; // "2026-01-14T09-12-31-7f3a"
    char *dir;               // owned
    sc_journal *journal;     // owned
} sc_run;

/**
 * Makes a folder with a new name in `parent` (which is made too) and opens its journal. `now` is
 * the time in the name; when a folder of that name is there, another is found.
 *
 * Owns:   the caller drops *out with sc_run_drop.
 * Errors: SC_E_IO, SC_E_NOMEM
 */
sc_code sc_run_new(const char *parent, time_t now, sc_run *out, sc_err *err) SC_CHECKED;

/** Opens the folder `dir` of an earlier run to continue it. Errors: as sc_journal_open */
sc_code sc_run_open(const char *dir, sc_run *out, sc_err *err) SC_CHECKED;

void sc_run_drop(sc_run *r);

/** Writes `text` as the file `name` of the folder, whole or not at all. Errors: SC_E_IO, SC_E_NOMEM
 */
sc_code sc_run_write(const sc_run *r, const char *name, sc_str text, sc_err *err) SC_CHECKED;

/** Reads run.json of the folder `dir`. Owns: the caller drops *out. Errors: as sc_json_read */
sc_code sc_run_read(const char *dir, json_t **out, sc_err *err) SC_CHECKED;

/** Reads samples.jsonl of the folder. Errors: as sc_journal_read */
sc_code sc_run_samples(const char *dir, sc_records *out, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_run, sc_run_drop);

#endif
