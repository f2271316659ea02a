// SPDX-License-Identifier: MIT
#include "tok/lines.h"

enum { MAX_BOTH = 1 << 20 };

void sc_lines_init(sc_lines *l, sc_bpe *b)
{
    l->bpe = b;
    l->both = sc_buf_init(MAX_BOTH);
    l->rank = 0;
    l->last = -1;
    l->n = 0;
}

void sc_lines_drop(sc_lines *l)
{
    sc_buf_drop(&l->both);
}

/* What the second text of a line puts behind the first. */
static sc_str behind(const sc_lines *l, sc_str right)
{
    const size_t skip = l->bpe->prefix ? strlen(l->bpe->prefix) : 0;
    return right.n >= skip ? sc_str_skip(right, skip) : right;
}

/* Finds what the line becomes: mostly the token behind that of the line before. */
static sc_code find_both(sc_lines *l, const sc_line *x, int32_t *id, sc_err *err)
{
    const sc_vocab *v = l->bpe->vocab;
    const sc_str rest = behind(l, x->right);
    *id = l->last + 1;
    if (!sc_vocab_is(v, *id, x->left, rest)) {
        sc_buf_clear(&l->both);
        sc_buf_add_str(&l->both, x->left);
        sc_buf_add_str(&l->both, rest);
        if (!sc_buf_ok(&l->both))
            return sc_fail_nomem(err);
        *id = sc_vocab_find(v, sc_buf_str(&l->both));
    }
    l->last = *id;
    return SC_OK;
}

static sc_code find_merge(sc_lines *l, size_t i, sc_err *err)
{
    const sc_vocab *v = l->bpe->vocab;
    sc_line *x = &l->line[i];
    int32_t id = -1;
    const int32_t left = sc_vocab_find_hashed(v, x->left, x->hash[0]);
    const int32_t right = sc_vocab_find_hashed(v, x->right, x->hash[1]);
    SC_TRY(find_both(l, x, &id, err));
    const uint32_t rank = l->rank + (uint32_t)i;
    if (left < 0 || right < 0 || id < 0)
        return sc_fail(err, SC_E_FORMAT, "merge %u: \"%.*s\" is not in the vocabulary", rank,
                       SC_STRF(left < 0    ? x->left
                               : right < 0 ? x->right
                                           : sc_buf_str(&l->both)));
    x->merge = (sc_bpe_merge){left, right, rank, id};
    return SC_OK;
}

sc_code sc_lines_end(sc_lines *l, sc_err *err)
{
    const sc_vocab *v = l->bpe->vocab;
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < 2; k++)
            sc_vocab_fetch_item(v, l->line[i].hash[k]);
    for (size_t i = 0; i < l->n; i++) {
        SC_TRY(find_merge(l, i, err));
        sc_bpe_fetch(l->bpe, l->line[i].merge.left, l->line[i].merge.right);
    }
    for (size_t i = 0; i < l->n; i++) {
        const sc_bpe_merge *m = &l->line[i].merge;
        SC_TRY(sc_bpe_add(l->bpe, m->left, m->right, m->rank, m->id, err));
    }
    l->rank += (uint32_t)l->n;
    l->n = 0;
    return SC_OK;
}

sc_code sc_lines_add(sc_lines *l, sc_str left, sc_str right, sc_err *err)
{
    if (l->n == SC_LINES_MANY)
        SC_TRY(sc_lines_end(l, err));
    sc_line *x = &l->line[l->n++];
    x->left = left;
    x->right = right;
    x->hash[0] = sc_vocab_fetch(l->bpe->vocab, left);
    x->hash[1] = sc_vocab_fetch(l->bpe->vocab, right);
    return SC_OK;
}
