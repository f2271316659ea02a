// SPDX-License-Identifier: MIT
#include "tok/pre.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tok/bpe.h"
#include "tok/component.h"
#include "tok/norm.h"
#include "tok/unicode.h"

enum { MAX_STEPS = 64 };

typedef enum behavior { ISOLATED, REMOVED, MERGED_PREVIOUS, MERGED_NEXT, CONTIGUOUS } behavior;
typedef enum scheme { ALWAYS, FIRST, NEVER } scheme;

typedef struct step step;

/* The pieces of one text, on their way from one step to the next. */
typedef struct state {
    sc_work *w;
    sc_text text;
    unsigned pieces; // which of w->pieces is read
    unsigned buf;    // which of w->pre is written next
} state;

typedef sc_code step_fn(const step *s, state *st, sc_err *err);

struct step {
    step_fn *run;
    behavior how;
    bool invert;
    sc_regex *re;      // owned
    unsigned flag;     // of unicode.h: a split at single characters
    uint32_t point;    // a split at this character, when flag is 0 and re is NULL
    bool use_regex;    // ByteLevel
    bool prefix_space; // ByteLevel
    bool bytes;        // ByteLevel: spells bytes at last
    scheme when;       // Metaspace
    bool split;        // Metaspace
    char mark[8];      // Metaspace: the replacement
    size_t n_mark;
    size_t length; // FixedLength
    char *source;  // owned: the pattern, to tell the known ones
};

struct sc_pre {
    step step[MAX_STEPS];
    size_t n;
};

void sc_pre_free(sc_pre *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++) {
        sc_regex_free(p->step[i].re);
        sc_free(p->step[i].source);
    }
    sc_free(p);
}

static uint32_t point_at(sc_str s, size_t at, size_t *n)
{
    uint32_t c = 0;
    *n = sc_utf8_decode(sc_str_skip(s, at), &c);
    return c;
}

/* Joins what matched and what lies between into pieces, as a behaviour says. */
typedef struct splitter {
    sc_pieces *out;
    behavior how;
    bool invert;
    size_t base;  // of the text that is split, in the whole
    bool pending; // a piece that may still grow:
    size_t from;
    size_t end;
    bool before; // the part before this one was a match
} splitter;

static sc_code flush(splitter *s, sc_err *err)
{
    if (s->pending)
        SC_TRY(sc_pieces_add(s->out, s->base + s->from, s->end - s->from, err));
    s->pending = false;
    return SC_OK;
}

/* A piece that may still grow at its end. */
static sc_code begin(splitter *s, size_t from, size_t end, sc_err *err)
{
    SC_TRY(flush(s, err));
    s->pending = true;
    s->from = from;
    s->end = end;
    return SC_OK;
}

/*
 * The next part, [from, end). Parts come in order. MERGED_NEXT is decided when the part behind is
 * seen: a match in front of a gap grows into it, and of several matches in a row only the last
 * does.
 */
static sc_code add_part(splitter *s, size_t from, size_t end, bool match, sc_err *err)
{
    if (s->invert)
        match = !match;
    bool grow = false;
    switch (s->how) {
    case ISOLATED:
        break;
    case REMOVED:
        if (match)
            return flush(s, err);
        break;
    case CONTIGUOUS:
        grow = match == s->before;
        break;
    case MERGED_PREVIOUS:
        grow = match && !s->before;
        break;
    case MERGED_NEXT:
        grow = s->before && !match;
        break;
    }
    s->before = match;
    if (grow && s->pending) {
        s->end = end;
        return SC_OK;
    }
    return begin(s, from, end, err);
}

static sc_code split_by_regex(const step *st, splitter *s, sc_work *w, sc_str text, sc_err *err)
{
    sc_regex_iter it = sc_regex_over(st->re, &w->run, text);
    size_t from = 0;
    for (;;) {
        bool hit = false;
        SC_TRY(sc_regex_next(&it, &hit, err));
        if (!hit)
            break;
        if (from != it.start)
            SC_TRY(add_part(s, from, it.start, false, err));
        SC_TRY(add_part(s, it.start, it.end, true, err));
        from = it.end;
    }
    return from != text.n ? add_part(s, from, text.n, false, err) : SC_OK;
}

