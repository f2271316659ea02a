// SPDX-License-Identifier: MIT
/* SentencePiece vocabularies: BPE by score and unigram, from a list of tokens with score and type.
 */
#include "base/cur.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tok/older.h"
#include "tok/tok_impl.h"

#include <math.h>
#include <stdlib.h>

#define MARK "\xE2\x96\x81" // U+2581, a space in a vocabulary

enum { MAX_TOKENS = 1 << 22 };

sc_code sc_listed_init(sc_listed *l, size_t n, sc_err *err)
{
    *l = (sc_listed){.bos = -1, .eos = -1};
    if (n == 0 || n > MAX_TOKENS)
        return sc_fail(err, SC_E_LIMIT, "%zu tokens, 1 to %d expected", n, MAX_TOKENS);
    l->text = sc_alloc(n, sizeof *l->text);
    l->score = sc_alloc(n, sizeof *l->score);
    l->type = sc_alloc(n, sizeof *l->type);
    l->n = n;
    return l->text && l->score && l->type ? SC_OK : sc_fail_nomem(err);
}

void sc_listed_drop(sc_listed *l)
{
    sc_free(l->text);
    sc_free(l->score);
    sc_free(l->type);
    *l = (sc_listed){0};
}

sc_code sc_tok_add_listed(sc_tok *t, const sc_listed *l, sc_err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < l->n; i++)
        bytes += l->text[i].n; // of one file
    SC_TRY(sc_vocab_init(&t->vocab, l->n, err));
    SC_TRY(sc_vocab_reserve(&t->vocab, l->n, bytes + 1, err));
    SC_TRY(sc_added_init(&t->added, err));
    for (size_t i = 0; i < l->n; i++) {
        bool is_new = true;
        SC_TRY(sc_vocab_add(&t->vocab, l->text[i], (int64_t)i, &is_new, err));
        if (!is_new)
            return sc_fail(err, SC_E_FORMAT, "token %zu: \"%.*s\" stands there before", i,
                           SC_STRF(l->text[i]));
        const uint8_t type = l->type[i];
        if ((type != SC_TOKEN_CONTROL && type != SC_TOKEN_USER && type != SC_TOKEN_UNKNOWN) ||
            l->text[i].n == 0)
            continue;
        SC_TRY(sc_vocab_add(&t->extra, l->text[i], (int64_t)i, NULL, err));
        const sc_added_token token = {.id = (int32_t)i, .special = type != SC_TOKEN_USER};
        SC_TRY_IN(sc_added_add(&t->added, token, l->text[i], NULL, err), err, "token %zu", i);
    }
    return SC_OK;
}

static int by_score_down(const void *a, const void *b)
{
    const float x = *(const float *)a;
    const float y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The number of a score among the different ones, the highest first. */
static uint32_t rank_of(const float *sorted, size_t n, float score)
{
    size_t low = 0;
    while (low < n) {
        const size_t mid = low + (n - low) / 2;
        if (sorted[mid] > score)
            low = mid + 1;
        else
            n = mid;
    }
    return (uint32_t)low;
}

/* Every way to make the token `id` of two others, under the rank of its score. */
static sc_code add_merges(sc_bpe *b, const sc_listed *l, size_t id, uint32_t rank, sc_err *err)
{
    const sc_str s = l->text[id];
    for (size_t cut = 0; cut < s.n;) {
        uint32_t point = 0;
        cut += sc_utf8_decode(sc_str_skip(s, cut), &point);
        if (cut >= s.n)
            break;
        const int32_t left = sc_vocab_find(b->vocab, (sc_str){s.p, cut});
        const int32_t right = left < 0 ? -1 : sc_vocab_find(b->vocab, sc_str_skip(s, cut));
        if (right >= 0)
            SC_TRY(sc_bpe_add(b, left, right, rank, (int32_t)id, err));
    }
    return SC_OK;
}

/*
 * SentencePiece merges the two neighbours whose union has the highest score, the leftmost of
 * equals. That is BPE with the rank of the score: equal scores have equal ranks, and the place
 * decides.
 */
static sc_code make_bpe(sc_tok *t, const sc_listed *l, sc_err *err)
{
    SC_TRY(sc_bpe_init(&t->bpe, &t->vocab, 2 * l->n, err));
    float *sorted = sc_alloc(l->n, sizeof *sorted);
    if (!sorted)
        return sc_fail_nomem(err);
    memcpy(sorted, l->score, l->n * sizeof *sorted);
    qsort(sorted, l->n, sizeof *sorted, by_score_down);
    sc_code code = SC_OK;
    for (size_t i = 0; i < l->n && code == SC_OK; i++)
        if (l->type[i] == SC_TOKEN_NORMAL || l->type[i] == SC_TOKEN_USER)
            code = add_merges(&t->bpe, l, i, rank_of(sorted, l->n, l->score[i]), err);
    sc_free(sorted);
    SC_TRY(code);
    t->bpe.byte_fallback = true;
    t->bpe.fuse_unk = true;
    for (size_t i = 0; i < l->n && t->bpe.unk < 0; i++)
        if (l->type[i] == SC_TOKEN_UNKNOWN)
            t->bpe.unk = (int32_t)i;
    t->bpe.has_unk = t->bpe.unk >= 0;
    sc_tok_use_bpe(t);
    return sc_bpe_finish(&t->bpe, err);
}

static sc_code make_unigram(sc_tok *t, const sc_listed *l, sc_err *err)
{
    int32_t unk = -1;
    bool bytes = false;
    bool *skip = sc_alloc(l->n, sizeof *skip);
    if (!skip)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < l->n; i++) {
        skip[i] = l->type[i] != SC_TOKEN_NORMAL && l->type[i] != SC_TOKEN_USER;
        bytes = bytes || l->type[i] == SC_TOKEN_BYTE;
        if (unk < 0 && l->type[i] == SC_TOKEN_UNKNOWN)
            unk = (int32_t)i;
    }
    const sc_code code = sc_unigram_init(&t->unigram, &t->vocab, l->score, skip, l->n, unk, err);
    sc_free(skip);
    SC_TRY(code);
    t->unigram.byte_fallback = bytes;
    sc_tok_use_unigram(t);
    return SC_OK;
}

