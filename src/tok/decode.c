// SPDX-License-Identifier: MIT
#include "tok/decode.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tok/bpe.h"
#include "tok/component.h"
#include "tok/regex.h"
#include "tok/tok.h"

enum { MAX_STEPS = 64 };

#define REPLACEMENT "\xEF\xBF\xBD"

typedef struct step step;

/* What a step is told beside the tokens. */
typedef struct place {
    bool first; // the first token here is the first of all
    bool last;  // the last token here is the last of all
    sc_regex_run *run;
} place;

typedef sc_code step_fn(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                        sc_err *err);

struct step {
    step_fn *run;
    char *find; // owned; a literal, a prefix, a suffix, the pad token, a replacement character
    size_t n_find;
    char *with; // owned
    size_t n_with;
    sc_regex *re; // owned
    uint32_t point;
    size_t start;
    size_t stop;
    bool cleanup;
    bool prefixed; // Metaspace: the first token may have a mark that stands for nothing
};

struct sc_decoder {
    step step[MAX_STEPS];
    size_t n;
};

void sc_texts_init(sc_texts *t)
{
    *t = (sc_texts){.text = sc_buf_init(SC_TOK_MAX_TEXT * 2 - 1)};
}

void sc_texts_drop(sc_texts *t)
{
    sc_buf_drop(&t->text);
    sc_free(t->part.p);
    *t = (sc_texts){0};
}

void sc_texts_clear(sc_texts *t)
{
    sc_buf_clear(&t->text);
    t->part.n = 0;
}

/* A token that ends where the text ends and begins at `from`. */
static sc_code end_text(sc_texts *t, size_t from, sc_err *err)
{
    sc_pieces *v = &t->part;
    if (!sc_buf_ok(&t->text))
        return sc_fail(err, SC_E_NOMEM, "out of memory for a decoded text");
    if (v->n == v->cap && !sc_grow(&v->p, &v->cap, v->n, SC_TOK_MAX_TEXT, sizeof *v->p))
        return sc_fail_nomem(err);
    v->p[v->n++] = (sc_piece){(uint32_t)from, (uint32_t)(t->text.n - from)};
    return SC_OK;
}

sc_code sc_texts_add(sc_texts *t, sc_str s, sc_err *err)
{
    const size_t from = t->text.n;
    sc_buf_add_str(&t->text, s);
    return end_text(t, from, err);
}

static sc_str text_at(const sc_texts *t, size_t i)
{
    return (sc_str){sc_buf_text(&t->text) + t->part.p[i].at, t->part.p[i].n};
}

void sc_decode_lossy(sc_buf *out, sc_str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(sc_str_skip(s, i), &point);
        if (point == SC_UTF8_BAD)
            sc_buf_add_c(out, REPLACEMENT);
        else
            sc_buf_add(out, s.p + i, n);
        i += n;
    }
}

void sc_decode_spelt(sc_buf *out, sc_str token)
{
    const size_t from = out->n;
    for (size_t i = 0; i < token.n;) {
        uint32_t point = 0;
        i += sc_utf8_decode(sc_str_skip(token, i), &point);
        const int byte = sc_bpe_byte_of(point);
        if (byte < 0) {
            if (!out->bad)
                out->n = from;
            sc_buf_add_str(out, token);
            return;
        }
        sc_buf_add_char(out, (char)byte);
    }
}

static sc_code run_bytes(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                         sc_err *err)
{
    (void)s;
    (void)at;
    SC_AUTO(sc_buf) bytes = sc_buf_init(SC_TOK_MAX_TEXT * 2 - 1);
    for (size_t i = 0; i < in->part.n; i++)
        sc_decode_spelt(&bytes, text_at(in, i));
    if (!sc_buf_ok(&bytes))
        return sc_fail(err, SC_E_NOMEM, "out of memory for a decoded text");
    sc_decode_lossy(&out->text, sc_buf_str(&bytes));
    return end_text(out, 0, err);
}

/* A run of byte tokens: text if it is UTF-8, else one U+FFFD a byte. */
static sc_code end_run(sc_texts *out, sc_buf *run, sc_err *err)
{
    if (run->n == 0)
        return SC_OK;
    if (sc_utf8_valid(sc_buf_str(run), NULL)) {
        SC_TRY(sc_texts_add(out, sc_buf_str(run), err));
    } else {
        for (size_t i = 0; i < run->n; i++)
            SC_TRY(sc_texts_add(out, sc_str_c(REPLACEMENT), err));
    }
    sc_buf_clear(run);
    return SC_OK;
}