static sc_code split_by_char(const step *st, splitter *s, sc_str text, sc_err *err)
{
    size_t from = 0;
    for (size_t at = 0; at < text.n;) {
        size_t n = 0;
        const uint32_t c = point_at(text, at, &n);
        const bool match = st->flag ? (sc_uni_flags(c) & st->flag) != 0 : c == st->point;
        if (match) {
            if (from < at)
                SC_TRY(add_part(s, from, at, false, err));
            SC_TRY(add_part(s, at, at + n, true, err));
            from = at + n;
        }
        at += n;
    }
    return from < text.n ? add_part(s, from, text.n, false, err) : SC_OK;
}

/* The pieces that the next step reads become empty and the other list is read. */
static sc_pieces *turn(state *st)
{
    st->pieces ^= 1;
    st->w->pieces[st->pieces].n = 0;
    return &st->w->pieces[st->pieces];
}

static sc_str piece_text(const state *st, sc_piece p)
{
    return (sc_str){st->text.s.p + p.at, p.n};
}

/* Split, Digits, Punctuation, CharDelimiterSplit, WhitespaceSplit */
static sc_code run_split(const step *s, state *st, sc_err *err)
{
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        splitter sp = {.out = out, .how = s->how, .invert = s->invert, .base = in->p[i].at};
        SC_TRY(s->re ? split_by_regex(s, &sp, st->w, text, err) : split_by_char(s, &sp, text, err));
        SC_TRY(flush(&sp, err));
    }
    return SC_OK;
}

/* \w+|[^\w\s]+ */
static sc_code run_whitespace(const step *s, state *st, sc_err *err)
{
    (void)s;
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        size_t from = 0;
        unsigned before = SC_UNI_SPACE;
        for (size_t at = 0, n = 0; at <= text.n; at += n) {
            unsigned now = SC_UNI_SPACE;
            n = 1;
            if (at < text.n)
                now = sc_uni_flags(point_at(text, at, &n)) & (SC_UNI_WORD2 | SC_UNI_SPACE);
            if (now == before)
                continue;
            if (before != SC_UNI_SPACE)
                SC_TRY(sc_pieces_add(out, in->p[i].at + from, at - from, err));
            from = at;
            before = now;
        }
    }
    return SC_OK;
}

static sc_code run_scripts(const step *s, state *st, sc_err *err)
{
    (void)s;
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        size_t from = text.n; // what stands before the first character with a script is dropped
        int before = -1;
        for (size_t at = 0, n = 0; at < text.n; at += n) {
            const int now = sc_uni_script(point_at(text, at, &n));
            if (now < 0)
                continue;
            if (now != before) {
                if (from < at)
                    SC_TRY(sc_pieces_add(out, in->p[i].at + from, at - from, err));
                from = at;
            }
            before = now;
        }
        SC_TRY(sc_pieces_add(out, in->p[i].at + from, text.n - from, err));
    }
    return SC_OK;
}

static sc_code run_fixed(const step *s, state *st, sc_err *err)
{
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        size_t from = 0;
        size_t count = 0;
        for (size_t at = 0, n = 0; at < text.n; at += n) {
            if (count == s->length) {
                SC_TRY(sc_pieces_add(out, in->p[i].at + from, at - from, err));
                from = at;
                count = 0;
            }
            (void)point_at(text, at, &n);
            count++;
        }
        SC_TRY(sc_pieces_add(out, in->p[i].at + from, text.n - from, err));
    }
    return SC_OK;
}

/* Begins to write the text anew. */
static sc_emit rewrite(state *st)
{
    sc_buf *out = &st->w->pre[st->buf];
    st->buf ^= 1;
    sc_buf_clear(out);
    return (sc_emit){.out = out, .zero_in = st->text.zero};
}

static sc_code rewritten(state *st, const sc_emit *e, sc_err *err)
{
    if (!sc_buf_ok(e->out))
        return sc_fail(err, SC_E_NOMEM, "out of memory for a text in pieces");
    st->text = (sc_text){sc_buf_str(e->out), e->zero_out};
    return SC_OK;
}

/* A space in front of every piece that has none. */
static sc_code add_prefix_spaces(state *st, sc_err *err)
{
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    sc_emit e = rewrite(st);
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        const size_t from = e.out->n;
        if (text.p[0] != ' ')
            sc_emit_add(&e, " ", 1, in->p[i].at);
        for (size_t at = 0; at < text.n; at++)
            sc_emit_add(&e, text.p + at, 1, in->p[i].at + at);
        SC_TRY(sc_pieces_add(out, from, e.out->n - from, err));
    }
    return rewritten(st, &e, err);
}

