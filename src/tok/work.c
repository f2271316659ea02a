// SPDX-License-Identifier: MIT
#include "tok/work.h"

#include "base/mem.h"

// A normalizer may make a text longer, by a known factor a character.
#define MAX_TEXT_BUF (SC_TOK_MAX_TEXT * 2 - 1)

void sc_tok_work_init(sc_work *w)
{
    *w = (sc_work){0};
    for (unsigned i = 0; i < 2; i++) {
        w->norm[i] = sc_buf_init(MAX_TEXT_BUF);
        w->pre[i] = sc_buf_init(MAX_TEXT_BUF);
    }
    w->key = sc_buf_init(MAX_TEXT_BUF);
}

void sc_tok_work_drop(sc_work *w)
{
    for (unsigned i = 0; i < 2; i++) {
        sc_buf_drop(&w->norm[i]);
        sc_buf_drop(&w->pre[i]);
        sc_free(w->pieces[i].p);
    }
    sc_buf_drop(&w->key);
    sc_regex_run_drop(&w->run);
    sc_free(w->symbol);
    sc_free(w->heap);
    sc_free(w->ids);
    sc_free(w->score);
    sc_free(w->from);
    sc_free(w->last);
    sc_free(w->seen);
    sc_free(w->point);
    *w = (sc_work){0};
}

sc_code sc_pieces_add(sc_pieces *v, size_t at, size_t n, sc_err *err)
{
    if (n == 0)
        return SC_OK;
    if (v->n == v->cap && !sc_grow(&v->p, &v->cap, v->n, SC_TOK_MAX_TEXT, sizeof *v->p))
        return sc_fail_nomem(err);
    v->p[v->n++] = (sc_piece){(uint32_t)at, (uint32_t)n};
    return SC_OK;
}

sc_code sc_work_room(void *p, size_t *cap, size_t n, size_t size, sc_err *err)
{
    if (n <= *cap)
        return SC_OK;
    void *old = NULL;
    memcpy(&old, p, sizeof old); // p is the address of a typed pointer
    void *now = sc_alloc(n + n / 2, size);
    if (!now)
        return sc_fail_nomem(err);
    sc_free(old);
    memcpy(p, &now, sizeof now);
    *cap = n + n / 2;
    return SC_OK;
}
