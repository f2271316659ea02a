/**
 * options.h - the one table of options.
 *
 * The parser, the help, the manual page, the completions and the environment variables all read it,
 * so an option is written once: one row in options.c. A command names the rows it takes in its
 * `options` string (see command.h).
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_OPTIONS_H
#define SC_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum sc_opt_kind {
    SC_OPT_FLAG,   // --x, --no-x, --x=yes|no
    SC_OPT_COUNT,  // -v, -vv
    SC_OPT_TEXT,   // one word; the last one given counts
    SC_OPT_CHOICE, // one of `choices`
    SC_OPT_INT,    // an integer in [low, high]
    SC_OPT_NUM,    // a number in [low, high]
    SC_OPT_LIST,   // one word each time; all of them count
    SC_OPT_WORDS,  // all words up to the next option; all of them count
} sc_opt_kind;

typedef struct sc_opt {
    const char *key;     // how commands and code name the row
    const char *name;    // --name; NULL when it is the key (two rows may share a name, not a key)
    char letter;         // -x, or 0
    sc_opt_kind kind;    //
    const char *arg;     // what the value is called in the help; NULL for a flag
    const char *preset;  // the default as text; NULL: none. A flag is off unless "yes".
    const char *choices; // "a|b|c" for a choice, and for completions of others
    double low, high;    // for numbers
    const char *group;   // heading in the help
    const char *help;    // one sentence without a full stop
} sc_opt;

/** The rows in the order of the help; *n is their count. */
const sc_opt *sc_opts(size_t *n);

/** The row with this key, or NULL. */
const sc_opt *sc_opt_find(const char *key);

/** The name behind "--". */
const char *sc_opt_name(const sc_opt *o);

/** Whether the option takes a value. */
bool sc_opt_takes_value(const sc_opt *o);

/** Writes the environment variable's name, SCBENCH_OUTPUT_DIR; `size` 64 is enough for all. */
void sc_opt_env(const sc_opt *o, char *out, size_t size);

#endif