static sc_code spell_bytes(state *st, sc_err *err)
{
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    sc_emit e = rewrite(st);
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        const size_t from = e.out->n;
        for (size_t at = 0; at < text.n; at++) {
            char spelt[2];
            const size_t n = sc_bpe_spell_byte((unsigned char)text.p[at], spelt);
            sc_emit_add(&e, spelt, n, in->p[i].at + at);
        }
        SC_TRY(sc_pieces_add(out, from, e.out->n - from, err));
    }
    return rewritten(st, &e, err);
}

static sc_code run_bytes(const step *s, state *st, sc_err *err)
{
    if (s->prefix_space)
        SC_TRY(add_prefix_spaces(st, err));
    if (s->use_regex)
        SC_TRY(run_split(s, st, err));
    return s->bytes ? spell_bytes(st, err) : SC_OK;
}

/* Cuts in front of every mark, as MERGED_NEXT does. */
static sc_code cut_at_marks(const step *s, sc_str text, size_t base, sc_pieces *out, sc_err *err)
{
    size_t from = 0;
    for (size_t at = 0; at < text.n;) {
        const char *hit = memmem(text.p + at, text.n - at, s->mark, s->n_mark);
        if (!hit)
            break;
        at = (size_t)(hit - text.p);
        SC_TRY(sc_pieces_add(out, base + from, at - from, err));
        from = at;
        at += s->n_mark;
    }
    return sc_pieces_add(out, base + from, text.n - from, err);
}

static sc_code run_metaspace(const step *s, state *st, sc_err *err)
{
    const sc_pieces *in = &st->w->pieces[st->pieces];
    sc_pieces *out = turn(st);
    sc_emit e = rewrite(st);
    const sc_str mark = {s->mark, s->n_mark};
    for (size_t i = 0; i < in->n; i++) {
        const sc_str text = piece_text(st, in->p[i]);
        const size_t from = e.out->n;
        const size_t base = in->p[i].at;
        const bool marked = text.p[0] == ' ' || sc_str_starts(text, mark);
        if (!marked && (s->when == ALWAYS || (s->when == FIRST && base < st->text.zero)))
            sc_emit_add(&e, mark.p, mark.n, base);
        for (size_t at = 0; at < text.n;) {
            if (text.p[at] == ' ') {
                sc_emit_add(&e, mark.p, mark.n, base + at++);
                continue;
            }
            size_t end = at + 1;
            while (end < text.n && text.p[end] != ' ' && base + end >= st->text.zero)
                end++;
            sc_emit_add(&e, text.p + at, end - at, base + at);
            at = end;
        }
        if (!sc_buf_ok(e.out))
            break;
        if (!s->split)
            SC_TRY(sc_pieces_add(out, from, e.out->n - from, err));
        else
            SC_TRY(cut_at_marks(s, sc_str_skip(sc_buf_str(e.out), from), from, out, err));
    }
    return rewritten(st, &e, err);
}

sc_code sc_pre_run(const sc_pre *p, sc_work *w, bool raw, sc_text *text, const sc_pieces **pieces,
                   sc_err *err)
{
    state st = {.w = w, .text = *text};
    w->pieces[0].n = 0;
    SC_TRY(sc_pieces_add(&w->pieces[0], 0, text->s.n, err));
    for (size_t i = 0; p && i < p->n; i++) {
        step s = p->step[i];
        if (raw && i + 1 == p->n)
            s.bytes = false;
        SC_TRY(s.run(&s, &st, err));
    }
    *text = st.text;
    *pieces = &w->pieces[st.pieces];
    return SC_OK;
}

bool sc_pre_ends_in_bytes(const sc_pre *p)
{
    if (!p || p->n == 0)
        return false;
    for (size_t i = 0; i + 1 < p->n; i++)
        if (p->step[i].bytes)
            return false;
    return p->step[p->n - 1].bytes;
}

/* Whether `s` is a split of that pattern with pieces isolated. */
static bool is_split(const step *s, const char *pattern)
{
    return s->run == run_split && s->source && s->how == ISOLATED && !s->invert &&
           strcmp(s->source, pattern) == 0;
}

static bool is_single_digits(const step *s)
{
    return s->run == run_split && s->flag == SC_UNI_DIGIT && s->how == ISOLATED;
}

