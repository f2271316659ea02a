// SPDX-License-Identifier: MIT
#include "tok/bpe.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tok/lines.h"

#include <stdio.h>

enum { SHORT_PIECE = 48 };

#define NO_RANK UINT32_MAX

size_t sc_bpe_spell_byte(unsigned char byte, char out[2])
{
    uint32_t c = byte;
    if (byte <= 0x20)
        c = 0x100u + byte;
    else if (byte >= 0x7F && byte <= 0xA0)
        c = 0x121u + (byte - 0x7Fu);
    else if (byte == 0xAD)
        c = 0x143;
    return sc_utf8_encode(c, out);
}

int sc_bpe_byte_of(uint32_t c)
{
    if ((c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xFF && c != 0xAD))
        return (int)c;
    if (c >= 0x100 && c <= 0x120)
        return (int)(c - 0x100);
    if (c >= 0x121 && c <= 0x142)
        return (int)(c - 0x121 + 0x7F);
    return c == 0x143 ? 0xAD : -1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool sc_bpe_is_byte_token(sc_str token, unsigned char *byte)
{
    if (token.n != 6 || memcmp(token.p, "<0x", 3) != 0 || token.p[5] != '>')
        return false;
    const int high = hex_digit(token.p[3]);
    const int low = hex_digit(token.p[4]);
    if (high < 0 || low < 0)
        return false;
    *byte = (unsigned char)(high * 16 + low);
    return true;
}

static size_t home(const sc_bpe *b, int32_t left, int32_t right)
{
    const uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    const uint64_t h = (pair ^ pair >> 29) * b->key;
    return (size_t)(h >> 20) & b->mask;
}

static const sc_bpe_merge *find_merge(const sc_bpe *b, int32_t left, int32_t right)
{
    for (size_t at = home(b, left, right);; at = (at + 1) & b->mask) {
        const sc_bpe_merge *m = &b->slot[at];
        if (m->left == left && m->right == right)
            return m;
        if (m->left < 0)
            return NULL;
    }
}

/* All free. */
static sc_code make_slots(sc_bpe *b, size_t n, sc_err *err)
{
    size_t size = 64;
    while (size < 2 * n)
        size *= 2;
    sc_bpe_merge *slot = sc_alloc(size, sizeof *slot);
    if (!slot)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < size; i++)
        slot[i].left = -1;
    b->slot = slot;
    b->mask = size - 1;
    return SC_OK;
}

/* The id of every byte in both spellings. */
static void find_bytes(sc_bpe *b)
{
    for (unsigned i = 0; i < 256; i++) {
        char name[8];
        char spelt[2];
        const size_t n = sc_bpe_spell_byte((unsigned char)i, spelt);
        b->byte_id[i] = sc_vocab_find(b->vocab, (sc_str){spelt, n});
        (void)snprintf(name, sizeof name, "<0x%02X>", i); // it fits
        b->fallback[i] = sc_vocab_find(b->vocab, sc_str_c(name));
    }
}

sc_code sc_bpe_init(sc_bpe *b, const sc_vocab *vocab, size_t n, sc_err *err)
{
    *b = (sc_bpe){.vocab = vocab, .unk = -1, .key = sc_vocab_random()};
    find_bytes(b);
    return make_slots(b, n, err);
}

void sc_bpe_drop(sc_bpe *b)
{
    sc_free(b->slot);
    sc_free(b->byte_pair);
    sc_free(b->prefix);
    sc_free(b->suffix);
    *b = (sc_bpe){0};
}

void sc_bpe_fetch(const sc_bpe *b, int32_t left, int32_t right)
{
    __builtin_prefetch(&b->slot[home(b, left, right)], 1);
}

sc_code sc_bpe_add(sc_bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t id, sc_err *err)
{
    if (2 * (b->n_merges + 1) > b->mask) {
        sc_bpe_merge *old = b->slot;
        const size_t n_old = b->mask + 1;
        SC_TRY(make_slots(b, 2 * n_old, err));
        for (size_t i = 0; i < n_old; i++) {
            if (old[i].left < 0)
                continue;
            size_t at = home(b, old[i].left, old[i].right);
            while (b->slot[at].left >= 0)
                at = (at + 1) & b->mask;
            b->slot[at] = old[i];
        }
        sc_free(old);
    }
    size_t at = home(b, left, right);
    while (b->slot[at].left >= 0 && (b->slot[at].left != left || b->slot[at].right != right))
        at = (at + 1) & b->mask;
    b->n_merges += b->slot[at].left < 0;
    b->slot[at] = (sc_bpe_merge){left, right, rank, id};
    return SC_OK;
}

