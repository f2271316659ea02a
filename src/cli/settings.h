/**
 * settings.h - defaults of one's own, from files.
 *
 * ./scbench.json, then $XDG_CONFIG_HOME/scbench/config.json (~/.config/scbench/config.json); the
 * file that SCBENCH_CONFIG names stands in for both ("none": no file). A file is one JSON object:
 *
 *     {"output-dir": "results", "threads": 2, "model": ["a.pt", "b.gguf"], "run": {"samples": 8}}
 *
 * A key is an option's name, for every command that takes it, or a command's name over an object
 * that is for this command alone. An unknown key is an error: a slip of the pen must not change
 * what is measured. --help and --allow-unsafe-exec cannot be set: a folder that came from elsewhere
 * must not take the sandbox away.
 *
 * Threads: immutable after reading.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_SETTINGS_H
#define SC_CLI_SETTINGS_H

#include "base/err.h"
#include "cli/options.h"

#include <stddef.h>

typedef struct sc_settings sc_settings;

typedef const char *sc_getenv_fn(const char *name, void *arg);

/** This process's environment; `arg` is not used. */
sc_getenv_fn sc_getenv_process;

/**
 * Reads the files that are there; none is fine. Every value is checked, also those of options that
 * the present command does not take.
 *
 * Owns:   the caller frees *out.
 * Errors: SC_E_USAGE (file, key, defect), SC_E_IO, SC_E_NOMEM
 */
sc_code sc_settings_read(sc_getenv_fn *env, void *env_arg, sc_settings **out,
                         sc_err *err) SC_CHECKED;

/** Reads `path` alone, which must be there. Errors: as above */
sc_code sc_settings_read_file(const char *path, sc_settings **out, sc_err *err) SC_CHECKED;

void sc_settings_free(sc_settings *s);

/**
 * The i-th value of an option for the command `cmd`, from the first place that has the option: a
 * command's own object before the rest of a file, the near file before the far one.
 *
 * Owns:   both texts are borrowed from `s`.
 * Returns false when there are not so many values.
 */
bool sc_settings_get(const sc_settings *s, const char *cmd, const sc_opt *o, size_t i,
                     const char **text, const char **file);

/** How many values are set in all files, and the files' number. */
size_t sc_settings_count(const sc_settings *s, size_t *n_files);
/** The i-th file that was read. Needs: i < the files' number. */
const char *sc_settings_file(const sc_settings *s, size_t i);

SC_AUTO_DEFINE(sc_settings, sc_settings_free);

#endif
