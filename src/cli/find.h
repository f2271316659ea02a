/**
 * find.h - turns what the user wrote for a model into a path, with progress when it is downloaded.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_FIND_H
#define SC_CLI_FIND_H

#include "cli/command.h"
#include "hub/resolve.h"

/**
 * As sc_hub_resolve; downloads when the command takes the option `pull` and it says "missing".
 *
 * Owns:   the caller frees *path with sc_free.
 * Errors: as sc_hub_resolve
 */
sc_code sc_cli_find(sc_cli *cli, const char *arg, sc_hub_want want, char **path,
                    sc_err *err) SC_CHECKED;

/** What the command's option `pull` says; SC_HUB_PULL_NEVER when it takes none. */
sc_hub_pull_when sc_cli_pull_when(const sc_cli *cli);

/** Progress on the terminal and the stop flag, for a download. `cli` is borrowed. */
sc_hub_pull_opts sc_cli_pull_opts(sc_cli *cli);

/** As above, and downloads what is missing whatever the options say. */
sc_code sc_cli_find_or_pull(sc_cli *cli, const char *arg, sc_hub_want want, char **path,
                            sc_err *err) SC_CHECKED;

#endif
