/**
 * open.h - from the options of a command to those of a model.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_OPEN_H
#define SC_CLI_OPEN_H

#include "cli/command.h"
#include "model/model.h"

/**
 * Fills what --threads, --cpu, --compute, --ctx and --kv-type say, as far as the command takes
 * them, and the stop flag of our signals; the rest stays as it is.
 *
 * Errors: SC_E_UNSUPPORTED for a KV type that the engine does not have
 */
sc_code sc_cli_model_opts(const sc_cli *cli, sc_model_opts *opts, sc_err *err) SC_CHECKED;

#endif