static sc_code run_fallback(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                            sc_err *err)
{
    (void)s;
    (void)at;
    SC_AUTO(sc_buf) run = sc_buf_init(SC_TOK_MAX_TEXT);
    for (size_t i = 0; i < in->part.n; i++) {
        unsigned char byte = 0;
        if (sc_bpe_is_byte_token(text_at(in, i), &byte)) {
            sc_buf_add_char(&run, (char)byte);
            continue;
        }
        SC_TRY(end_run(out, &run, err));
        SC_TRY(sc_texts_add(out, text_at(in, i), err));
    }
    if (!sc_buf_ok(&run))
        return sc_fail_nomem(err);
    return end_run(out, &run, err);
}

static sc_code run_fuse(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                        sc_err *err)
{
    (void)s;
    (void)at;
    for (size_t i = 0; i < in->part.n; i++)
        sc_buf_add_str(&out->text, text_at(in, i));
    return end_text(out, 0, err);
}

/* `s` without up to `start` characters `point` in front and `stop` behind. */
static sc_str strip(sc_str s, uint32_t point, size_t start, size_t stop)
{
    char bytes[4];
    const sc_str c = {bytes, sc_utf8_encode(point, bytes)};
    for (; start > 0 && sc_str_starts(s, c); start--)
        s = sc_str_skip(s, c.n);
    for (; stop > 0 && sc_str_ends(s, c); stop--)
        s.n -= c.n;
    return s;
}

static sc_code run_strip(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                         sc_err *err)
{
    (void)at;
    for (size_t i = 0; i < in->part.n; i++)
        SC_TRY(sc_texts_add(out, strip(text_at(in, i), s->point, s->start, s->stop), err));
    return SC_OK;
}

/* Appends `s` with every `find` replaced; an empty one stands around every character. */
static void add_replaced(sc_buf *out, sc_str s, sc_str find, sc_str with)
{
    for (size_t n = 0; find.n == 0 && s.n; s = sc_str_skip(s, n)) {
        uint32_t point = 0;
        n = sc_utf8_decode(s, &point);
        sc_buf_add_str(out, with);
        sc_buf_add(out, s.p, n);
    }
    if (find.n == 0)
        sc_buf_add_str(out, with);
    while (s.n) {
        const char *hit = find.n ? memmem(s.p, s.n, find.p, find.n) : NULL;
        const size_t n = hit ? (size_t)(hit - s.p) : s.n;
        sc_buf_add(out, s.p, n);
        if (hit)
            sc_buf_add_str(out, with);
        s = sc_str_skip(s, n + (hit ? find.n : 0));
    }
}

static sc_code run_replace(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                           sc_err *err)
{
    const sc_str find = {s->find, s->n_find};
    const sc_str with = {s->with, s->n_with};
    for (size_t i = 0; i < in->part.n; i++) {
        const sc_str text = text_at(in, i);
        const size_t start = out->text.n;
        if (!s->re || text.n == 0) {
            if (text.n) // in an empty text the library looks for nothing
                add_replaced(&out->text, text, find, with);
            SC_TRY(end_text(out, start, err));
            continue;
        }
        sc_regex_iter it = sc_regex_over(s->re, at->run, text);
        size_t from = 0;
        for (bool hit = true; hit;) {
            SC_TRY(sc_regex_next(&it, &hit, err));
            const size_t to = hit ? it.start : text.n;
            sc_buf_add(&out->text, text.p + from, to - from);
            if (hit)
                sc_buf_add_str(&out->text, with);
            from = it.end;
        }
        SC_TRY(end_text(out, start, err));
    }
    return SC_OK;
}

static sc_code run_metaspace(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                             sc_err *err)
{
    for (size_t i = 0; i < in->part.n; i++) {
        const size_t from = out->text.n;
        const bool bare = i == 0 && at->first && s->prefixed;
        add_replaced(&out->text, text_at(in, i), (sc_str){s->find, s->n_find},
                     bare ? SC_STR("") : SC_STR(" "));
        SC_TRY(end_text(out, from, err));
    }
    return SC_OK;
}

