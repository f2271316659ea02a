/**
 * vocab.h - tokens by text and by id.
 *
 * Two texts may have one id and an id may have none (files have holes); the text of an id is the
 * one that was added last. Hashing is keyed by random bits of the process, so that no file can be
 * made to collide.
 *
 * Threads: one thread at a time while tokens are added; then immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_VOCAB_H
#define SC_TOK_VOCAB_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SC_VOCAB_MAX_ID = (1 << 24) - 1 };

typedef struct sc_vocab_item {
    uint32_t at; // in the pool
    uint32_t n;
    int32_t id;
    uint32_t hash;
} sc_vocab_item;

typedef struct sc_vocab {
    char *pool; // owned; all texts, one behind another
    size_t n_pool;
    size_t cap_pool;
    sc_vocab_item *item; // owned
    size_t n_items;
    size_t n_listed; // entries of a file that lists a text twice; else 0
    size_t cap_items;
    uint32_t *slot; // owned, [mask + 1]; item + 1, 0 for a free one
    size_t mask;
    int32_t *of_id; // owned, [cap_ids]; item, -1 for none
    size_t n_ids;   // largest id + 1
    size_t cap_ids;
    uint64_t key; // of the hash
} sc_vocab;

/** An empty vocabulary with room for about `n` tokens. Errors: SC_E_NOMEM */
sc_code sc_vocab_init(sc_vocab *v, size_t n, sc_err *err) SC_CHECKED;

/** Room for ids below `n_ids` and `n_bytes` of text. Errors: SC_E_NOMEM, SC_E_LIMIT */
sc_code sc_vocab_reserve(sc_vocab *v, size_t n_ids, size_t n_bytes, sc_err *err) SC_CHECKED;
void sc_vocab_drop(sc_vocab *v);

/**
 * Adds `text` as `id`. *is_new (may be NULL) says whether the text was not there before; else its
 * id is changed.
 *
 * Errors: SC_E_FORMAT for an id outside 0..SC_VOCAB_MAX_ID, SC_E_NOMEM
 */
sc_code sc_vocab_add(sc_vocab *v, sc_str text, int64_t id, bool *is_new, sc_err *err) SC_CHECKED;

/** The id of `text`, or -1. */
int32_t sc_vocab_find(const sc_vocab *v, sc_str text);

/**
 * sc_vocab_find in three steps, so that several look-ups can wait for memory together: the hash,
 * whose slot is fetched into the cache; its item; the id.
 */
uint32_t sc_vocab_fetch(const sc_vocab *v, sc_str text);
void sc_vocab_fetch_item(const sc_vocab *v, uint32_t hash);
int32_t sc_vocab_find_hashed(const sc_vocab *v, sc_str text, uint32_t hash);

/** Whether `id` is what sc_vocab_find gives for `left` with `right` behind it. */
bool sc_vocab_is(const sc_vocab *v, int32_t id, sc_str left, sc_str right);

/** Whether `id` has a token. */
bool sc_vocab_has(const sc_vocab *v, int32_t id);

/** The text of `id`; empty when it has none. Borrowed until the next add. */
sc_str sc_vocab_text(const sc_vocab *v, int32_t id);

/** A hash of `n` bytes under `key`. */
uint64_t sc_vocab_hash(uint64_t key, const char *p, size_t n);

/** Random bits for a hash key. */
uint64_t sc_vocab_random(void);

SC_AUTO_DEFINE_VALUE(sc_vocab, sc_vocab_drop);

#endif
