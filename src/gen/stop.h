/**
 * stop.h - stop texts in a growing completion.
 *
 * A stop text may span several tokens and begin in the middle of one, so it is looked for in the
 * text. Only the completion is searched, never the border to the prompt.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GEN_STOP_H
#define SC_GEN_STOP_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Where the earliest stop text begins in `text`, whose first `known` bytes were searched before.
 *
 * Returns false when there is none; *cut is untouched then.
 */
bool sc_stop_find(const sc_str *stops, size_t n, sc_str text, size_t known, size_t *cut);

/** How many bytes at the end of `text` may be the beginning of a stop text: a stream holds them
 * back. */
size_t sc_stop_hold(const sc_str *stops, size_t n, sc_str text);

#endif
