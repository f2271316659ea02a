/**
 * attack.h - the box attacks itself: the level is what held, not what was configured.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_ATTACK_H
#define SC_BOX_ATTACK_H

#include "box/box.h"

typedef struct sc_attack_result {
    const char *name; // borrowed, a literal
    bool held;
    char detail[256];
} sc_attack_result;

enum { SC_ATTACK_MAX = 64 };

/** One quick attack on each of the `n` workers. Errors: SC_E_SANDBOX names what did not hold */
sc_code sc_attack_all(sc_box *b, unsigned n, sc_err *err) SC_CHECKED;

/** Every attack, with its result, in `out`; *n is their number. */
sc_code sc_attack_report(sc_box *b, sc_attack_result out[SC_ATTACK_MAX], size_t *n,
                         sc_err *err) SC_CHECKED;

#endif
