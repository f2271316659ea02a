// SPDX-License-Identifier: MIT
#include "base/utf8.h"
#include "tok/tok_impl.h"

#define REPLACEMENT "\xEF\xBF\xBD"

void sc_detok_init(sc_detok *d, const sc_tok *t, bool skip_special)
{
    *d = (sc_detok){.tok = t, .skip_special = skip_special, .last = -1, .strip = t->stream.strip};
}

/* Releases one character, or drops it where the decoder strips the beginning. */
static void release(sc_detok *d, uint32_t point, const char *p, size_t n, sc_buf *out)
{
    if (d->strip > 0) {
        d->strip = point == d->tok->stream.strip_point ? d->strip - 1 : 0;
        if (point == d->tok->stream.strip_point)
            return;
    }
    if (point == SC_UTF8_BAD)
        sc_buf_add_c(out, REPLACEMENT);
    else
        sc_buf_add(out, p, n);
}

/*
 * How many bytes at the end of `s` wait for more. Half a surrogate (ED A0..BF) is no beginning of a
 * character, yet it waits too: so does the decoder that the expected streams were made with.
 */
static size_t waiting(sc_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n >= 2 && p[s.n - 2] == 0xED && p[s.n - 1] >= 0xA0 && p[s.n - 1] <= 0xBF)
        return 2;
    return sc_utf8_tail(s);
}

/* Releases the characters of `s`. */
static void release_all(sc_detok *d, sc_str s, sc_buf *out)
{
    while (s.n) {
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(s, &point);
        release(d, point, s.p, n, out);
        s = sc_str_skip(s, n);
    }
}

/* Takes bytes of the text; the unfinished end of them waits in d->tail. */
static void add_bytes(sc_detok *d, sc_str s, sc_buf *out)
{
    // What waits is completed byte by byte; the rest is read where it lies.
    while (d->n_tail > 0 && s.n > 0) {
        d->tail[d->n_tail++] = s.p[0]; // 3 bytes wait at most
        s = sc_str_skip(s, 1);
        const sc_str now = {d->tail, d->n_tail};
        const size_t wait = waiting(now);
        release_all(d, (sc_str){now.p, now.n - wait}, out);
        memmove(d->tail, d->tail + (now.n - wait), wait);
        d->n_tail = (uint8_t)wait;
    }
    if (s.n == 0)
        return;
    const size_t wait = waiting(s);
    release_all(d, (sc_str){s.p, s.n - wait}, out);
    memcpy(d->tail, s.p + (s.n - wait), wait);
    d->n_tail = (uint8_t)wait;
}

static void push_spelt(sc_detok *d, sc_str token, bool plain, sc_buf *out)
{
    if (plain) {
        add_bytes(d, token, out);
        return;
    }
    for (size_t i = 0; i < token.n;) {
        uint32_t point = 0;
        i += sc_utf8_decode(sc_str_skip(token, i), &point);
        if (sc_bpe_byte_of(point) < 0) {
            add_bytes(d, token, out);
            return;
        }
    }
    for (size_t i = 0; i < token.n;) {
        uint32_t point = 0;
        i += sc_utf8_decode(sc_str_skip(token, i), &point);
        const char byte = (char)sc_bpe_byte_of(point);
        add_bytes(d, (sc_str){&byte, 1}, out);
    }
}

static void push_plain(sc_detok *d, sc_str token, sc_buf *out)
{
    const sc_stream *how = &d->tok->stream;
    unsigned char byte = 0;
    if (how->fallback && sc_bpe_is_byte_token(token, &byte)) {
        add_bytes(d, (sc_str){(const char *)&byte, 1}, out);
        return;
    }
    while (token.n) {
        const char *hit = how->find.n ? memmem(token.p, token.n, how->find.p, how->find.n) : NULL;
        const size_t n = hit ? (size_t)(hit - token.p) : token.n;
        add_bytes(d, (sc_str){token.p, n}, out);
        if (hit && !(how->first_bare && !d->started))
            add_bytes(d, how->with, out);
        token = sc_str_skip(token, n + (hit ? how->find.n : 0));
    }
}

static void push_other(sc_detok *d, sc_str token, sc_buf *out)
{
    sc_err err = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(SC_TOK_MAX_TEXT);
    if (sc_decoder_token(d->tok->decoder, token, !d->started, &text, &err) != SC_OK) {
        out->bad = true;
        return;
    }
    sc_str s = sc_buf_str(&text);
    if (d->gap && s.n)
        add_bytes(d, SC_STR(" "), out);
    d->gap = d->gap && !s.n;
    if (d->tok->stream.trailing_gap && sc_str_ends(s, SC_STR(" "))) {
        d->gap = true;
        s.n--;
    }
    add_bytes(d, s, out);
}

void sc_detok_push(sc_detok *d, int32_t id, sc_buf *out)
{
    const sc_tok *t = d->tok;
    if ((!sc_vocab_has(&t->extra, id) && !sc_vocab_has(&t->vocab, id)) ||
        (d->skip_special && sc_tok_is_special(t, id)))
        return;
    const sc_str token = sc_tok_text(t, id);
    if (t->stream.dedup && id == d->last)
        return;
    switch (t->stream.kind) {
    case SC_STREAM_BYTES:
        push_spelt(d, token, t->plain_added && sc_vocab_has(&t->extra, id), out);
        break;
    case SC_STREAM_PLAIN:
        push_plain(d, token, out);
        break;
    case SC_STREAM_SPACED:
        if (d->started)
            add_bytes(d, SC_STR(" "), out);
        add_bytes(d, token, out);
        break;
    case SC_STREAM_OTHER:
        push_other(d, token, out);
        break;
    }
    d->started = true;
    d->last = id;
}

void sc_detok_flush(sc_detok *d, sc_buf *out)
{
    release_all(d, (sc_str){d->tail, d->n_tail}, out);
    sc_detok_init(d, d->tok, d->skip_special);
}
