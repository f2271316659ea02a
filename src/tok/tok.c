// SPDX-License-Identifier: MIT
#include "tok/tok.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tok/tok_impl.h"

enum {
    MIN_CACHED_TEXT = 128, // below this a cache costs more than it saves
    MAX_CACHED_PIECE = 64,
    MIN_SEEN = 64,
    MAX_SEEN = 1 << 14,
};

void sc_ids_drop(sc_ids *v)
{
    sc_free(v->p);
    *v = (sc_ids){0};
}

bool sc_ids_reserve(sc_ids *v, size_t more)
{
    size_t need = 0;
    if (!sc_add_size(v->n, more, &need) || need > SIZE_MAX / 16)
        return false;
    if (need <= v->cap)
        return true;
    size_t cap = v->cap ? v->cap : 32;
    while (cap < need)
        cap *= 2;
    int32_t *p = sc_realloc(v->p, cap, sizeof *p);
    if (!p)
        return false;
    v->p = p;
    v->cap = cap;
    return true;
}

bool sc_ids_add(sc_ids *v, int32_t id)
{
    if (v->n == v->cap && !sc_ids_reserve(v, 1))
        return false;
    v->p[v->n++] = id;
    return true;
}

sc_code sc_tok_new(sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_tok) *t = sc_new(sc_tok);
    if (!t)
        return sc_fail_nomem(err);
    t->bos = -1;
    t->eos = -1;
    t->fim = (sc_tok_fim){-1, -1, -1, -1, -1, -1};
    SC_TRY(sc_vocab_init(&t->extra, 0, err));
    *out = sc_take(t);
    return SC_OK;
}

void sc_tok_close(sc_tok *t)
{
    if (!t)
        return;
    sc_vocab_drop(&t->vocab);
    sc_vocab_drop(&t->extra);
    sc_bpe_drop(&t->bpe);
    sc_unigram_drop(&t->unigram);
    sc_word_drop(&t->word);
    sc_norm_free(t->norm);
    sc_pre_free(t->pre);
    sc_added_drop(&t->added);
    sc_post_drop(&t->post);
    sc_decoder_free(t->decoder);
    sc_free(t->special);
    sc_ids_drop(&t->stops);
    sc_free(t->chat_template);
    sc_free(t);
}

static sc_code piece_bpe(const sc_tok *t, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    return sc_bpe_encode(&t->bpe, w, s, out, err);
}

static sc_code piece_bytes(const sc_tok *t, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    return sc_bpe_encode_bytes(&t->bpe, w, s, out, err);
}

static sc_code piece_unigram(const sc_tok *t, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    return sc_unigram_encode(&t->unigram, w, s, out, err);
}

static sc_code piece_word_pieces(const sc_tok *t, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    return sc_word_encode_pieces(&t->word, w, s, out, err);
}

static sc_code piece_word(const sc_tok *t, sc_work *w, sc_str s, sc_ids *out, sc_err *err)
{
    return sc_word_encode_whole(&t->word, w, s, out, err);
}

void sc_tok_use_bpe(sc_tok *t)
{
    t->kind = "BPE";
    t->encode_piece = piece_bpe;
    // Spelling bytes as characters and looking those up is the same as looking up the bytes, as
    // long as nothing is put around characters.
    if (sc_pre_ends_in_bytes(t->pre) && !t->bpe.prefix && !t->bpe.suffix) {
        t->encode_piece = piece_bytes;
        t->bytes = true;
        t->scan = sc_pre_scanner(t->pre);
    }
}

void sc_tok_use_unigram(sc_tok *t)
{
    t->kind = "Unigram";
    t->encode_piece = piece_unigram;
}

void sc_tok_use_words(sc_tok *t, bool pieces)
{
    t->kind = pieces ? "WordPiece" : "WordLevel";
    t->encode_piece = pieces ? piece_word_pieces : piece_word;
}

