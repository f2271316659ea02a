// SPDX-License-Identifier: MIT
#include "tok/unigram.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <float.h>
#include <stdio.h>

// How much worse an unknown character is than the worst token.
#define UNK_PENALTY 10.0

static void find_bytes(sc_unigram *u)
{
    for (unsigned i = 0; i < 256; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "<0x%02X>", i); // it fits
        u->fallback[i] = sc_vocab_find(u->vocab, sc_str_c(name));
    }
}

/* One [piece, score] of the list. */
static sc_code read_token(sc_tv v, sc_vocab *vocab, sc_unigram *u, size_t id, sc_err *err)
{
    sc_str text = {NULL, 0};
    bool good = sc_tv_is(v, SC_TAPE_ARRAY) && sc_tv_node(v)->n == 2;
    if (good) {
        sc_tv_iter it = sc_tv_each(v);
        text = sc_tv_str(it.v);
        good = sc_tv_is(it.v, SC_TAPE_STRING);
        sc_tv_next(&it);
        good = good && sc_tv_num(it.v, &u->score[id]);
    }
    if (!good)
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at,
                          "token %zu is not a text and a score", id);
    SC_TRY(sc_vocab_add(vocab, text, (int64_t)id, NULL, err));
    return text.n ? sc_trie_add(&u->trie, text, (int32_t)id, err) : SC_OK;
}

sc_code sc_unigram_read(sc_tv model, sc_vocab *vocab, sc_unigram *out, sc_err *err)
{
    *out = (sc_unigram){.vocab = vocab, .unk = -1};
    const sc_tv list = sc_tv_get(model, "vocab");
    if (!sc_tv_is(list, SC_TAPE_ARRAY) || sc_tv_node(list)->n == 0)
        return sc_fail(err, SC_E_FORMAT, "\"vocab\" is not a list of tokens with scores");
    const size_t n = sc_tv_node(list)->n;
    SC_TRY(sc_trie_init(&out->trie, err));
    out->score = sc_alloc(n, sizeof *out->score);
    if (!out->score)
        return sc_fail_nomem(err);
    out->n_scores = n;
    size_t id = 0;
    double low = DBL_MAX;
    for (sc_tv_iter it = sc_tv_each(list); it.left; sc_tv_next(&it), id++) {
        SC_TRY(read_token(it.v, vocab, out, id, err));
        low = out->score[id] < low ? out->score[id] : low;
    }
    vocab->n_listed = n;
    out->unk_score = low - UNK_PENALTY;
    int64_t unk = -1;
    SC_TRY(sc_tv_get_int(model, "unk_id", 0, (int64_t)n - 1, &unk, err));
    out->unk = (int32_t)unk;
    SC_TRY(sc_tv_get_bool(model, "byte_fallback", &out->byte_fallback, err));
    find_bytes(out);
    return SC_OK;
}

sc_code sc_unigram_init(sc_unigram *u, const sc_vocab *vocab, const float *score, const bool *skip,
                        size_t n, int32_t unk, sc_err *err)
{
    *u = (sc_unigram){.vocab = vocab, .unk = unk, .n_scores = n};
    SC_TRY(sc_trie_init(&u->trie, err));
    u->score = sc_alloc(n ? n : 1, sizeof *u->score);
    if (!u->score)
        return sc_fail_nomem(err);
    double low = DBL_MAX;
    for (size_t id = 0; id < n; id++) {
        const sc_str text = sc_vocab_text(vocab, (int32_t)id);
        u->score[id] = (double)score[id];
        if (skip[id] || text.n == 0)
            continue;
        low = u->score[id] < low ? u->score[id] : low;
        SC_TRY(sc_trie_add(&u->trie, text, (int32_t)id, err));
    }
    u->unk_score = low - UNK_PENALTY;
    find_bytes(u);
    return SC_OK;
}