/* Applies the clean-up of spaces to what stands in `text` from byte `from` on. */
static sc_code clean(sc_buf *text, size_t from, bool do_not, sc_err *err)
{
    static const char *const rules[][2] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    SC_AUTO(sc_buf) a = sc_buf_init(SC_TOK_MAX_TEXT);
    for (size_t i = 0; i < SC_LEN(rules); i++) {
        if (!do_not && i == 7)
            continue;
        sc_buf_clear(&a);
        add_replaced(&a, sc_str_skip(sc_buf_str(text), from), sc_str_c(rules[i][0]),
                     sc_str_c(rules[i][1]));
        if (!sc_buf_ok(&a) || !sc_buf_ok(text))
            return sc_fail_nomem(err);
        text->n = from; // a rule never makes a text longer
        sc_buf_add_str(text, sc_buf_str(&a));
    }
    return SC_OK;
}

sc_code sc_tok_clean_up(sc_buf *text, size_t from, sc_err *err)
{
    return clean(text, from, false, err);
}

static sc_code run_wordpiece(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                             sc_err *err)
{
    const sc_str prefix = {s->find, s->n_find};
    for (size_t i = 0; i < in->part.n; i++) {
        sc_str text = text_at(in, i);
        const size_t from = out->text.n;
        if (i > 0 || !at->first) {
            if (sc_str_starts(text, prefix))
                text = sc_str_skip(text, prefix.n);
            else
                sc_buf_add_char(&out->text, ' ');
        }
        sc_buf_add_str(&out->text, text);
        if (s->cleanup)
            SC_TRY(clean(&out->text, from, true, err));
        SC_TRY(end_text(out, from, err));
    }
    return SC_OK;
}

static sc_code run_bpe(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                       sc_err *err)
{
    for (size_t i = 0; i < in->part.n; i++) {
        const size_t from = out->text.n;
        const bool last = i + 1 == in->part.n && at->last;
        add_replaced(&out->text, text_at(in, i), (sc_str){s->find, s->n_find},
                     last ? SC_STR("") : SC_STR(" "));
        SC_TRY(end_text(out, from, err));
    }
    return SC_OK;
}

static sc_code run_ctc(const step *s, const place *at, const sc_texts *in, sc_texts *out,
                       sc_err *err)
{
    (void)at;
    SC_AUTO(sc_buf) a = sc_buf_init(SC_TOK_MAX_TEXT);
    for (size_t i = 0; i < in->part.n; i++) {
        if (i > 0 && sc_str_eq(text_at(in, i), text_at(in, i - 1)))
            continue;
        const size_t from = out->text.n;
        add_replaced(&out->text, text_at(in, i), (sc_str){s->find, s->n_find}, SC_STR(""));
        if (s->cleanup) {
            SC_TRY(clean(&out->text, from, true, err));
            sc_buf_clear(&a);
            if (sc_buf_ok(&out->text))
                add_replaced(&a, sc_str_skip(sc_buf_str(&out->text), from),
                             (sc_str){s->with, s->n_with}, SC_STR(" "));
            if (!sc_buf_ok(&a) || !sc_buf_ok(&out->text))
                return sc_fail_nomem(err);
            out->text.n = from;
            sc_buf_add_str(&out->text, sc_buf_str(&a));
        }
        if (out->text.n > from)
            SC_TRY(end_text(out, from, err));
    }
    return SC_OK;
}

/* Runs all steps; the result is in *in. */
static sc_code run_all(const sc_decoder *d, place *at, sc_texts *in, sc_err *err)
{
    SC_AUTO(sc_texts) other;
    sc_texts_init(&other);
    for (size_t i = 0; i < d->n; i++) {
        sc_texts_clear(&other);
        SC_TRY(d->step[i].run(&d->step[i], at, in, &other, err));
        const sc_texts was = *in;
        *in = other;
        other = was;
    }
    return SC_OK;
}