#define MARK "\xE2\x96\x81"

enum { MARK_SIZE = 3 };

/*
 * The class of the character at `at`, and where the next one begins; SC_BPE_CLASSES for one next to
 * which nothing is known.
 */
static inline unsigned class_at(sc_str s, size_t *at)
{
    const unsigned char c = (unsigned char)s.p[*at];
    if (c < 0x80) {
        ++*at;
        return c;
    }
    if (c == 0xE2 && s.n - *at >= MARK_SIZE && memcmp(s.p + *at, MARK, MARK_SIZE) == 0) {
        *at += MARK_SIZE;
        return SC_BPE_CLASSES - 1;
    }
    do
        ++*at;
    while (*at < s.n && ((unsigned char)s.p[*at] & 0xC0) == 0x80);
    return SC_BPE_CLASSES;
}

/* Every pair of characters that stand next to each other in `token` belongs together. */
static void join_pairs(sc_bpe *b, sc_str token)
{
    unsigned before = SC_BPE_CLASSES;
    for (size_t at = 0; at < token.n;) {
        const unsigned now = class_at(token, &at);
        if (before < SC_BPE_CLASSES && now < SC_BPE_CLASSES)
            b->apart[before][now] = false;
        before = now;
    }
}

/* Finds the pairs of characters between which a text may be cut. */
static void find_cuts(sc_bpe *b)
{
    if (b->ignore_merges || b->prefix || b->suffix || sc_vocab_find(b->vocab, SC_STR(MARK)) < 0)
        return;
    // An unknown token waits for the next known character, so a cut wants one in front, or that
    // every byte has a token: then nothing is unknown. Without an unknown token such characters
    // are dropped and their neighbours meet, so it wants a known one behind, too.
    bool all_known = b->byte_fallback;
    for (unsigned i = 0; i < 256; i++)
        all_known = all_known && b->fallback[i] >= 0;
    bool known[SC_BPE_CLASSES];
    for (unsigned c = 0; c < SC_BPE_CLASSES; c++) {
        const char byte = (char)c;
        known[c] = all_known || c == SC_BPE_CLASSES - 1 ||
                   sc_vocab_find(b->vocab, (sc_str){&byte, 1}) >= 0;
    }
    for (unsigned c = 0; c < SC_BPE_CLASSES; c++)
        for (unsigned next = 0; next < SC_BPE_CLASSES; next++)
            b->apart[c][next] = known[c] && (known[next] || b->unk >= 0);
    for (size_t i = 0; i <= b->mask; i++) {
        const sc_bpe_merge *m = &b->slot[i];
        if (m->left < 0)
            continue;
        unsigned char byte;
        if (sc_bpe_is_byte_token(sc_vocab_text(b->vocab, m->left), &byte) ||
            sc_bpe_is_byte_token(sc_vocab_text(b->vocab, m->right), &byte))
            return; // what stands for a byte merges: the characters no longer tell
        join_pairs(b, sc_vocab_text(b->vocab, m->id));
    }
    for (unsigned c = 0; c < SC_BPE_CLASSES; c++)
        for (unsigned next = 0; next < SC_BPE_CLASSES; next++)
            b->cuts = b->cuts || b->apart[c][next];
}

size_t sc_bpe_cut(const sc_bpe *b, sc_str s, size_t at)
{
    unsigned before = SC_BPE_CLASSES;
    while (at < s.n) {
        const size_t from = at;
        const unsigned now = class_at(s, &at);
        if (before < SC_BPE_CLASSES && now < SC_BPE_CLASSES && b->apart[before][now])
            return from;
        before = now;
    }
    return s.n;
}

