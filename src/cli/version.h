/**
 * version.h - what this program is.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_VERSION_H
#define SC_CLI_VERSION_H

#include "base/json.h"

#ifndef SC_VERSION
#define SC_VERSION "0"
#endif

/** Version, compiler and build flags. Owns: the caller drops it. NULL when memory is out. */
json_t *sc_version_json(void);

#endif