#define REPLACE "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" MARK "\"}"
#define PREPEND "{\"type\":\"Prepend\",\"prepend\":\"" MARK "\"}"
#define TRIM                                                                                       \
    "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true},"                               \
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}"
#define SEQUENCE(x) "{\"type\":\"Sequence\",\"normalizers\":[" x "]}"

static sc_code make_normalizer(sc_tok *t, const sc_listed *l, sc_err *err)
{
    static const char *const json[2][2] = {
        {SEQUENCE(REPLACE), SEQUENCE(PREPEND "," REPLACE)},
        {SEQUENCE(TRIM "," REPLACE), SEQUENCE(TRIM "," PREPEND "," REPLACE)},
    };
    SC_TRY(sc_norm_parse(json[l->trim_spaces][l->prefix_space], &t->norm, err));
    if (l->charsmap.n == 0)
        return SC_OK;
    SC_AUTO(sc_charsmap) *map = NULL;
    SC_TRY(sc_charsmap_parse(l->charsmap, &map, err));
    return sc_norm_put_charsmap(&t->norm, &map, err);
}

sc_code sc_tok_from_list(const sc_listed *l, sc_tok **out, sc_err *err)
{
    static const char *const decoders[2] = {
        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK
        "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}",
        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK
        "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
        "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}",
    };
    SC_AUTO(sc_tok) *t = NULL;
    SC_TRY(sc_tok_new(&t, err));
    SC_TRY(sc_tok_add_listed(t, l, err));
    SC_TRY(make_normalizer(t, l, err));
    SC_TRY(l->unigram ? make_unigram(t, l, err) : make_bpe(t, l, err));
    SC_TRY(sc_decoder_parse(decoders[l->prefix_space], &t->decoder, err));
    SC_TRY(sc_post_init(&t->post, l->bos, l->eos, err));
    *out = sc_take(t);
    return SC_OK;
}

/* One field of a protocol buffer. */
typedef struct field {
    uint64_t number;
    uint64_t value; // of a varint
    uint32_t bits;  // of a 32-bit field
    sc_str bytes;   // of a length-delimited field
} field;

static uint64_t read_varint(sc_cur *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = sc_cur_u8(c);
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return v;
    }
    c->bad = true; // longer than 10 bytes
    return 0;
}

/* The next field; false at the end or when the bytes are none (c->bad). */
static bool next_field(sc_cur *c, field *f)
{
    if (sc_cur_left(c) == 0 || c->bad)
        return false;
    *f = (field){0};
    const uint64_t tag = read_varint(c);
    f->number = tag >> 3;
    if ((tag & 7) == 0) {
        f->value = read_varint(c);
    } else if ((tag & 7) == 1) {
        sc_cur_skip(c, 8);
    } else if ((tag & 7) == 2) {
        const uint64_t n = read_varint(c);
        const uint8_t *p = sc_cur_take(c, n);
        if (p)
            f->bytes = (sc_str){(const char *)p, (size_t)n};
    } else if ((tag & 7) == 5) {
        f->bits = sc_cur_u32(c);
    } else {
        c->bad = true;
    }
    return !c->bad;
}