/* Fills the table of pairs of single bytes. */
static sc_code find_pairs(sc_bpe *b, sc_err *err)
{
    int32_t most = -1;
    for (unsigned i = 0; i < 256; i++)
        most = b->byte_id[i] > most ? b->byte_id[i] : most;
    uint16_t *first = sc_alloc((size_t)(most + 1), sizeof *first); // byte + 1 of an id, or 0
    if (!first)
        return sc_fail_nomem(err);
    uint16_t next[257] = {0}; // another byte of that id
    for (uint16_t i = 256; i > 0; i--) {
        const int32_t id = b->byte_id[i - 1];
        if (id < 0)
            continue;
        next[i] = first[id];
        first[id] = i;
    }
    for (size_t i = 0; i <= b->mask; i++) {
        const sc_bpe_merge *m = &b->slot[i];
        if (m->left < 0 || m->left > most || m->right > most)
            continue;
        for (size_t l = first[m->left]; l; l = next[l])
            for (size_t r = first[m->right]; r; r = next[r])
                b->byte_pair[(l - 1) * 256 + (r - 1)] = (sc_bpe_pair){m->rank, m->id};
    }
    sc_free(first);
    return SC_OK;
}

sc_code sc_bpe_finish(sc_bpe *b, sc_err *err)
{
    find_cuts(b);
    b->mark = sc_vocab_find(b->vocab, SC_STR(MARK));
    b->byte_pair = sc_alloc((size_t)256 * 256, sizeof *b->byte_pair);
    if (!b->byte_pair)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < (size_t)256 * 256; i++)
        b->byte_pair[i] = (sc_bpe_pair){NO_RANK, -1};
    return find_pairs(b, err);
}

/* The two tokens of a merge, in either form. */
static sc_code split_merge(sc_tv v, uint32_t rank, sc_str *left, sc_str *right, sc_err *err)
{
    if (sc_tv_is(v, SC_TAPE_STRING)) {
        const sc_str line = sc_tv_str(v);
        const char *space = line.n ? memchr(line.p, ' ', line.n) : NULL;
        if (space) {
            *left = (sc_str){line.p, (size_t)(space - line.p)};
            *right = sc_str_skip(line, left->n + 1);
            if (!right->n || !memchr(right->p, ' ', right->n))
                return SC_OK;
        }
    } else if (sc_tv_is(v, SC_TAPE_ARRAY) && sc_tv_node(v)->n == 2) {
        sc_tv_iter it = sc_tv_each(v);
        const sc_tv first = it.v;
        sc_tv_next(&it);
        *left = sc_tv_str(first);
        *right = sc_tv_str(it.v);
        if (sc_tv_is(first, SC_TAPE_STRING) && sc_tv_is(it.v, SC_TAPE_STRING))
            return SC_OK;
    }
    return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "merge %u is not two tokens", rank);
}

static sc_code read_merges(sc_tv merges, sc_bpe *b, sc_err *err)
{
    uint32_t rank = 0;
    SC_AUTO(sc_lines) lines;
    sc_lines_init(&lines, b);
    for (sc_tv_iter it = sc_tv_each(merges); it.left; sc_tv_next(&it)) {
        sc_str left;
        sc_str right;
        if (sc_tv_is(it.v, SC_TAPE_STRING) && sc_str_starts(sc_tv_str(it.v), SC_STR("#version")))
            continue;
        SC_TRY(split_merge(it.v, rank++, &left, &right, err));
        SC_TRY(sc_lines_add(&lines, left, right, err));
    }
    return sc_lines_end(&lines, err);
}

/* The string `key` on the heap; stays NULL when absent or empty. */
static sc_code copy_text(sc_tv model, const char *key, char **out, sc_err *err)
{
    sc_str s = {NULL, 0};
    SC_TRY(sc_tv_get_str(model, key, &s, err));
    if (s.n == 0)
        return SC_OK;
    *out = sc_strndup(s.p, s.n);
    return *out ? SC_OK : sc_fail_nomem(err);
}

static sc_code read_options(sc_tv model, sc_bpe *b, sc_err *err)
{
    SC_TRY(copy_text(model, "continuing_subword_prefix", &b->prefix, err));
    SC_TRY(copy_text(model, "end_of_word_suffix", &b->suffix, err));
    SC_TRY(sc_tv_get_bool(model, "fuse_unk", &b->fuse_unk, err));
    SC_TRY(sc_tv_get_bool(model, "byte_fallback", &b->byte_fallback, err));
    SC_TRY(sc_tv_get_bool(model, "ignore_merges", &b->ignore_merges, err));
    sc_str unk = {NULL, 0};
    SC_TRY(sc_tv_get_str(model, "unk_token", &unk, err));
    b->has_unk = unk.p != NULL;
    b->unk = b->has_unk ? sc_vocab_find(b->vocab, unk) : -1;
    double dropout = 0;
    const sc_tv v = sc_tv_get(model, "dropout");
    if (sc_tv_has(v) && !sc_tv_num(v, &dropout))
        return sc_fail(err, SC_E_FORMAT, "\"dropout\" is not a number");
    if (dropout != 0)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "\"dropout\" is %g: encoding would depend on chance; set it to null",
                       dropout);
    return SC_OK;
}

