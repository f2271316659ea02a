/**
 * run_config.h - from a command line to what a run does.
 *
 * The command line becomes a JSON object first, which is recorded in run.json, and that object
 * becomes the options of the run: a resumed run reads the object back, so both go the same way.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_RUN_CONFIG_H
#define SC_CLI_RUN_CONFIG_H

#include "cli/command.h"
#include "eval/eval.h"

typedef struct sc_run_config {
    json_t *doc;          // owned
    sc_eval_opts opts;    // models, suites, stops point into the lists below and into doc
    sc_eval_model *model; // owned
    const char **suite;   // owned
    sc_str *stop;         // owned
    char *hash_cache;     // owned, or NULL
} sc_run_config;

/**
 * The object for the command line of `run`, or of `generate`, which takes fewer options. May warn
 * on stderr.
 *
 * Owns:   the caller drops *out.
 * Errors: SC_E_USAGE, SC_E_NOMEM
 */
sc_code sc_run_config_doc(sc_cli *cli, json_t **out, sc_err *err) SC_CHECKED;

/**
 * The options that `doc` says; takes `doc`, in failure too.
 *
 * Owns:   the caller drops *out with sc_run_config_drop.
 * Errors: SC_E_FORMAT (a run.json that was changed), SC_E_NOMEM
 */
sc_code sc_run_config_take(json_t *doc, sc_run_config *out, sc_err *err) SC_CHECKED;

void sc_run_config_drop(sc_run_config *c);

/** Decodes \n, \t, \\, \", \', \r, \0, \xNN of a --stop. Errors: SC_E_USAGE, SC_E_NOMEM */
sc_code sc_run_unescape(const char *text, sc_buf *out, sc_err *err) SC_CHECKED;

/** The protocol called `name`, with or without its version. Errors: SC_E_USAGE with a suggestion */
sc_code sc_run_find_protocol(const char *name, const sc_protocol **out, sc_err *err) SC_CHECKED;

/** The file `name` in our cache folder, which need not be there; NULL when there is no place for
 * it. Owns: the caller frees it. */
char *sc_run_cache_file(const char *name);

/** What the short names of --comparison-models stand for; a row without a name ends them. */
typedef struct sc_comparison {
    const char *name;
    const char *model_id;
    const char *description; // the label in reports, as the original has it
} sc_comparison;
extern const sc_comparison sc_comparisons[];

/** Fills the options of the engine from --threads, --cpu, --compute, --ctx, --kv-type, --device. */
sc_code sc_run_engine_opts(const json_t *doc, sc_engine_opts *out, sc_err *err) SC_CHECKED;
/** And the part of the object that it reads. NULL when memory is out. Says when CUDA is asked for
 * and not there. */
json_t *sc_run_engine_doc(sc_cli *cli);

SC_AUTO_DEFINE_VALUE(sc_run_config, sc_run_config_drop);

#endif