sc_code sc_decoder_run(const sc_decoder *d, sc_texts *in, sc_buf *out, sc_err *err)
{
    if (d && in->part.n) {
        sc_regex_run run = {0};
        place at = {.first = true, .last = true, .run = &run};
        const sc_code code = run_all(d, &at, in, err);
        sc_regex_run_drop(&run);
        SC_TRY(code);
    }
    for (size_t i = 0; i < in->part.n; i++) {
        if (!d && i > 0)
            sc_buf_add_char(out, ' ');
        sc_buf_add_str(out, text_at(in, i));
    }
    return sc_buf_ok(out) ? SC_OK : sc_fail(err, SC_E_NOMEM, "out of memory for a decoded text");
}

sc_code sc_decoder_token(const sc_decoder *d, sc_str token, bool first, sc_buf *out, sc_err *err)
{
    SC_AUTO(sc_texts) one;
    sc_texts_init(&one);
    SC_TRY(sc_texts_add(&one, token, err));
    sc_regex_run run = {0};
    place at = {.first = first, .last = false, .run = &run};
    const sc_code code = run_all(d, &at, &one, err);
    sc_regex_run_drop(&run);
    SC_TRY(code);
    for (size_t i = 0; i < one.part.n; i++)
        sc_buf_add_str(out, text_at(&one, i));
    return SC_OK;
}

/* Whether the steps are a literal Replace, ByteFallback, Fuse and a Strip in front, in that order.
 */
static bool is_plain(const sc_decoder *d, sc_stream *out)
{
    bool fused = false;
    for (size_t i = 0; i < d->n; i++) {
        const step *s = &d->step[i];
        if (s->run == run_replace && !s->re && !out->find.n && !out->fallback && !fused) {
            out->find = (sc_str){s->find, s->n_find};
            out->with = (sc_str){s->with, s->n_with};
        } else if (s->run == run_fallback && !fused) {
            out->fallback = true;
        } else if (s->run == run_fuse) {
            fused = true;
        } else if (s->run == run_strip && fused && !s->stop && !out->strip) {
            out->strip = (uint32_t)s->start;
            out->strip_point = s->point;
        } else {
            return false;
        }
    }
    return true;
}

sc_stream sc_decoder_stream(const sc_decoder *d)
{
    if (!d)
        return (sc_stream){.kind = SC_STREAM_SPACED};
    const step *s = &d->step[0];
    if (d->n == 1 && s->run == run_bytes)
        return (sc_stream){.kind = SC_STREAM_BYTES};
    if (d->n == 1 && s->run == run_metaspace)
        return (sc_stream){.kind = SC_STREAM_PLAIN,
                           .find = {s->find, s->n_find},
                           .with = SC_STR(" "),
                           .first_bare = s->prefixed};
    sc_stream plain = {.kind = SC_STREAM_PLAIN};
    if (is_plain(d, &plain))
        return plain;
    sc_stream other = {.kind = SC_STREAM_OTHER};
    for (size_t i = 0; i < d->n; i++) {
        other.trailing_gap = other.trailing_gap || d->step[i].run == run_bpe;
        other.dedup = other.dedup || d->step[i].run == run_ctc;
    }
    return other;
}

void sc_decoder_free(sc_decoder *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++) {
        sc_free(d->step[i].find);
        sc_free(d->step[i].with);
        sc_regex_free(d->step[i].re);
    }
    sc_free(d);
}

static sc_code add_step(sc_decoder *d, step_fn *run, step **out, sc_err *err)
{
    if (d->n == MAX_STEPS)
        return sc_fail(err, SC_E_LIMIT, "more than %d decoders", MAX_STEPS);
    *out = &d->step[d->n++];
    **out = (step){.run = run};
    return SC_OK;
}

/* The string `key`, or `standard`, which may be NULL: then it must be there. */
static sc_code copy_text(sc_tv v, const char *key, const char *standard, char **out, size_t *n,
                         sc_err *err)
{
    sc_str s = standard ? sc_str_c(standard) : (sc_str){NULL, 0};
    SC_TRY(sc_tv_get_str(v, key, &s, err));
    if (!s.p)
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is missing", key);
    *out = sc_strndup(s.p, s.n);
    *n = s.n;
    return *out ? SC_OK : sc_fail_nomem(err);
}

static sc_code read_bytes(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    (void)v;
    return add_step(d, run_bytes, &s, err);
}

static sc_code read_fallback(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    (void)v;
    return add_step(d, run_fallback, &s, err);
}