sc_code sc_bpe_read(sc_tv model, const sc_vocab *vocab, sc_bpe *out, sc_err *err)
{
    const sc_tv merges = sc_tv_get(model, "merges");
    if (!sc_tv_is(merges, SC_TAPE_ARRAY))
        return sc_fail(err, SC_E_FORMAT, "\"merges\" is not an array");
    SC_TRY(sc_bpe_init(out, vocab, sc_tv_node(merges)->n, err));
    SC_TRY(read_options(model, out, err));
    SC_TRY(read_merges(merges, out, err));
    return sc_bpe_finish(out, err);
}

/* The rank of a pair and what it becomes. */
static uint32_t rank_of(const sc_bpe *b, int32_t left, int32_t right, int32_t *id)
{
    const sc_bpe_merge *m = find_merge(b, left, right);
    *id = m ? m->id : -1;
    return m ? m->rank : NO_RANK;
}

/* Merges the `n` ids in place, looking through all pairs each time; returns how many are left. */
static size_t merge_short(const sc_bpe *b, int32_t *id, uint32_t *rank, int32_t *to, size_t n)
{
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best])
                best = i;
        if (rank[best] == NO_RANK)
            break;
        id[best] = to[best];
        n--;
        for (size_t i = best + 1; i < n; i++) {
            id[i] = id[i + 1];
            rank[i] = rank[i + 1];
            to[i] = to[i + 1];
        }
        if (best > 0)
            rank[best - 1] = rank_of(b, id[best - 1], id[best], &to[best - 1]);
        if (best + 1 < n)
            rank[best] = rank_of(b, id[best], id[best + 1], &to[best]);
    }
    return n;
}

