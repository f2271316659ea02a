/**
 * sandbox.h - what the commands that run programs share: opening the box, limits, verdicts as JSON.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_SANDBOX_H
#define SC_CLI_SANDBOX_H

#include "box/box.h"
#include "cli/command.h"

/** The options that sc_cli_open_box and sc_cli_limits read; for a command's `options`. */
#define SC_CLI_BOX_OPTIONS                                                                         \
    "jobs level allow-unsafe-exec cgroup cpu-time wall-time mem pids output-cap disk"

/**
 * Opens the box that the options ask for.
 *
 * Owns:   the caller closes *out.
 * Errors: SC_E_USAGE for --level none without --allow-unsafe-exec, and as sc_box_open
 */
sc_code sc_cli_open_box(sc_cli *cli, sc_box **out, sc_err *err) SC_CHECKED;

/** Warns when the best level that holds is not the full one and no other was asked for. */
void sc_cli_warn_level(sc_cli *cli, const sc_box *box);

sc_box_limits sc_cli_limits(const sc_cli *cli);

/** The verdict's fields as a JSON object; NULL when memory is out. */
json_t *sc_cli_verdict_json(const sc_verdict *v);

/** The verdict in the seven words of a manifest: a program that does not compile is an error. */
const char *sc_cli_verdict_word(const sc_verdict *v);

#endif