void sc_unigram_drop(sc_unigram *u)
{
    sc_trie_drop(&u->trie);
    sc_free(u->score);
    *u = (sc_unigram){0};
}

/* A path to byte `to` over the token `id` that begins at `from`. */
static void offer(sc_work *w, size_t to, size_t from, int32_t id, double score)
{
    if (w->from[to] != UINT32_MAX && score <= w->score[to])
        return;
    w->score[to] = score;
    w->from[to] = (uint32_t)from;
    w->last[to] = id;
}

/* The tokens that begin at byte `at`. */
static sc_code extend(const sc_unigram *u, sc_work *w, sc_str s, size_t at, size_t n_char,
                      sc_err *err)
{
    const double here = w->score[at];
    bool single = false;
    uint32_t node = 0;
    for (size_t i = at; i < s.n; i++) {
        node = sc_trie_step(&u->trie, node, (unsigned char)s.p[i]);
        if (!node)
            break;
        const int32_t id = u->trie.value[node];
        if (id < 0)
            continue;
        offer(w, i + 1, at, id, u->score[id] + here);
        single = single || i + 1 - at == n_char;
    }
    if (single)
        return SC_OK;
    if (u->unk < 0)
        return sc_fail(err, SC_E_FORMAT, "a character without a token, and no \"unk_id\"");
    offer(w, at + n_char, at, u->unk, u->unk_score + here);
    return SC_OK;
}

static sc_code make_path(sc_work *w, size_t n, sc_err *err)
{
    // The three arrays share one capacity, so the last one says how far all are good.
    size_t cap = w->cap_path;
    SC_TRY(sc_work_room(&w->score, &cap, n, sizeof *w->score, err));
    cap = w->cap_path;
    SC_TRY(sc_work_room(&w->from, &cap, n, sizeof *w->from, err));
    cap = w->cap_path;
    SC_TRY(sc_work_room(&w->last, &cap, n, sizeof *w->last, err));
    w->cap_path = cap;
    for (size_t i = 0; i < n; i++)
        w->from[i] = UINT32_MAX;
    return SC_OK;
}

/* Appends the ids of a part of the path: one token, or a run of unknown characters. */
static sc_code add_part(const sc_unigram *u, sc_str part, sc_ids *out, sc_err *err)
{
    int32_t id = sc_vocab_find(u->vocab, part);
    if (id < 0 && u->byte_fallback) {
        bool all = true;
        for (size_t i = 0; i < part.n; i++)
            all = all && u->fallback[(unsigned char)part.p[i]] >= 0;
        for (size_t i = 0; all && i < part.n; i++)
            if (!sc_ids_add(out, u->fallback[(unsigned char)part.p[i]]))
                return sc_fail_nomem(err);
        if (all)
            return SC_OK;
    }
    if (id < 0)
        id = u->unk;
    if (id < 0)
        return sc_fail(err, SC_E_FORMAT, "a character without a token, and no \"unk_id\"");
    return sc_ids_add(out, id) ? SC_OK : sc_fail_nomem(err);
}

sc_code sc_unigram_encode(const sc_unigram *u, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    SC_TRY(make_path(w, s.n + 1, err));
    w->score[0] = 0;
    for (size_t at = 0; at < s.n;) {
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(sc_str_skip(s, at), &point);
        SC_TRY(extend(u, w, s, at, n, err));
        at += n;
    }
    // Backwards along the path; turn it round by writing the end of each part into its beginning.
    for (size_t end = s.n; end > 0;) {
        size_t start = w->from[end];
        const bool unk = w->last[end] == u->unk;
        while (unk && start > 0 && w->last[start] == u->unk)
            start = w->from[start];
        w->score[start] = (double)end; // exact: a position is far below 2^53
        end = start;
    }
    for (size_t at = 0; at < s.n;) {
        const size_t end = (size_t)w->score[at];
        SC_TRY(add_part(u, (sc_str){s.p + at, end - at}, out, err));
        at = end;
    }
    return SC_OK;
}