/* Readies the memory of pieces for a text whose positions count from `base`. */
static sc_code ready_seen(sc_work *w, const char *base, size_t n, bool keep, sc_err *err)
{
    if (n < MIN_CACHED_TEXT && !w->n_seen) {
        w->seen_text = NULL;
        return SC_OK;
    }
    if (!w->n_seen) {
        size_t size = MIN_SEEN;
        while (size < MAX_SEEN && size < n / 4)
            size *= 2;
        w->seen = sc_alloc(size, sizeof *w->seen);
        if (!w->seen)
            return sc_fail_nomem(err);
        w->n_seen = size;
    } else if (!keep || w->seen_text != base) {
        memset(w->seen, 0, w->n_seen * sizeof *w->seen);
    }
    w->seen_text = base;
    return SC_OK;
}

/* Encodes the piece [at, at + n) of the text behind w->seen_text, or finds what it was before. */
static inline sc_code encode_seen(const sc_tok *t, sc_work *w, const char *base, size_t at,
                                  size_t n, sc_ids *out, sc_err *err)
{
    if (!w->seen_text || n > MAX_CACHED_PIECE)
        return t->encode_piece(t, w, (sc_str){base + at, n}, out, err);
    const uint64_t h = sc_vocab_hash(t->vocab.key, base + at, n);
    sc_seen *s = &w->seen[(h >> 32) & (w->n_seen - 1)];
    if (s->n == n && memcmp(base + s->at, base + at, n) == 0) {
        if (out->cap - out->n < s->n_ids && !sc_ids_reserve(out, s->n_ids))
            return sc_fail_nomem(err);
        for (uint32_t i = 0; i < s->n_ids; i++)
            out->p[out->n + i] = out->p[s->out + i];
        out->n += s->n_ids;
        return SC_OK;
    }
    const size_t from = out->n;
    SC_TRY(t->encode_piece(t, w, (sc_str){base + at, n}, out, err));
    if (out->n <= UINT32_MAX)
        *s = (sc_seen){(uint32_t)at, (uint32_t)from, (uint32_t)n, (uint32_t)(out->n - from)};
    return SC_OK;
}

/* One call of sc_tok_encode. */
typedef struct call {
    const sc_tok *t;
    sc_work *w;
    sc_str whole; // the text of the caller
    unsigned flags;
} call;

/* Cuts and encodes a text without added tokens. */
static sc_code encode_text(const call *c, sc_text text, sc_ids *out, sc_err *err)
{
    const sc_tok *t = c->t;
    sc_work *w = c->w;
    const bool inside = text.s.p >= c->whole.p && text.s.p + text.s.n <= c->whole.p + c->whole.n;
    if (t->scan) {
        // Positions count from the beginning of the whole text where the piece lies in it, so that
        // what was seen in one part helps in the next.
        const char *base = inside ? c->whole.p : text.s.p;
        const size_t from = (size_t)(text.s.p - base);
        const sc_str s = {base, from + text.s.n};
        SC_TRY(ready_seen(w, base, inside ? c->whole.n : text.s.n, inside, err));
        for (size_t at = from; at < s.n;) {
            const size_t end = t->scan(s, at);
            SC_TRY(encode_seen(t, w, base, at, end - at, out, err));
            at = end;
        }
        return SC_OK;
    }
    const sc_pieces *pieces = NULL;
    SC_TRY(sc_pre_run(t->pre, w, t->bytes, &text, &pieces, err));
    const bool cuts = !t->bytes && t->bpe.cuts;
    SC_TRY(ready_seen(w, text.s.p, cuts || pieces->n > 1 ? text.s.n : 0, false, err));
    for (size_t i = 0; i < pieces->n; i++) {
        size_t at = pieces->p[i].at;
        const sc_str s = {text.s.p, at + pieces->p[i].n};
        for (size_t end; cuts && (end = sc_bpe_cut(&t->bpe, s, at)) < s.n; at = end)
            SC_TRY(encode_seen(t, w, s.p, at, end - at, out, err));
        SC_TRY(encode_seen(t, w, s.p, at, s.n - at, out, err));
    }
    return SC_OK;
}