static bool is_deepseek(const sc_pre *p)
{
    return p->n == 6 && is_split(&p->step[0], "[\r\n]") && is_split(&p->step[1], "\\s?\\p{L}+") &&
           is_split(&p->step[2], "\\s?\\p{P}+") &&
           is_split(&p->step[3], "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+") &&
           is_single_digits(&p->step[4]);
}

sc_scan_fn *sc_pre_scanner(const sc_pre *p)
{
    if (!sc_pre_ends_in_bytes(p))
        return NULL;
    const step *last = &p->step[p->n - 1];
    if (last->prefix_space)
        return NULL;
    if (last->use_regex) {
        if (p->n == 1)
            return sc_scan_gpt2;
        return p->n == 2 && is_single_digits(&p->step[0]) ? sc_scan_starcoder : NULL;
    }
    if (p->n == 2 && is_split(&p->step[0], sc_scan_qwen2_pattern))
        return sc_scan_qwen2;
    if (p->n == 2 && is_split(&p->step[0], sc_scan_llama3_pattern))
        return sc_scan_llama3;
    return is_deepseek(p) ? sc_scan_deepseek : NULL;
}

static sc_code add_step(sc_pre *p, step_fn *run, step **out, sc_err *err)
{
    if (p->n == MAX_STEPS)
        return sc_fail(err, SC_E_LIMIT, "more than %d pre-tokenizers", MAX_STEPS);
    *out = &p->step[p->n++];
    **out = (step){.run = run};
    return SC_OK;
}

/* A required member. */
static sc_code need(sc_tv v, const char *key, sc_err *err)
{
    if (sc_tv_has(sc_tv_get(v, key)))
        return SC_OK;
    return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is missing", key);
}

/* A member that must be one character. */
static sc_code need_char(sc_tv v, const char *key, uint32_t *point, sc_str *text, sc_err *err)
{
    SC_TRY(need(v, key, err));
    SC_TRY(sc_tv_get_str(v, key, text, err));
    if (text->n == 0 || sc_utf8_decode(*text, point) != text->n)
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is not one character", key);
    return SC_OK;
}

static sc_code read_behavior(sc_tv v, behavior *out, sc_err *err)
{
    static const struct {
        const char *name;
        behavior how;
    } names[] = {{"Removed", REMOVED},
                 {"Isolated", ISOLATED},
                 {"MergedWithPrevious", MERGED_PREVIOUS},
                 {"MergedWithNext", MERGED_NEXT},
                 {"Contiguous", CONTIGUOUS}};
    sc_str s = {NULL, 0};
    SC_TRY(sc_tv_get_str(v, "behavior", &s, err));
    for (size_t i = 0; i < SC_LEN(names); i++) {
        if (sc_str_is(s, names[i].name)) {
            *out = names[i].how;
            return SC_OK;
        }
    }
    if (!s.p)
        return SC_OK;
    return sc_fail_at(err, SC_E_UNSUPPORTED, sc_tv_node(v)->at, "unknown behavior \"%.*s\"",
                      SC_STRF(s));
}

static sc_code read_byte_level(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(p, run_bytes, &s, err));
    s->use_regex = true;
    s->bytes = true;
    SC_TRY(need(v, "add_prefix_space", err));
    SC_TRY(sc_tv_get_bool(v, "add_prefix_space", &s->prefix_space, err));
    SC_TRY(sc_tv_get_bool(v, "use_regex", &s->use_regex, err));
    return s->use_regex ? sc_regex_new(sc_str_c(sc_scan_gpt2_pattern), false, &s->re, err) : SC_OK;
}

static sc_code read_split(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(p, run_split, &s, err));
    SC_TRY(need(v, "behavior", err));
    SC_TRY(read_behavior(v, &s->how, err));
    SC_TRY(sc_tv_get_bool(v, "invert", &s->invert, err));
    const sc_tv pattern = sc_tv_get(v, "pattern");
    const sc_tv literal = sc_tv_get(pattern, "String");
    const sc_tv regex = sc_tv_get(pattern, "Regex");
    if (sc_tv_is(literal, SC_TAPE_STRING))
        return sc_regex_new(sc_tv_str(literal), sc_tv_node(literal)->n > 0, &s->re, err);
    if (!sc_tv_is(regex, SC_TAPE_STRING))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at,
                          "\"pattern\" is neither a String nor a Regex");
    s->source = sc_strndup(sc_tv_str(regex).p, sc_tv_str(regex).n);
    if (!s->source)
        return sc_fail_nomem(err);
    return sc_regex_new(sc_tv_str(regex), false, &s->re, err);
}

