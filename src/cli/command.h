/**
 * command.h - what a command is, and how to add one.
 *
 * A command is one file, src/cli/cmd_NAME.c, that ends with
 *
 *     const sc_cmd sc_cmd_NAME = {
 *         .name = "models info",               // two words: a command of a group
 *         .args = "MODEL",                     // for the help; [X] optional, X... repeatable
 *         .summary = "what a model file holds",
 *         .about = "Paragraphs for --help.",
 *         .examples = "scbench models info models/nano/nano.pt\n",
 *         .options = "tokenizer json",         // keys of rows of options.c
 *         .min_args = 1, .max_args = 1,
 *         .run = run,
 *     };
 *
 * plus one line in commands.c and one in meson.build. `run` reads what it was given with sc_args_*,
 * writes results to cli->out and everything else to stderr (sc_ui_*), returns an error for the one
 * function that prints errors, and sets cli->status for an exit code that is not an error. With
 * `json` among its options, cli->out gets JSON lines and nothing else (sc_cli_json).
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_COMMAND_H
#define SC_CLI_COMMAND_H

#include "base/err.h"
#include "base/json.h"
#include "cli/args.h"
#include "cli/signals.h"
#include "cli/ui.h"

#include <stdbool.h>
#include <stdio.h>

/** Exit codes, the same for every command. */
enum {
    SC_EXIT_OK = 0,
    SC_EXIT_FAILED = 1,       // input, output, a model, an endpoint
    SC_EXIT_USAGE = 2,        // wrong usage or configuration
    SC_EXIT_GATE = 3,         // a gate failed
    SC_EXIT_INCONCLUSIVE = 4, // a gate cannot decide
    SC_EXIT_NOTHING = 5,      // no task matched
    SC_EXIT_SANDBOX = 6,      // isolation asked for but not available
    SC_EXIT_INCOMPLETE = 7,   // too many samples could not be measured
    SC_EXIT_SIGNAL = 128,     // plus the signal's number
};

typedef struct sc_cli {
    const struct sc_cmd *cmd; // borrowed
    const sc_args *args;      // borrowed
    sc_ui ui;
    FILE *out;                 // results; with --json the only door to what was stdout
    const sc_signals *signals; // borrowed; whether and how we were asked to end
    int status;                // exit code when run succeeds
    bool seed;                 // no command was named: the original benchmark's command line
    int argc;                  //
    char **argv;               // borrowed; the exact command, for reports
} sc_cli;

typedef struct sc_cmd {
    const char *name;
    const char *args;     // NULL: takes none
    const char *summary;  // a few words, lower case, no full stop
    const char *about;    // paragraphs for --help; NULL: the summary says it
    const char *examples; // lines; a line that starts with '#' explains the next one
    const char *options;  // keys of options.c, separated by spaces; NULL: none
    unsigned min_args, max_args;
    bool hidden;      // not listed
    bool no_settings; // works without reading the files of settings.h, broken ones too
    sc_code (*run)(sc_cli *cli, sc_err *err);
} sc_cmd;

/** Every command in the order of the help; NULL ends the list. */
extern const sc_cmd *const sc_cmds[];

/** The command called `name` ("models info"), or NULL. */
const sc_cmd *sc_cmd_find(const char *name);

/** Whether `word` is the first word of two-word commands. */
bool sc_cmd_is_group(const char *word);

/** Whether the command takes the option with this key, the general ones included. */
bool sc_cmd_takes(const sc_cmd *cmd, const char *key);

/** Calls fn for every option row the command takes, in the order of the table. */
void sc_cmd_each_option(const sc_cmd *cmd, void (*fn)(const sc_opt *o, void *arg), void *arg);

/** Whether --json was given: then results are JSON lines. */
bool sc_cli_json(const sc_cli *cli);

/** Writes `v` as one line to cli->out. Errors: SC_E_IO, SC_E_NOMEM */
sc_code sc_cli_put_json(sc_cli *cli, const json_t *v, sc_err *err) SC_CHECKED;

#endif
