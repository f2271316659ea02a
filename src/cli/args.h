/**
 * args.h - a parsed command line.
 *
 * A value comes from the command line, else from the environment variable SCBENCH_<OPTION>, else
 * from the files of settings.h, else from the table's default. Everything is checked while parsing:
 * a getter cannot fail. Asking for a key that the command does not list is a bug.
 *
 * Threads: immutable after parsing.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_ARGS_H
#define SC_CLI_ARGS_H

#include "base/err.h"
#include "cli/options.h"
#include "cli/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_args sc_args;
struct sc_cmd;

/**
 * Parses the words behind the command's name. Options may stand after arguments; "--" ends them.
 * `settings` may be NULL.
 *
 * Owns:   the caller frees *out; texts are borrowed from argv, the environment and `settings`.
 * Errors: SC_E_USAGE (an unknown option comes with a suggestion), SC_E_NOMEM
 */
sc_code sc_args_parse(const struct sc_cmd *cmd, int argc, char **argv, sc_getenv_fn *env,
                      void *env_arg, const sc_settings *settings, sc_args **out,
                      sc_err *err) SC_CHECKED;

/** Whether `text` is a value of `o`; `from` names its place in the error. Errors: SC_E_USAGE */
sc_code sc_args_check(const sc_opt *o, const char *from, const char *text, sc_err *err) SC_CHECKED;

void sc_args_free(sc_args *a);

/** Whether the option was given: on the command line, in the environment, in a file. */
bool sc_args_has(const sc_args *a, const char *key);

/** "command line", "environment", a file of settings, "default": where the value comes from. */
const char *sc_args_origin(const sc_args *a, const char *key);

bool sc_args_flag(const sc_args *a, const char *key);
unsigned sc_args_count(const sc_args *a, const char *key); // of a COUNT, LIST or WORDS option
int64_t sc_args_int(const sc_args *a, const char *key);    // low when there is no default
double sc_args_num(const sc_args *a, const char *key);
/** The word, the default, or NULL. */
const char *sc_args_text(const sc_args *a, const char *key);
/** The i-th word of a LIST or WORDS option. Needs: i < sc_args_count(a, key). */
const char *sc_args_nth(const sc_args *a, const char *key, unsigned i);

/** The arguments that are not options. */
unsigned sc_args_n(const sc_args *a);
/** Argument i, or NULL when there are not so many. */
const char *sc_args_at(const sc_args *a, unsigned i);

/**
 * The candidate nearest to `word`, or NULL when none is near enough to be meant. `candidates` ends
 * with NULL.
 */
const char *sc_args_suggest(const char *word, const char *const *candidates);

SC_AUTO_DEFINE(sc_args, sc_args_free);

#endif
