/**
 * place.h - folders that the reduced levels need on the host: a root to change into, scratch space.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_PLACE_H
#define SC_BOX_PLACE_H

#include "base/err.h"
#include "box/level.h"

#include <stdint.h>

typedef struct sc_place sc_place;

/**
 * The user that the samples of worker `slot` (below 64) run as when we are root: nobody's, and no
 * other process of this program uses it now, because a sweep ends everything that it has. The
 * checker's is 64 above it.
 */
uint32_t sc_place_uid(unsigned slot);

/** Makes what `n` workers need at `level`; nothing at full and none. */
sc_code sc_place_open(sc_box_level level, unsigned n, sc_place **out, sc_err *err) SC_CHECKED;

/** Removes it; only what was made here is followed. */
void sc_place_close(sc_place *p);

/** NULL where the level needs none. Borrowed until sc_place_close. */
const char *sc_place_scratch(const sc_place *p, unsigned slot);
const char *sc_place_root(const sc_place *p, unsigned slot);

SC_AUTO_DEFINE(sc_place, sc_place_close);

#endif