/* One piece: its text, score and type. */
static bool read_piece(sc_str bytes, sc_listed *l, size_t i)
{
    sc_cur c = sc_cur_init(bytes.p, bytes.n);
    l->type[i] = SC_TOKEN_NORMAL;
    for (field f; next_field(&c, &f);) {
        if (f.number == 1)
            l->text[i] = f.bytes;
        else if (f.number == 2)
            memcpy(&l->score[i], &f.bits, sizeof l->score[i]);
        else if (f.number == 3 && f.value <= SC_TOKEN_BYTE)
            l->type[i] = (uint8_t)f.value;
    }
    return !c.bad && !isnan(l->score[i]) && sc_utf8_valid(l->text[i], NULL);
}

enum { MODEL_UNIGRAM = 1, MODEL_BPE = 2 };

static bool read_trainer(sc_str bytes, uint64_t *kind)
{
    sc_cur c = sc_cur_init(bytes.p, bytes.n);
    for (field f; next_field(&c, &f);)
        if (f.number == 3)
            *kind = f.value;
    return !c.bad;
}

static bool read_normalizer(sc_str bytes, sc_listed *l)
{
    sc_cur c = sc_cur_init(bytes.p, bytes.n);
    for (field f; next_field(&c, &f);) {
        if (f.number == 2)
            l->charsmap = f.bytes;
        else if (f.number == 3)
            l->prefix_space = f.value != 0;
        else if (f.number == 4)
            l->trim_spaces = f.value != 0;
    }
    return !c.bad;
}

/* The id of the control token `name`, or -1. */
static int32_t find_control(const sc_listed *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->type[i] == SC_TOKEN_CONTROL && sc_str_is(l->text[i], name))
            return (int32_t)i;
    return -1;
}

sc_code sc_listed_read_spm(const void *bytes, size_t n, sc_listed *out, sc_err *err)
{
    size_t n_pieces = 0;
    sc_cur c = sc_cur_init(bytes, n);
    for (field f; next_field(&c, &f);)
        n_pieces += f.number == 1;
    if (!sc_cur_ok(&c))
        return sc_fail_at(err, SC_E_FORMAT, c.pos, "not a SentencePiece model");
    SC_AUTO(sc_listed) l = {0};
    SC_TRY(sc_listed_init(&l, n_pieces, err));
    l.prefix_space = true; // what the format says when a file is silent
    l.trim_spaces = true;
    uint64_t kind = MODEL_UNIGRAM;
    size_t i = 0;
    bool good = true;
    c = sc_cur_init(bytes, n);
    for (field f; good && next_field(&c, &f);) {
        if (f.number == 1)
            good = read_piece(f.bytes, &l, i++);
        else if (f.number == 2)
            good = read_trainer(f.bytes, &kind);
        else if (f.number == 3)
            good = read_normalizer(f.bytes, &l);
    }
    if (!good)
        return sc_fail_at(err, SC_E_FORMAT, c.pos, "a bad message in a SentencePiece model");
    if (kind != MODEL_UNIGRAM && kind != MODEL_BPE)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "SentencePiece model type %u, unigram or BPE expected",
                       (unsigned)(kind & 0xFF));
    l.unigram = kind == MODEL_UNIGRAM;
    l.bos = l.unigram ? -1 : find_control(&l, "<s>");
    l.eos = l.unigram ? find_control(&l, "</s>") : -1;
    *out = l;
    l = (sc_listed){0};
    return SC_OK;
}

bool sc_listed_is_spm(const void *bytes, size_t n)
{
    // It begins with its first token: field 1, a message that begins with a text.
    const char *p = bytes;
    return n > 2 && p[0] == '\n' && p[2] == '\n';
}

sc_code sc_tok_parse_spm(const void *bytes, size_t n, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_listed) l = {0};
    SC_TRY(sc_listed_read_spm(bytes, n, &l, err));
    SC_AUTO(sc_tok) *t = NULL;
    SC_TRY(sc_tok_from_list(&l, &t, err));
    t->eos = find_control(&l, "</s>");
    SC_TRY(sc_tok_finish(t, err));
    *out = sc_take(t);
    return SC_OK;
}

static int32_t find_piece(const void *vocab, sc_str text)
{
    return sc_vocab_find(vocab, text);
}

sc_code sc_tok_add_beside(sc_tok *t, const char *dir, sc_err *err)
{
    SC_AUTO(sc_buf) json = sc_buf_init(MAX_TOKENS * (size_t)64);
    SC_AUTO(sc_tape) tape = {0};
    SC_TRY(sc_older_added(dir, NULL, find_piece, &t->vocab, &json, err));
    SC_TRY(sc_tape_parse(json.p, json.n, &tape, err));
    return sc_added_read_more(sc_tape_root(&tape), &t->vocab, &t->extra, t->norm, &t->added, err);
}