static sc_code read_fuse(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    (void)v;
    return add_step(d, run_fuse, &s, err);
}

static sc_code read_strip(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    sc_str content = {NULL, 0};
    int64_t start = 0;
    int64_t stop = 0;
    SC_TRY(add_step(d, run_strip, &s, err));
    SC_TRY(sc_tv_get_str(v, "content", &content, err));
    SC_TRY(sc_tv_get_int(v, "start", 0, INT32_MAX, &start, err));
    SC_TRY(sc_tv_get_int(v, "stop", 0, INT32_MAX, &stop, err));
    if (content.n == 0 || sc_utf8_decode(content, &s->point) != content.n)
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"content\" is not one character");
    s->start = (size_t)start;
    s->stop = (size_t)stop;
    return SC_OK;
}

static sc_code read_replace(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(d, run_replace, &s, err));
    SC_TRY(copy_text(v, "content", NULL, &s->with, &s->n_with, err));
    const sc_tv pattern = sc_tv_get(v, "pattern");
    const sc_tv regex = sc_tv_get(pattern, "Regex");
    if (sc_tv_is(regex, SC_TAPE_STRING))
        return sc_regex_new(sc_tv_str(regex), false, &s->re, err);
    if (!sc_tv_is(sc_tv_get(pattern, "String"), SC_TAPE_STRING))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at,
                          "\"pattern\" is neither a String nor a Regex");
    SC_TRY(copy_text(pattern, "String", NULL, &s->find, &s->n_find, err));
    return s->n_find ? SC_OK : sc_regex_new((sc_str){"", 0}, false, &s->re, err);
}

static sc_code read_metaspace(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    sc_str when = {NULL, 0};
    SC_TRY(add_step(d, run_metaspace, &s, err));
    SC_TRY(copy_text(v, "replacement", NULL, &s->find, &s->n_find, err));
    s->prefixed = true;
    SC_TRY(sc_tv_get_bool(v, "add_prefix_space", &s->prefixed, err));
    SC_TRY(sc_tv_get_str(v, "prepend_scheme", &when, err));
    if (when.p)
        s->prefixed = !sc_str_is(when, "never");
    return SC_OK;
}

static sc_code read_wordpiece(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(d, run_wordpiece, &s, err));
    SC_TRY(copy_text(v, "prefix", "##", &s->find, &s->n_find, err));
    s->cleanup = true;
    return sc_tv_get_bool(v, "cleanup", &s->cleanup, err);
}

static sc_code read_bpe(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(d, run_bpe, &s, err));
    return copy_text(v, "suffix", "</w>", &s->find, &s->n_find, err);
}

static sc_code read_ctc(sc_tv v, void *d, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(d, run_ctc, &s, err));
    SC_TRY(copy_text(v, "pad_token", "<pad>", &s->find, &s->n_find, err));
    SC_TRY(copy_text(v, "word_delimiter_token", "|", &s->with, &s->n_with, err));
    s->cleanup = true;
    return sc_tv_get_bool(v, "cleanup", &s->cleanup, err);
}

static const sc_component kinds[] = {
    {"ByteLevel", read_bytes},
    {"ByteFallback", read_fallback},
    {"Fuse", read_fuse},
    {"Strip", read_strip},
    {"Replace", read_replace},
    {"Metaspace", read_metaspace},
    {"WordPiece", read_wordpiece},
    {"BPEDecoder", read_bpe},
    {"CTC", read_ctc},
    {NULL, NULL},
};

sc_code sc_decoder_read(sc_tv v, sc_decoder **out, sc_err *err)
{
    if (!sc_tv_has(v)) {
        *out = NULL;
        return SC_OK;
    }
    SC_AUTO(sc_decoder) *d = sc_new(sc_decoder);
    if (!d)
        return sc_fail_nomem(err);
    SC_TRY_IN(sc_component_read(v, kinds, "decoders", d, err), err, "decoder");
    *out = sc_take(d);
    return SC_OK;
}

static sc_code read_root(sc_tv v, void *out, sc_err *err)
{
    return sc_decoder_read(v, out, err);
}

sc_code sc_decoder_parse(const char *json, sc_decoder **out, sc_err *err)
{
    return sc_component_parse(json, read_root, out, err);
}
