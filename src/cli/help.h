/**
 * help.h - the texts that the tables of commands and options make: help, manual page, completions.
 *
 * Threads: any thread (they only append to a buffer).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_HELP_H
#define SC_CLI_HELP_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/command.h"

/** What `scbench` alone says: the commands people need and one example. */
void sc_help_start(sc_buf *out);
/** All commands. */
void sc_help_all(sc_buf *out);
/** The commands of a group such as "models". */
void sc_help_group(const char *word, sc_buf *out);
/** One command: `full` adds examples first, the paragraphs and every option. */
void sc_help_command(const sc_cmd *cmd, bool full, sc_buf *out);
/** A topic: environment, exit-codes, formats, ...; false when there is none of that name. */
bool sc_help_topic(const char *name, sc_buf *out);
/** The names of the topics; NULL ends the list. */
const char *const *sc_help_topics(void);

/** The manual page scbench(1) in roff. */
void sc_help_man(sc_buf *out);
/** A completion script for bash, zsh or fish. Errors: SC_E_USAGE for another shell. */
sc_code sc_help_completion(const char *shell, sc_buf *out, sc_err *err) SC_CHECKED;

#endif
