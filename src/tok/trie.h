/**
 * trie.h - a set of byte strings with a value each, walked a byte at a time.
 *
 * Threads: one thread at a time while strings are added; then immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_TRIE_H
#define SC_TOK_TRIE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_trie_edge {
    uint64_t from; // node * 256 + byte + 1; 0: a free slot
    uint32_t to;
} sc_trie_edge;

typedef struct sc_trie {
    sc_trie_edge *edge; // owned, [mask + 1]
    size_t mask;
    int32_t *value; // owned, [n]; -1: no string ends here
    size_t n;       // nodes; 0 is the root
    size_t cap;
    uint32_t root[256]; // edges of the root; 0: none
    uint64_t key;
} sc_trie;

enum { SC_TRIE_MAX_NODES = 1 << 26 };

/** Errors: SC_E_NOMEM */
sc_code sc_trie_init(sc_trie *t, sc_err *err) SC_CHECKED;
void sc_trie_drop(sc_trie *t);

/** Adds `s`, not empty, with a value of 0 or more; the last value of a string counts. Errors:
 * SC_E_LIMIT, SC_E_NOMEM */
sc_code sc_trie_add(sc_trie *t, sc_str s, int32_t value, sc_err *err) SC_CHECKED;

/** The node that `byte` leads to from `node`, or 0. */
uint32_t sc_trie_step(const sc_trie *t, uint32_t node, unsigned char byte);

/** The length of the longest string that `s` begins with, and its value; 0 when there is none. */
size_t sc_trie_longest(const sc_trie *t, sc_str s, int32_t *value);

SC_AUTO_DEFINE_VALUE(sc_trie, sc_trie_drop);

#endif
