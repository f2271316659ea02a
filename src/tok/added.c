// SPDX-License-Identifier: MIT
#include "tok/added.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tok/unicode.h"

#include <inttypes.h>

enum { MAX_TEXT = 4096, MAX_TOKENS = 1 << 20 };

sc_code sc_added_init(sc_added *a, sc_err *err)
{
    *a = (sc_added){0};
    SC_TRY(sc_trie_init(&a->raw.trie, err));
    return sc_trie_init(&a->normalized.trie, err);
}

void sc_added_drop(sc_added *a)
{
    sc_trie_drop(&a->raw.trie);
    sc_trie_drop(&a->normalized.trie);
    sc_free(a->token);
    *a = (sc_added){0};
}

sc_code sc_added_add(sc_added *a, sc_added_token token, sc_str text, const sc_norm *norm,
                     sc_err *err)
{
    sc_added_pass *pass = token.normalized ? &a->normalized : &a->raw;
    SC_AUTO(sc_work) w;
    sc_tok_work_init(&w);
    sc_text form = {.s = text};
    if (text.n > MAX_TEXT)
        return sc_fail(err, SC_E_LIMIT, "an added token of %zu bytes, at most %d are read", text.n,
                       MAX_TEXT);
    if (token.normalized)
        SC_TRY(sc_norm_run(norm, &w, &form, err));
    if (a->n == a->cap && !sc_grow(&a->token, &a->cap, a->n, MAX_TOKENS, sizeof *a->token))
        return sc_fail(err, SC_E_NOMEM, "out of memory for %zu added tokens", a->n);
    if (form.s.n == 0 && text.n) // the library finds it between any two characters
        return sc_fail(err, SC_E_UNSUPPORTED, "the normalizer leaves nothing of it");
    a->token[a->n++] = token;
    if (form.s.n == 0)
        return SC_OK; // never found in a text
    SC_TRY(sc_trie_add(&pass->trie, form.s, (int32_t)a->n - 1, err));
    pass->first[(unsigned char)form.s.p[0]] = true;
    pass->any = true;
    return SC_OK;
}

/*
 * The id of a new added token: the library counts on from the vocabulary's size, whatever the file
 * says, and so does every id that a user of it has ever seen.
 */
static int64_t next_id(const sc_vocab *vocab, const sc_vocab *extra)
{
    const size_t n = vocab->n_items > vocab->n_listed ? vocab->n_items : vocab->n_listed;
    return (int64_t)(extra->n_ids > n ? extra->n_ids : n);
}

static sc_code read_token(sc_tv v, const sc_vocab *vocab, sc_vocab *extra, const sc_norm *norm,
                          sc_added *out, sc_err *err)
{
    sc_added_token token = {0};
    sc_str text = {NULL, 0};
    int64_t id = -1;
    SC_TRY(sc_tv_get_str(v, "content", &text, err));
    SC_TRY(sc_tv_get_int(v, "id", 0, UINT32_MAX, &id, err));
    SC_TRY(sc_tv_get_bool(v, "special", &token.special, err));
    token.normalized = !token.special;
    SC_TRY(sc_tv_get_bool(v, "normalized", &token.normalized, err));
    SC_TRY(sc_tv_get_bool(v, "single_word", &token.single_word, err));
    SC_TRY(sc_tv_get_bool(v, "lstrip", &token.lstrip, err));
    SC_TRY(sc_tv_get_bool(v, "rstrip", &token.rstrip, err));
    if (!text.p || id < 0)
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "no \"content\" or no \"id\"");
    if (text.n == 0 || sc_vocab_find(extra, text) >= 0)
        return SC_OK; // the library leaves these out
    const int32_t known = sc_vocab_find(vocab, text);
    id = known >= 0 ? known : next_id(vocab, extra);
    SC_TRY(sc_vocab_add(extra, text, id, NULL, err));
    token.id = (int32_t)id;
    return sc_added_add(out, token, text, norm, err);
}

sc_code sc_added_read(sc_tv list, const sc_vocab *vocab, sc_vocab *extra, const sc_norm *norm,
                      sc_added *out, sc_err *err)
{
    SC_TRY(sc_added_init(out, err));
    return sc_added_read_more(list, vocab, extra, norm, out, err);
}

