/**
 * journal.h - samples.jsonl: one line a sample, appended as it ends.
 *
 * A line is one write, so that a killed process loses at most the sample in flight; lines are
 * flushed to the disk about once a second and at the end. A torn last line is cut off when the
 * journal is opened again. One process writes a journal at a time: a lock holds that.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STORE_JOURNAL_H
#define SC_STORE_JOURNAL_H

#include "store/record.h"

typedef struct sc_journal sc_journal;

/**
 * Opens the journal `path` for appending; it is made when it is not there.
 *
 * Owns:   the caller closes *out with sc_journal_close.
 * Errors: SC_E_IO; SC_E_USAGE when another process writes it; SC_E_NOMEM
 */
sc_code sc_journal_open(const char *path, sc_journal **out, sc_err *err) SC_CHECKED;

/**
 * Appends a sample, as sc_record_json has it.
 *
 * Errors: SC_E_IO (a full disk: what was written of the line is cut off again), SC_E_NOMEM
 */
sc_code sc_journal_add(sc_journal *j, const json_t *sample, sc_err *err) SC_CHECKED;

/** Flushes to the disk. Errors: SC_E_IO */
sc_code sc_journal_sync(sc_journal *j, sc_err *err) SC_CHECKED;

void sc_journal_close(sc_journal *j);

/**
 * Reads all samples of the journal `path` into *out (appended). A torn last line is ignored, and
 * *torn says so; a bad line elsewhere is an error.
 *
 * Errors: SC_E_IO, SC_E_FORMAT (the message has the line), SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_journal_read(const char *path, sc_records *out, bool *torn, sc_err *err) SC_CHECKED;

/** As above, of text in memory. */
sc_code sc_journal_parse(sc_str text, sc_records *out, bool *torn, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_journal, sc_journal_close);

#endif