static sc_code read_digits(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    bool single = false;
    SC_TRY(need(v, "individual_digits", err));
    SC_TRY(sc_tv_get_bool(v, "individual_digits", &single, err));
    SC_TRY(add_step(p, run_split, &s, err));
    s->flag = SC_UNI_DIGIT;
    s->how = single ? ISOLATED : CONTIGUOUS;
    return SC_OK;
}

static sc_code read_punctuation(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    SC_TRY(add_step(p, run_split, &s, err));
    s->flag = SC_UNI_PUNCT;
    return read_behavior(v, &s->how, err);
}

static sc_code read_whitespace_split(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    (void)v;
    SC_TRY(add_step(p, run_split, &s, err));
    s->flag = SC_UNI_SPACE;
    s->how = REMOVED;
    return SC_OK;
}

static sc_code read_bert(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    SC_TRY(read_whitespace_split(v, p, err));
    SC_TRY(add_step(p, run_split, &s, err));
    s->flag = SC_UNI_PUNCT;
    return SC_OK;
}

static sc_code read_delimiter(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    sc_str text = {NULL, 0};
    SC_TRY(add_step(p, run_split, &s, err));
    s->how = REMOVED;
    return need_char(v, "delimiter", &s->point, &text, err);
}

static sc_code read_whitespace(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    (void)v;
    return add_step(p, run_whitespace, &s, err);
}

static sc_code read_scripts(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    (void)v;
    return add_step(p, run_scripts, &s, err);
}

static sc_code read_fixed(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    int64_t length = 5;
    SC_TRY(add_step(p, run_fixed, &s, err));
    SC_TRY(sc_tv_get_int(v, "length", 1, INT32_MAX, &length, err));
    s->length = (size_t)length;
    return SC_OK;
}

static sc_code read_metaspace(sc_tv v, void *p, sc_err *err)
{
    step *s = NULL;
    sc_str mark = {NULL, 0};
    sc_str when = {NULL, 0};
    uint32_t point = 0;
    bool prefix = true;
    SC_TRY(add_step(p, run_metaspace, &s, err));
    s->split = true;
    SC_TRY(need_char(v, "replacement", &point, &mark, err));
    memcpy(s->mark, mark.p, mark.n);
    s->n_mark = mark.n;
    SC_TRY(sc_tv_get_bool(v, "split", &s->split, err));
    SC_TRY(sc_tv_get_bool(v, "add_prefix_space", &prefix, err));
    SC_TRY(sc_tv_get_str(v, "prepend_scheme", &when, err));
    if (!when.p)
        s->when = prefix ? ALWAYS : NEVER;
    else if (sc_str_is(when, "always"))
        s->when = ALWAYS;
    else if (sc_str_is(when, "first"))
        s->when = FIRST;
    else if (sc_str_is(when, "never"))
        s->when = NEVER;
    else
        return sc_fail_at(err, SC_E_UNSUPPORTED, sc_tv_node(v)->at,
                          "unknown prepend_scheme \"%.*s\"", SC_STRF(when));
    return SC_OK;
}

static const sc_component kinds[] = {
    {"ByteLevel", read_byte_level},    {"Split", read_split},
    {"Digits", read_digits},           {"Metaspace", read_metaspace},
    {"Whitespace", read_whitespace},   {"WhitespaceSplit", read_whitespace_split},
    {"Punctuation", read_punctuation}, {"CharDelimiterSplit", read_delimiter},
    {"BertPreTokenizer", read_bert},   {"UnicodeScripts", read_scripts},
    {"FixedLength", read_fixed},       {NULL, NULL},
};

sc_code sc_pre_read(sc_tv v, sc_pre **out, sc_err *err)
{
    if (!sc_tv_has(v)) {
        *out = NULL;
        return SC_OK;
    }
    SC_AUTO(sc_pre) *p = sc_new(sc_pre);
    if (!p)
        return sc_fail_nomem(err);
    SC_TRY_IN(sc_component_read(v, kinds, "pretokenizers", p, err), err, "pre_tokenizer");
    *out = sc_take(p);
    return SC_OK;
}

static sc_code read_root(sc_tv v, void *out, sc_err *err)
{
    return sc_pre_read(v, out, err);
}

sc_code sc_pre_parse(const char *json, sc_pre **out, sc_err *err)
{
    return sc_component_parse(json, read_root, out, err);
}