sc_code sc_added_read_more(sc_tv list, const sc_vocab *vocab, sc_vocab *extra, const sc_norm *norm,
                           sc_added *out, sc_err *err)
{
    if (sc_tv_has(list) && !sc_tv_is(list, SC_TAPE_ARRAY))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(list)->at, "\"added_tokens\" is no list");
    size_t n = 0;
    for (sc_tv_iter it = sc_tv_each(list); it.left; sc_tv_next(&it), n++)
        SC_TRY_IN(read_token(it.v, vocab, extra, norm, out, err), err, "added token %zu", n);
    return SC_OK;
}

sc_added_iter sc_added_over(const sc_added *a, bool normalized, sc_str text, bool literal)
{
    return (sc_added_iter){.added = a,
                           .pass = normalized ? &a->normalized : &a->raw,
                           .text = text,
                           .literal = literal};
}

/* Whether the character that ends at `at` (or begins there) is part of a word. */
static bool is_word(sc_str s, size_t at, bool ends)
{
    uint32_t c = 0;
    if (ends) {
        do
            at--;
        while (at > 0 && ((unsigned char)s.p[at] & 0xC0) == 0x80);
    }
    (void)sc_utf8_decode(sc_str_skip(s, at), &c);
    return (sc_uni_flags(c) & SC_UNI_WORD2) != 0;
}

static size_t skip_spaces_left(sc_str s, size_t at)
{
    while (at > 0) {
        size_t back = at - 1;
        while (back > 0 && ((unsigned char)s.p[back] & 0xC0) == 0x80)
            back--;
        uint32_t c = 0;
        (void)sc_utf8_decode(sc_str_skip(s, back), &c);
        if (!(sc_uni_flags(c) & SC_UNI_SPACE))
            break;
        at = back;
    }
    return at;
}

static size_t skip_spaces_right(sc_str s, size_t at)
{
    while (at < s.n) {
        uint32_t c = 0;
        const size_t n = sc_utf8_decode(sc_str_skip(s, at), &c);
        if (!(sc_uni_flags(c) & SC_UNI_SPACE))
            break;
        at += n;
    }
    return at;
}

/* The next token that counts, as a part with its white space; false when there is none. */
static bool find(sc_added_iter *it, sc_added_part *out)
{
    const sc_str s = it->text;
    while (it->search < s.n) {
        if (!it->pass->first[(unsigned char)s.p[it->search]]) {
            it->search++;
            continue;
        }
        int32_t index = -1;
        const size_t n = sc_trie_longest(&it->pass->trie, sc_str_skip(s, it->search), &index);
        if (n == 0) {
            it->search++;
            continue;
        }
        const sc_added_token *t = &it->added->token[index];
        size_t from = it->search;
        size_t end = from + n;
        it->search = end; // also when the token does not count
        if (it->literal && t->special)
            continue;
        if (t->single_word &&
            ((from > 0 && is_word(s, from, true)) || (end < s.n && is_word(s, end, false))))
            continue;
        if (t->lstrip) {
            const size_t left = skip_spaces_left(s, from);
            from = left > it->done ? left : it->done;
        }
        if (t->rstrip)
            end = skip_spaces_right(s, end);
        if (from >= end)
            continue; // the token before it took its white space
        *out = (sc_added_part){.at = from, .n = end - from, .id = t->id};
        return true;
    }
    return false;
}

bool sc_added_next(sc_added_iter *it, sc_added_part *out)
{
    if (it->waits) {
        it->waits = false;
        *out = it->wait;
        it->done = out->at + out->n;
        return true;
    }
    sc_added_part token;
    if (it->pass->any && find(it, &token)) {
        if (it->done < token.at) {
            *out = (sc_added_part){.at = it->done, .n = token.at - it->done, .id = -1};
            it->wait = token;
            it->waits = true;
            return true;
        }
        *out = token;
        it->done = token.at + token.n;
        return true;
    }
    if (it->done >= it->text.n)
        return false;
    *out = (sc_added_part){.at = it->done, .n = it->text.n - it->done, .id = -1};
    it->done = it->text.n;
    return true;
}
