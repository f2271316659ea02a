// SPDX-License-Identifier: MIT
#include "tok/trie.h"

#include "base/mem.h"
#include "tok/vocab.h"

static size_t home(const sc_trie *t, uint64_t from)
{
    return (size_t)(((from ^ from >> 31) * t->key) >> 24) & t->mask;
}

sc_code sc_trie_init(sc_trie *t, sc_err *err)
{
    *t = (sc_trie){.key = sc_vocab_random(), .mask = 63, .cap = 64};
    t->edge = sc_alloc(64, sizeof *t->edge);
    t->value = sc_alloc(64, sizeof *t->value);
    if (!t->edge || !t->value)
        return sc_fail_nomem(err);
    t->value[t->n++] = -1;
    return SC_OK;
}

void sc_trie_drop(sc_trie *t)
{
    sc_free(t->edge);
    sc_free(t->value);
    *t = (sc_trie){0};
}

static void put_edge(sc_trie *t, uint64_t from, uint32_t to)
{
    size_t at = home(t, from);
    while (t->edge[at].from)
        at = (at + 1) & t->mask;
    t->edge[at] = (sc_trie_edge){from, to};
}

static sc_code grow_edges(sc_trie *t, sc_err *err)
{
    sc_trie_edge *old = t->edge;
    const size_t n = t->mask + 1;
    sc_trie_edge *edge = sc_alloc(2 * n, sizeof *edge);
    if (!edge)
        return sc_fail_nomem(err);
    t->edge = edge;
    t->mask = 2 * n - 1;
    for (size_t i = 0; i < n; i++)
        if (old[i].from)
            put_edge(t, old[i].from, old[i].to);
    sc_free(old);
    return SC_OK;
}

uint32_t sc_trie_step(const sc_trie *t, uint32_t node, unsigned char byte)
{
    if (node == 0)
        return t->root[byte];
    const uint64_t from = (uint64_t)node * 256 + byte + 1;
    for (size_t at = home(t, from); t->edge[at].from; at = (at + 1) & t->mask)
        if (t->edge[at].from == from)
            return t->edge[at].to;
    return 0;
}

/* A new node behind `node`. */
static sc_code add_node(sc_trie *t, uint32_t node, unsigned char byte, uint32_t *out, sc_err *err)
{
    if (t->n == SC_TRIE_MAX_NODES)
        return sc_fail(err, SC_E_LIMIT, "the tokens take more than %d bytes", SC_TRIE_MAX_NODES);
    if (t->n == t->cap && !sc_grow(&t->value, &t->cap, t->n, SC_TRIE_MAX_NODES, sizeof *t->value))
        return sc_fail_nomem(err);
    if (2 * t->n > t->mask)
        SC_TRY(grow_edges(t, err));
    *out = (uint32_t)t->n;
    t->value[t->n++] = -1;
    if (node == 0)
        t->root[byte] = *out;
    else
        put_edge(t, (uint64_t)node * 256 + byte + 1, *out);
    return SC_OK;
}

sc_code sc_trie_add(sc_trie *t, sc_str s, int32_t value, sc_err *err)
{
    uint32_t node = 0;
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char byte = (unsigned char)s.p[i];
        uint32_t to = sc_trie_step(t, node, byte);
        if (!to)
            SC_TRY(add_node(t, node, byte, &to, err));
        node = to;
    }
    t->value[node] = value;
    return SC_OK;
}

size_t sc_trie_longest(const sc_trie *t, sc_str s, int32_t *value)
{
    size_t best = 0;
    uint32_t node = 0;
    for (size_t i = 0; i < s.n; i++) {
        node = sc_trie_step(t, node, (unsigned char)s.p[i]);
        if (!node)
            break;
        if (t->value[node] >= 0) {
            best = i + 1;
            *value = t->value[node];
        }
    }
    return best;
}