/* Normalizes and encodes a part without raw added tokens. */
static sc_code encode_part(const call *c, sc_text text, sc_ids *out, sc_err *err)
{
    SC_TRY(sc_norm_run(c->t->norm, c->w, &text, err));
    sc_added_iter it = sc_added_over(&c->t->added, true, text.s, (c->flags & SC_TOK_LITERAL) != 0);
    for (sc_added_part part; sc_added_next(&it, &part);) {
        if (part.id >= 0) {
            if (!sc_ids_add(out, part.id))
                return sc_fail_nomem(err);
            continue;
        }
        const sc_text one = {.s = {text.s.p + part.at, part.n},
                             .zero = text.zero > part.at ? text.zero - part.at : 0};
        SC_TRY(encode_text(c, one, out, err));
    }
    return SC_OK;
}

/* The ids of a text without what a post-processor adds. */
static sc_code encode(const sc_tok *t, sc_work *w, sc_str text, unsigned flags, sc_ids *out,
                      sc_err *err)
{
    size_t bad = 0;
    if (text.n >= SC_TOK_MAX_TEXT)
        return sc_fail(err, SC_E_LIMIT, "a text of %zu bytes, less than 2 GiB expected", text.n);
    if (!sc_utf8_valid(text, &bad))
        return sc_fail_at(err, SC_E_FORMAT, bad, "the text is not UTF-8");
    const call c = {.t = t, .w = w, .whole = text, .flags = flags};
    sc_added_iter it = sc_added_over(&t->added, false, text, (flags & SC_TOK_LITERAL) != 0);
    for (sc_added_part part; sc_added_next(&it, &part);) {
        if (part.id >= 0) {
            if (!sc_ids_add(out, part.id))
                return sc_fail_nomem(err);
            continue;
        }
        sc_text one = {.s = {text.p + part.at, part.n}};
        uint32_t point = 0;
        if (part.at == 0)
            one.zero = sc_utf8_decode(one.s, &point);
        SC_TRY(encode_part(&c, one, out, err));
    }
    return SC_OK;
}

/* Whether a template adds nothing to one text. */
static bool is_bare(const sc_post_list *list)
{
    return list->n == 1 && list->p[0].what == SC_POST_A;
}

/* Encodes one text or two and puts a template's ids around them. */
static sc_code encode_around(const sc_tok *t, const sc_post_list *list, const sc_str *text,
                             size_t n_texts, sc_ids *out, sc_err *err)
{
    sc_ids ids[2] = {{0}, {0}};
    sc_code code = SC_OK;
    for (size_t i = 0; i < n_texts && code == SC_OK; i++) {
        SC_AUTO(sc_work) w;
        sc_tok_work_init(&w);
        code = encode(t, &w, text[i], 0, &ids[i], err);
    }
    const size_t before = out->n;
    if (code == SC_OK)
        code = sc_post_run(list, &ids[0], &ids[1], out, err);
    if (code != SC_OK)
        out->n = before;
    sc_ids_drop(&ids[0]);
    sc_ids_drop(&ids[1]);
    return code;
}

sc_code sc_tok_encode(const sc_tok *t, sc_str text, unsigned flags, sc_ids *out, sc_err *err)
{
    if ((flags & SC_TOK_SPECIAL) && !(flags & SC_TOK_LITERAL) && !is_bare(&t->post.single))
        return encode_around(t, &t->post.single, &text, 1, out, err);
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_work) w;
    sc_tok_work_init(&w);
    SC_TRY(encode(t, &w, text, flags, &ids, err));
    if (flags & SC_TOK_SPECIAL) {
        const size_t before = out->n;
        const sc_code code = sc_post_run(&t->post.single, &ids, &ids, out, err);
        if (code != SC_OK)
            out->n = before;
        return code;
    }
    if (out->n == 0) {
        const sc_ids old = *out;
        *out = ids;
        ids = old;
        return SC_OK;
    }
    if (!sc_ids_reserve(out, ids.n))
        return sc_fail_nomem(err);
    if (ids.n)
        memcpy(out->p + out->n, ids.p, ids.n * sizeof *ids.p);
    out->n += ids.n;
    return SC_OK;
}