/* A heap of (rank, position), the smallest on top. */
static sc_code heap_push(sc_work *w, size_t *n, uint64_t v, sc_err *err)
{
    if (*n == w->cap_heap && !sc_grow(&w->heap, &w->cap_heap, *n, SIZE_MAX / 16, sizeof *w->heap))
        return sc_fail_nomem(err);
    size_t i = (*n)++;
    for (; i > 0 && w->heap[(i - 1) / 2] > v; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = v;
    return SC_OK;
}

static uint64_t heap_pop(sc_work *w, size_t *n)
{
    const uint64_t top = w->heap[0];
    const uint64_t v = w->heap[--*n];
    size_t i = 0;
    for (size_t child = 1; child < *n; child = 2 * i + 1) {
        if (child + 1 < *n && w->heap[child + 1] < w->heap[child])
            child++;
        if (w->heap[child] >= v)
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = v;
    return top;
}

/* Looks up the merge of symbol `i` with the one behind it and queues it. */
static sc_code queue_pair(const sc_bpe *b, sc_work *w, size_t *n_heap, int32_t i, sc_err *err)
{
    sc_symbol *s = &w->symbol[i];
    int32_t id = -1;
    s->rank = s->next < 0 ? NO_RANK : rank_of(b, s->id, w->symbol[s->next].id, &id);
    if (s->rank == NO_RANK)
        return SC_OK;
    return heap_push(w, n_heap, (uint64_t)s->rank << 32 | (uint32_t)i, err);
}

/* Merges the `n` ids of a long piece and appends what is left. */
static sc_code merge_long(const sc_bpe *b, sc_work *w, const int32_t *id, size_t n, sc_ids *out,
                          sc_err *err)
{
    SC_TRY(sc_work_room(&w->symbol, &w->cap_symbols, n, sizeof *w->symbol, err));
    size_t n_heap = 0;
    sc_symbol *s = w->symbol;
    for (size_t i = 0; i < n; i++)
        s[i] = (sc_symbol){.id = id[i],
                           .prev = (int32_t)i - 1,
                           .next = i + 1 < n ? (int32_t)i + 1 : -1,
                           .rank = NO_RANK};
    for (size_t i = 0; i < n; i++)
        SC_TRY(queue_pair(b, w, &n_heap, (int32_t)i, err));
    while (n_heap > 0) {
        const uint64_t top = heap_pop(w, &n_heap);
        const int32_t i = (int32_t)(top & UINT32_MAX);
        if (s[i].rank != (uint32_t)(top >> 32))
            continue; // the pair has changed since
        const int32_t gone = s[i].next;
        (void)rank_of(b, s[i].id, s[gone].id, &s[i].id); // known to exist
        s[i].next = s[gone].next;
        s[gone].rank = NO_RANK;
        if (s[i].next >= 0)
            s[s[i].next].prev = i;
        if (s[i].prev >= 0)
            SC_TRY(queue_pair(b, w, &n_heap, s[i].prev, err));
        SC_TRY(queue_pair(b, w, &n_heap, i, err));
    }
    for (int32_t i = 0; i >= 0; i = s[i].next)
        if (!sc_ids_add(out, s[i].id))
            return sc_fail_nomem(err);
    return SC_OK;
}

/* Merges first ids and appends the result. */
static sc_code merge_ids(const sc_bpe *b, sc_work *w, int32_t *id, size_t n, sc_ids *out,
                         sc_err *err)
{
    if (n > SHORT_PIECE)
        return merge_long(b, w, id, n, out, err);
    uint32_t rank[SHORT_PIECE];
    int32_t to[SHORT_PIECE];
    for (size_t i = 0; i + 1 < n; i++)
        rank[i] = rank_of(b, id[i], id[i + 1], &to[i]);
    n = merge_short(b, id, rank, to, n);
    if (!sc_ids_reserve(out, n))
        return sc_fail_nomem(err);
    if (n) // an empty list has no memory to copy into
        memcpy(out->p + out->n, id, n * sizeof *id);
    out->n += n;
    return SC_OK;
}

/* The first ids of a piece under construction; the unknown token waits, as it may be fused. */
typedef struct firsts {
    int32_t *id;
    size_t n;
    bool unk_waits;
} firsts;

/* The first id or ids of one character, spelt `s` with prefix and suffix. */
static sc_code add_char(const sc_bpe *b, firsts *f, sc_str s, sc_err *err)
{
    const int32_t id = sc_vocab_find(b->vocab, s);
    if (id >= 0) {
        if (f->unk_waits)
            f->id[f->n++] = b->unk;
        f->unk_waits = false;
        f->id[f->n++] = id;
        return SC_OK;
    }
    if (b->byte_fallback) {
        bool all = true;
        for (size_t i = 0; i < s.n; i++)
            all = all && b->fallback[(unsigned char)s.p[i]] >= 0;
        if (all) { // a waiting unknown token comes behind these, as in the library
            for (size_t i = 0; i < s.n; i++)
                f->id[f->n++] = b->fallback[(unsigned char)s.p[i]];
            return SC_OK;
        }
    }
    if (!b->has_unk)
        return SC_OK; // the character is dropped
    if (b->unk < 0)
        return sc_fail(err, SC_E_FORMAT, "the unknown token is not in the vocabulary");
    if (f->unk_waits && !b->fuse_unk)
        f->id[f->n++] = b->unk;
    f->unk_waits = true;
    return SC_OK;
}

/* The first ids of the piece `s`. Needs: room in f->id. */
static sc_code add_chars(const sc_bpe *b, sc_work *w, firsts *f, sc_str s, sc_err *err)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(sc_str_skip(s, i), &point);
        sc_str one = {s.p + i, n};
        const bool prefixed = b->prefix && i > 0;
        const bool suffixed = b->suffix && i + n == s.n;
        if (prefixed || suffixed) {
            sc_buf_clear(&w->key);
            if (prefixed)
                sc_buf_add_c(&w->key, b->prefix);
            sc_buf_add_str(&w->key, one);
            if (suffixed)
                sc_buf_add_c(&w->key, b->suffix);
            if (!sc_buf_ok(&w->key))
                return sc_fail_nomem(err);
            one = sc_buf_str(&w->key);
        }
        SC_TRY(add_char(b, f, one, err));
        i += n;
    }
    if (f->unk_waits)
        f->id[f->n++] = b->unk;
    return SC_OK;
}

/*
 * A short piece of marks and printable ASCII that all have a token, which is nearly every one: no
 * text is looked up. A printable character is spelt alike in the byte-level alphabet, so that the
 * table of pairs of bytes holds. False when the piece is another.
 */
