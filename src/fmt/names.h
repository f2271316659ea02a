/**
 * names.h - finds an item of an array by its name.
 *
 * A sorted list of indexes rather than a hash table: names come from outside, and nobody can choose
 * names that make sorting slow.
 *
 * Threads: immutable after sorting.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_NAMES_H
#define SC_FMT_NAMES_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sc_names {
    const void *items; // borrowed; an array of structs whose first member is an sc_str
    size_t n;
    size_t item_size;
    uint32_t *order; // owned, [n]: indexes in the order of the names
} sc_names;

/**
 * Sorts the names of `items`, which must stay where they are.
 *
 * Needs:  the first member of an item is an sc_str
 * Owns:   the caller drops *s
 * Errors: SC_E_NOMEM, SC_E_LIMIT above UINT32_MAX items
 */
sc_code sc_names_init(sc_names *s, const void *items, size_t n, size_t item_size,
                      sc_err *err) SC_CHECKED;

void sc_names_drop(sc_names *s);

/** The place in `order` of the first item called `name`, or SIZE_MAX; the others follow it. */
size_t sc_names_rank(const sc_names *s, sc_str name);

/** The lowest index of an item called `name`, or SIZE_MAX. */
size_t sc_names_find(const sc_names *s, sc_str name);

/** The higher index of two items of the same name, or SIZE_MAX when all differ. */
size_t sc_names_find_twin(const sc_names *s);

#endif