sc_code sc_tok_encode_pair(const sc_tok *t, sc_str a, sc_str b, sc_ids *out, sc_err *err)
{
    return encode_around(t, &t->post.pair, (const sc_str[]){a, b}, 2, out, err);
}

/* Whether an id has a token that shows. */
static bool shows(const sc_tok *t, int32_t id, bool skip_special)
{
    return (sc_vocab_has(&t->extra, id) || sc_vocab_has(&t->vocab, id)) &&
           !(skip_special && sc_tok_is_special(t, id));
}

/* Byte-level decoding without lists of texts: bytes first, then characters. */
static sc_code decode_bytes(const sc_tok *t, const int32_t *ids, size_t n, bool skip_special,
                            sc_buf *out, sc_err *err)
{
    SC_AUTO(sc_buf) bytes = sc_buf_init(SC_TOK_MAX_TEXT);
    for (size_t i = 0; i < n; i++) {
        if (!shows(t, ids[i], skip_special))
            continue;
        if (t->plain_added && sc_vocab_has(&t->extra, ids[i]))
            sc_buf_add_str(&bytes, sc_vocab_text(&t->extra, ids[i]));
        else
            sc_decode_spelt(&bytes, sc_tok_text(t, ids[i]));
    }
    sc_decode_lossy(out, sc_buf_str(&bytes));
    return sc_buf_ok(&bytes) && sc_buf_ok(out)
               ? SC_OK
               : sc_fail(err, SC_E_NOMEM, "out of memory for a decoded text");
}

sc_code sc_tok_decode(const sc_tok *t, const int32_t *ids, size_t n, bool skip_special, sc_buf *out,
                      sc_err *err)
{
    if (t->stream.kind == SC_STREAM_BYTES)
        return decode_bytes(t, ids, n, skip_special, out, err);
    SC_AUTO(sc_texts) texts;
    sc_texts_init(&texts);
    for (size_t i = 0; i < n; i++)
        if (shows(t, ids[i], skip_special))
            SC_TRY(sc_texts_add(&texts, sc_tok_text(t, ids[i]), err));
    return sc_decoder_run(t->decoder, &texts, out, err);
}

uint32_t sc_tok_size(const sc_tok *t)
{
    const size_t n = t->vocab.n_ids > t->extra.n_ids ? t->vocab.n_ids : t->extra.n_ids;
    return (uint32_t)n;
}

int32_t sc_tok_find(const sc_tok *t, sc_str token)
{
    const int32_t id = sc_vocab_find(&t->extra, token);
    return id >= 0 ? id : sc_vocab_find(&t->vocab, token);
}

sc_str sc_tok_text(const sc_tok *t, int32_t id)
{
    return sc_vocab_has(&t->extra, id) ? sc_vocab_text(&t->extra, id)
                                       : sc_vocab_text(&t->vocab, id);
}

bool sc_tok_is_special(const sc_tok *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->n_special && t->special[id];
}

bool sc_tok_is_added(const sc_tok *t, int32_t id)
{
    return sc_vocab_has(&t->extra, id);
}

int32_t sc_tok_bos(const sc_tok *t)
{
    return t->bos;
}

int32_t sc_tok_eos(const sc_tok *t)
{
    return t->eos;
}

const int32_t *sc_tok_stops(const sc_tok *t, size_t *n)
{
    *n = t->stops.n;
    return t->stops.p;
}

bool sc_tok_fim_ids(const sc_tok *t, sc_tok_fim *out)
{
    *out = t->fim;
    return t->fim.prefix >= 0 && t->fim.suffix >= 0 && t->fim.middle >= 0;
}

const char *sc_tok_chat_template(const sc_tok *t)
{
    return t->chat_template;
}

