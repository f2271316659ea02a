// SPDX-License-Identifier: MIT
#include "tok/word.h"

#include "base/mem.h"
#include "base/utf8.h"

sc_code sc_word_read(sc_tv model, const sc_vocab *vocab, sc_word *out, sc_err *err)
{
    sc_str prefix = SC_STR("##");
    sc_str unk = SC_STR("[UNK]");
    int64_t max_chars = 100;
    SC_TRY(sc_tv_get_str(model, "continuing_subword_prefix", &prefix, err));
    SC_TRY(sc_tv_get_str(model, "unk_token", &unk, err));
    SC_TRY(sc_tv_get_int(model, "max_input_chars_per_word", 0, INT64_MAX, &max_chars, err));
    *out = (sc_word){.vocab = vocab,
                     .unk = sc_vocab_find(vocab, unk),
                     .max_chars = (size_t)max_chars,
                     .prefix = sc_strndup(prefix.p, prefix.n)};
    return out->prefix ? SC_OK : sc_fail_nomem(err);
}

void sc_word_drop(sc_word *m)
{
    sc_free(m->prefix);
    *m = (sc_word){0};
}

static sc_code add_unknown(const sc_word *m, sc_ids *out, sc_err *err)
{
    if (m->unk < 0)
        return sc_fail(err, SC_E_FORMAT, "the unknown token is not in the vocabulary");
    return sc_ids_add(out, m->unk) ? SC_OK : sc_fail_nomem(err);
}

sc_code sc_word_encode_whole(const sc_word *m, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    (void)w;
    const int32_t id = sc_vocab_find(m->vocab, s);
    if (id < 0)
        return add_unknown(m, out, err);
    return sc_ids_add(out, id) ? SC_OK : sc_fail_nomem(err);
}

static size_t count_chars(sc_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* The longest token at the beginning of `rest`; its length in bytes without the prefix, or 0. */
static size_t longest(const sc_word *m, sc_work *w, sc_str rest, bool inside, int32_t *id)
{
    const size_t skip = inside ? strlen(m->prefix) : 0;
    sc_buf_clear(&w->key);
    sc_buf_add(&w->key, m->prefix, skip);
    sc_buf_add_str(&w->key, rest);
    if (!sc_buf_ok(&w->key))
        return SIZE_MAX;
    for (size_t n = rest.n; n > 0;) {
        *id = sc_vocab_find(m->vocab, (sc_str){w->key.p, skip + n});
        if (*id >= 0)
            return n;
        for (n--; n > 0 && ((unsigned char)rest.p[n] & 0xC0) == 0x80;)
            n--;
    }
    return 0;
}

sc_code sc_word_encode_pieces(const sc_word *m, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    if (count_chars(s) > m->max_chars)
        return add_unknown(m, out, err);
    const size_t before = out->n;
    for (size_t at = 0; at < s.n;) {
        int32_t id = -1;
        const size_t n = longest(m, w, sc_str_skip(s, at), at > 0, &id);
        if (n == SIZE_MAX)
            return sc_fail_nomem(err);
        if (n == 0) {
            out->n = before;
            return add_unknown(m, out, err);
        }
        if (!sc_ids_add(out, id))
            return sc_fail_nomem(err);
        at += n;
    }
    return SC_OK;
}
