/**
 * finder.h - finds the tensors of a model by what they are for.
 *
 * Knows the names of the file's kind and architecture, a prefix that is missing or longer than
 * usual, and which tensors nobody asked for.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_FINDER_H
#define SC_MODEL_FINDER_H

#include "fmt/weights.h"
#include "model/arch.h"

enum { SC_FINDER_NAME = 256 };

typedef struct sc_finder {
    sc_weights *w;              // borrowed
    const sc_arch *arch;        // borrowed
    const sc_arch_names *names; // borrowed
    bool gguf;
    char prefix[SC_FINDER_NAME]; // in front of everything but the head
    char outer[SC_FINDER_NAME];  // in front of the head
    uint64_t *used;              // owned: a bit for each tensor
    size_t n_tensors;
} sc_finder;

/** Finds out how the names of `w` begin. Owns: drop with sc_finder_drop. Errors: SC_E_NOMEM */
sc_code sc_finder_init(sc_finder *n, sc_weights *w, const sc_arch *arch, sc_err *err) SC_CHECKED;
void sc_finder_drop(sc_finder *n);

/**
 * The tensor `base` (a name with up to two %u) + `suffix`, marked as used; NULL when absent.
 *
 * `full` (may be NULL) receives the name that was looked for. The head has no inner prefix.
 */
const sc_tensor *sc_finder_find(sc_finder *n, const char *base, uint32_t i, uint32_t j,
                                const char *suffix, char full[SC_FINDER_NAME]);

/** Refuses a file with tensors that nobody used, stale buffers apart. Errors: SC_E_UNSUPPORTED */
sc_code sc_finder_all_used(const sc_finder *n, const sc_config *c, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE_VALUE(sc_finder, sc_finder_drop);

#endif