bool sc_tok_wants_clean_up(const sc_tok *t)
{
    return t->wants_clean_up;
}

const char *sc_tok_kind(const sc_tok *t)
{
    return t->kind;
}

/* The first of `names` that is a token, or -1. */
static int32_t find_first(const sc_tok *t, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t id = sc_tok_find(t, sc_str_c(names[i]));
        if (id >= 0)
            return id;
    }
    return -1;
}

static void find_fim(sc_tok *t)
{
    static const char *const names[][6] = {
        {"<fim_prefix>", "<fim-prefix>", "<|fim_prefix|>", "<｜fim▁begin｜>", "▁<PRE>", "[PREFIX]"},
        {"<fim_suffix>", "<fim-suffix>", "<|fim_suffix|>", "<｜fim▁hole｜>", "▁<SUF>", "[SUFFIX]"},
        {"<fim_middle>", "<fim-middle>", "<|fim_middle|>", "<｜fim▁end｜>", "▁<MID>", "[MIDDLE]"},
        {"<fim_pad>", "<fim-pad>", "<|fim_pad|>", "<|fim_pad|>", "<|fim_pad|>", "<|fim_pad|>"},
        {"<repo_name>", "<reponame>", "<|repo_name|>", "<|repo_name|>", "<|repo_name|>",
         "<|repo_name|>"},
        {"<file_sep>", "<filename>", "<|file_sep|>", "<|file_separator|>", "<|file_sep|>",
         "<|file_sep|>"},
    };
    int32_t *const ids[] = {&t->fim.prefix, &t->fim.suffix, &t->fim.middle,
                            &t->fim.pad,    &t->fim.repo,   &t->fim.file_sep};
    for (size_t i = 0; i < SC_LEN(names); i++)
        if (*ids[i] < 0)
            *ids[i] = find_first(t, names[i], SC_LEN(names[i]));
}

/* Adds an id to the list of those that end a text, once. */
static sc_code add_stop(sc_tok *t, int32_t id, sc_err *err)
{
    for (size_t i = 0; i < t->stops.n; i++)
        if (t->stops.p[i] == id)
            return SC_OK;
    return id < 0 || sc_ids_add(&t->stops, id) ? SC_OK : sc_fail_nomem(err);
}

static sc_code find_stops(sc_tok *t, sc_err *err)
{
    // What models end a text or a turn with. The first ones double as EOS where no file names it.
    static const char *const names[] = {
        "<|endoftext|>",
        "</s>",
        "<|end_of_text|>",
        "<eos>",
        "<｜end▁of▁sentence｜>",
        "<|im_end|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|EOT|>",
        "<end_of_turn>",
        "<|end_of_turn|>",
        "<|end|>",
        "▁<EOT>",
        "<|endofmask|>",
    };
    for (size_t i = 0; i < SC_LEN(names); i++) {
        const int32_t id = sc_tok_find(t, sc_str_c(names[i]));
        if (id < 0 || !sc_tok_is_special(t, id))
            continue;
        if (t->eos < 0 && i < 5)
            t->eos = id;
        SC_TRY(add_stop(t, id, err));
    }
    return add_stop(t, t->eos, err);
}

sc_code sc_tok_finish(sc_tok *t, sc_err *err)
{
    t->stream = sc_decoder_stream(t->decoder);
    t->n_special = sc_tok_size(t);
    sc_free(t->special);
    t->special = sc_alloc(t->n_special ? t->n_special : 1, 1);
    if (!t->special)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < t->added.n; i++)
        if (t->added.token[i].special && (size_t)t->added.token[i].id < t->n_special)
            t->special[t->added.token[i].id] = 1;
    if (t->bos < 0)
        for (size_t i = 0; i < t->post.single.n && t->post.single.p[i].what == SC_POST_ID; i++)
            t->bos = t->bos < 0 ? t->post.single.p[i].id : t->bos;
    find_fim(t);
    return find_stops(t, err);
}