static bool encode_plain(const sc_bpe *b, sc_str s, sc_ids *out, bool *nomem)
{
    int32_t id[SHORT_PIECE];
    uint32_t rank[SHORT_PIECE];
    int32_t to[SHORT_PIECE];
    size_t n = 0;
    if (s.n > SHORT_PIECE || b->prefix || b->suffix)
        return false;
    for (size_t i = 0; i < s.n; n++) {
        const unsigned char c = (unsigned char)s.p[i];
        const bool printable = c > 0x20 && c < 0x7F;
        if (!printable && (c != 0xE2 || s.n - i < 3 || memcmp(s.p + i, MARK, 3) != 0))
            return false;
        id[n] = printable ? b->byte_id[c] : b->mark;
        if (id[n] < 0)
            return false;
        if (n && printable && (unsigned char)s.p[i - 1] < 0x7F) {
            const sc_bpe_pair *m = &b->byte_pair[(size_t)(unsigned char)s.p[i - 1] * 256 + c];
            rank[n - 1] = m->rank;
            to[n - 1] = m->id;
        } else if (n) {
            rank[n - 1] = rank_of(b, id[n - 1], id[n], &to[n - 1]);
        }
        i += printable ? 1 : 3;
    }
    n = merge_short(b, id, rank, to, n);
    *nomem = out->cap - out->n < n && !sc_ids_reserve(out, n);
    for (size_t i = 0; i < n && !*nomem; i++)
        out->p[out->n++] = id[i];
    return true;
}

sc_code sc_bpe_encode(const sc_bpe *b, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    if (b->ignore_merges) {
        const int32_t id = sc_vocab_find(b->vocab, s);
        if (id >= 0)
            return sc_ids_add(out, id) ? SC_OK : sc_fail_nomem(err);
    }
    bool nomem = false;
    if (encode_plain(b, s, out, &nomem))
        return nomem ? sc_fail_nomem(err) : SC_OK;
    // A byte gives one id at most, and so do the bytes of a prefix and a suffix.
    const size_t affix = (b->prefix ? strlen(b->prefix) : 0) + (b->suffix ? strlen(b->suffix) : 0);
    size_t room = 0;
    if (!sc_mul_size(s.n, 1 + affix, &room))
        return sc_fail_nomem(err);
    int32_t few[SHORT_PIECE + 1];
    firsts f = {.id = few};
    if (room > SHORT_PIECE) {
        SC_TRY(sc_work_room(&w->ids, &w->cap_ids, room + 1, sizeof *w->ids, err));
        f.id = w->ids;
    }
    SC_TRY(add_chars(b, w, &f, s, err));
    return merge_ids(b, w, f.id, f.n, out, err);
}

/* The piece `s` of bytes in the alphabet of byte-level models, in w->key. */
static sc_str spell(sc_work *w, sc_str s)
{
    sc_buf_clear(&w->key);
    for (size_t i = 0; i < s.n; i++) {
        char spelt[2];
        sc_buf_add(&w->key, spelt, sc_bpe_spell_byte((unsigned char)s.p[i], spelt));
    }
    return sc_buf_str(&w->key);
}

/* As sc_bpe_encode_bytes, by way of characters: whole tokens, bytes without a token, long pieces.
 */
static sc_code encode_spelt(const sc_bpe *b, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    const sc_str text = spell(w, s);
    if (!sc_buf_ok(&w->key))
        return sc_fail_nomem(err);
    return sc_bpe_encode(b, w, text, out, err);
}

sc_code sc_bpe_encode_bytes(const sc_bpe *b, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    int32_t id[SHORT_PIECE];
    uint32_t rank[SHORT_PIECE];
    int32_t to[SHORT_PIECE];
    bool all = !b->ignore_merges && s.n <= SHORT_PIECE;
    for (size_t i = 0; all && i < s.n; i++) {
        id[i] = b->byte_id[(unsigned char)s.p[i]];
        all = id[i] >= 0;
    }
    if (!all)
        return encode_spelt(b, w, s, out, err);
    for (size_t i = 0; i + 1 < s.n; i++) {
        const sc_bpe_pair *m =
            &b->byte_pair[(size_t)(unsigned char)s.p[i] * 256 + (unsigned char)s.p[i + 1]];
        rank[i] = m->rank;
        to[i] = m->id;
    }
    const size_t n = merge_short(b, id, rank, to, s.n);
    if (!sc_ids_reserve(out, n))
        return sc_fail_nomem(err);
    if (n) // an empty list has no memory to copy into
        memcpy(out->p + out->n, id, n * sizeof *id);
    out->n += n;
    return SC_OK;
}
