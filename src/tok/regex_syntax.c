// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "base/utf8.h"
#include "tok/regex.h"
#include "tok/unicode.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_GROUPS = 200, MAX_RANGES = 1 << 20 };

/* A set of characters, as ranges in any order until it is tidied. */
typedef struct set {
    sc_uni_range *r; // owned
    size_t n;
    size_t cap;
} set;

static void set_drop(set *s)
{
    sc_free(s->r);
    *s = (set){0};
}
SC_AUTO_DEFINE_VALUE(set, set_drop);

typedef struct translator {
    sc_str in;
    size_t at;
    sc_buf *out;
    unsigned open[MAX_GROUPS + 1]; // groups that we opened inside each open group
    bool folds[MAX_GROUPS + 1];    // whether cases are one, by depth
    unsigned depth;
} translator;

/*
 * A class that patterns use all the time: its own spelling for PCRE2, which is faster than ranges,
 * and what that lacks. The others are sc_uni_classes.
 */
typedef struct named {
    const char *name;   // lower case, without '_', '-' and ' '
    const char *native; // inside a class
    const sc_uni_range *added;
    const size_t *n_added;
    unsigned flag; // of unicode.h
} named;

#define ADDED(x) sc_uni_added_##x, &sc_uni_added_##x##_n

#define SPACE_TEXT                                                                                 \
    "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"        \
    "\\x{205f}\\x{3000}"
#define WORD_TEXT "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}"

static const named classes[] = {
    {"l", "\\p{L}", ADDED(L), SC_UNI_L},
    {"letter", "\\p{L}", ADDED(L), SC_UNI_L},
    {"lu", "\\p{Lu}", ADDED(Lu), SC_UNI_LU},
    {"uppercaseletter", "\\p{Lu}", ADDED(Lu), SC_UNI_LU},
    {"ll", "\\p{Ll}", ADDED(Ll), SC_UNI_LL},
    {"lowercaseletter", "\\p{Ll}", ADDED(Ll), SC_UNI_LL},
    {"lt", "\\p{Lt}", ADDED(Lt), SC_UNI_LT},
    {"titlecaseletter", "\\p{Lt}", ADDED(Lt), SC_UNI_LT},
    {"lm", "\\p{Lm}", ADDED(Lm), SC_UNI_LM},
    {"modifierletter", "\\p{Lm}", ADDED(Lm), SC_UNI_LM},
    {"lo", "\\p{Lo}", ADDED(Lo), SC_UNI_LO},
    {"otherletter", "\\p{Lo}", ADDED(Lo), SC_UNI_LO},
    {"m", "\\p{M}", ADDED(M), SC_UNI_M},
    {"mark", "\\p{M}", ADDED(M), SC_UNI_M},
    {"combiningmark", "\\p{M}", ADDED(M), SC_UNI_M},
    {"n", "\\p{N}", ADDED(N), SC_UNI_N},
    {"number", "\\p{N}", ADDED(N), SC_UNI_N},
    {"nd", "\\p{Nd}", ADDED(Nd), SC_UNI_ND},
    {"decimalnumber", "\\p{Nd}", ADDED(Nd), SC_UNI_ND},
    {"digit", "\\p{Nd}", ADDED(Nd), SC_UNI_ND},
    {"p", "\\p{P}", ADDED(P), SC_UNI_P},
    {"punctuation", "\\p{P}", ADDED(P), SC_UNI_P},
    {"han", "\\p{sc:Han}", NULL, NULL, SC_UNI_HAN},
    {"space", SPACE_TEXT, NULL, NULL, SC_UNI_SPACE},
    {"whitespace", SPACE_TEXT, NULL, NULL, SC_UNI_SPACE},
    {"word", WORD_TEXT, ADDED(w), SC_UNI_WORD},
};

static sc_code refuse(const translator *t, const char *what, sc_err *err)
{
    return sc_fail_at(err, SC_E_UNSUPPORTED, t->at, "pattern: %s", what);
}

static bool peek(const translator *t, char c)
{
    return t->at < t->in.n && t->in.p[t->at] == c;
}

static bool looking_at(const translator *t, const char *text)
{
    return sc_str_starts(sc_str_skip(t->in, t->at), sc_str_c(text));
}

static void put_point(sc_buf *out, uint32_t c)
{
    sc_buf_addf(out, "\\x{%x}", c);
}

static void put_ranges(sc_buf *out, const sc_uni_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        // What is no character may not stand in a pattern.
        const uint32_t low = r[i].low >= 0xD800 && r[i].low < 0xE000 ? 0xE000 : r[i].low;
        const uint32_t high = r[i].high >= 0xD800 && r[i].high < 0xE000 ? 0xD7FF : r[i].high;
        if (low > high)
            continue;
        put_point(out, low);
        if (high > low) {
            sc_buf_add_char(out, '-');
            put_point(out, high);
        }
    }
}

static sc_code set_add(set *s, uint32_t low, uint32_t high, sc_err *err)
{
    if (s->n == s->cap && !sc_grow(&s->r, &s->cap, s->n, MAX_RANGES, sizeof *s->r))
        return sc_fail_nomem(err);
    s->r[s->n++] = (sc_uni_range){low, high};
    return SC_OK;
}

static int by_low(const void *a, const void *b)
{
    const sc_uni_range *x = a;
    const sc_uni_range *y = b;
    return (x->low > y->low) - (x->low < y->low);
}

/* Sorts the ranges and joins those that touch. */
static void tidy(set *s)
{
    if (s->n < 2)
        return;
    qsort(s->r, s->n, sizeof *s->r, by_low);
    size_t n = 1;
    for (size_t i = 1; i < s->n; i++) {
        if (s->r[i].low <= s->r[n - 1].high + 1) {
            if (s->r[i].high > s->r[n - 1].high)
                s->r[n - 1].high = s->r[i].high;
        } else {
            s->r[n++] = s->r[i];
        }
    }
    s->n = n;
}

/* Everything that `s` does not hold. */
static sc_code invert(set *s, sc_err *err)
{
    SC_AUTO(set) not = {0};
    tidy(s);
    uint32_t from = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->r[i].low > from)
            SC_TRY(set_add(&not, from, s->r[i].low - 1, err));
        from = s->r[i].high + 1;
    }
    if (from <= 0x10FFFF)
        SC_TRY(set_add(&not, from, 0x10FFFF, err));
    const set old = *s;
    *s = not ;
    not = old;
    return SC_OK;
}

/* What both hold, into `a`. */
static sc_code intersect(set *a, set *b, sc_err *err)
{
    SC_TRY(invert(a, err));
    SC_TRY(invert(b, err));
    for (size_t i = 0; i < b->n; i++)
        SC_TRY(set_add(a, b->r[i].low, b->r[i].high, err));
    return invert(a, err);
}

/* The library's \w has the numbers of Latin 1 that are no digits, but not inside a class. */
static bool is_word_outside(uint32_t c)
{
    return c == 0xB2 || c == 0xB3 || c == 0xB9 || (c >= 0xBC && c <= 0xBE);
}

/* Whether `c` has `flag`, inside a class. */
static bool has_flag(uint32_t c, unsigned flag)
{
    return (sc_uni_flags(c) & flag) && !(flag == SC_UNI_WORD && is_word_outside(c));
}

/* All characters with `flag`, or without, into `s`. */
static sc_code add_flag(set *s, unsigned flag, bool negated, sc_err *err)
{
    for (uint32_t c = 0; c < 0x110000;) {
        if (has_flag(c, flag) == negated) {
            c++;
            continue;
        }
        const uint32_t low = c;
        while (c < 0x110000 && has_flag(c, flag) != negated)
            c++;
        SC_TRY(set_add(s, low, c - 1, err));
    }
    return SC_OK;
}

/* All characters of a class, or all others, into `s`. */
static sc_code add_class(set *s, const sc_uni_class *k, bool negated, sc_err *err)
{
    SC_AUTO(set) own = {0};
    for (uint32_t i = 0; i < k->n; i++) {
        const sc_uni_range *r = &sc_uni_class_pool[k->at + i];
        SC_TRY(set_add(&own, r->low, r->high, err));
    }
    if (negated)
        SC_TRY(invert(&own, err));
    for (size_t i = 0; i < own.n; i++)
        SC_TRY(set_add(s, own.r[i].low, own.r[i].high, err));
    return SC_OK;
}

static const named *find_class(sc_str name)
{
    for (size_t i = 0; i < SC_LEN(classes); i++)
        if (sc_str_is(name, classes[i].name))
            return &classes[i];
    return NULL;
}

static const sc_uni_class *find_whole(sc_str name)
{
    for (size_t i = 0; i < sc_uni_classes_n; i++)
        if (sc_str_is(name, sc_uni_classes[i].name))
            return &sc_uni_classes[i];
    return NULL;
}

/* One item of a class, or an escape that stands for a set. */
typedef struct item {
    bool is_set;
    bool negated;
    uint32_t point;            // of a single character
    const named *known;        // of a set, or NULL:
    const sc_uni_class *whole; // then this
} item;

/* The name inside \p{...}, t->at behind the 'p'; fills `it`. */
static sc_code read_property(translator *t, item *it, sc_err *err)
{
    char loose[64];
    size_t n_loose = 0;
    if (!peek(t, '{'))
        return refuse(t, "\\p without { is not supported", err);
    t->at++;
    if (peek(t, '^')) {
        it->negated = !it->negated;
        t->at++;
    }
    while (t->at < t->in.n && t->in.p[t->at] != '}') {
        const char c = t->in.p[t->at++];
        const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (n_loose + 1 >= sizeof loose ||
            !(letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ' '))
            return refuse(t, "a property name that is not known", err);
        if (c != '_' && c != '-' && c != ' ')
            loose[n_loose++] = letter ? (char)(c | 0x20) : c;
    }
    if (!peek(t, '}') || n_loose == 0)
        return refuse(t, "\\p{ without an end", err);
    t->at++;
    it->is_set = true;
    it->known = find_class((sc_str){loose, n_loose});
    if (it->known)
        return SC_OK;
    it->whole = find_whole((sc_str){loose, n_loose});
    return it->whole ? SC_OK : refuse(t, "a property name that is not known", err);
}

/* Up to `most` hexadecimal digits. */
static uint32_t read_hex(translator *t, size_t most, size_t *n_read)
{
    uint32_t v = 0;
    size_t n = 0;
    for (; n < most && t->at < t->in.n; n++, t->at++) {
        const char c = t->in.p[t->at];
        if (c >= '0' && c <= '9')
            v = v * 16 + (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v * 16 + (uint32_t)((c | 0x20) - 'a') + 10;
        else
            break;
    }
    *n_read = n;
    return v;
}

/* \xHH, \x{H...} or \uHHHH, t->at behind the letter. */
static sc_code read_code(translator *t, char letter, item *it, sc_err *err)
{
    size_t n = 0;
    if (letter == 'x' && peek(t, '{')) {
        t->at++;
        it->point = read_hex(t, 8, &n);
        if (n == 0 || !peek(t, '}'))
            return refuse(t, "\\x{ without an end", err);
        t->at++;
    } else {
        it->point = read_hex(t, letter == 'x' ? 2 : 4, &n);
        if (n == 0 || (letter == 'u' && n != 4))
            return refuse(t, "a bad character code", err);
    }
    if (it->point > 0x10FFFF || (it->point >= 0xD800 && it->point < 0xE000))
        return refuse(t, "a character code that is no character", err);
    if (letter == 'x' && n <= 2 && it->point >= 0x80)
        return refuse(t, "a byte above 7F", err);
    return SC_OK;
}

/* The escapes that mean the same in a class and outside; t->at behind the backslash. */
static sc_code read_escape(translator *t, item *it, sc_err *err)
{
    static const struct {
        char letter;
        const char *name;
    } sets[] = {{'s', "space"}, {'d', "digit"}, {'w', "word"}, {'h', "xdigit"}};
    static const char from[] = "tnrfvae";
    static const char into[] = "\t\n\r\f\v\a\x1b";
    if (t->at >= t->in.n)
        return refuse(t, "it ends in a backslash", err);
    *it = (item){0};
    const char c = t->in.p[t->at];
    for (size_t i = 0; i < SC_LEN(sets); i++) {
        if ((c | 0x20) == sets[i].letter) {
            t->at++;
            it->is_set = true;
            it->negated = !(c & 0x20);
            it->known = find_class(sc_str_c(sets[i].name));
            if (!it->known)
                it->whole = find_whole(sc_str_c(sets[i].name));
            return SC_OK;
        }
    }
    if (c == 'p' || c == 'P') {
        t->at++;
        it->negated = c == 'P';
        return read_property(t, it, err);
    }
    if (c == 'x' || c == 'u') {
        t->at++;
        return read_code(t, c, it, err);
    }
    if (c == '0') {
        t->at++;
        while (t->at < t->in.n && t->in.p[t->at] >= '0' && t->in.p[t->at] <= '7' && it->point < 32)
            it->point = it->point * 8 + (uint32_t)(t->in.p[t->at++] - '0');
        return SC_OK;
    }
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) {
        t->at++;
        it->point = (unsigned char)into[hit - from];
        return SC_OK;
    }
    if (c == 'c' || c == 'C' || c == 'M')
        return refuse(t, "control and meta characters are not supported", err);
    t->at += sc_utf8_decode(sc_str_skip(t->in, t->at), &it->point);
    return SC_OK;
}

/* Writes a set as a part of a class: of one in the pattern, or of its own (`alone`). */
static sc_code put_set(translator *t, const item *it, bool alone, sc_err *err)
{
    const named *k = it->known;
    if (!k || it->negated || k->flag == SC_UNI_HAN) {
        SC_AUTO(set) s = {0};
        SC_TRY(k ? add_flag(&s, k->flag, it->negated, err)
                 : add_class(&s, it->whole, it->negated, err));
        put_ranges(t->out, s.r, s.n);
        return SC_OK;
    }
    sc_buf_add_c(t->out, k->native);
    for (size_t i = 0; k->added && i < *k->n_added; i++)
        if (alone || !is_word_outside(k->added[i].low))
            put_ranges(t->out, &k->added[i], 1);
    return SC_OK;
}

/* [:name:] with t->at on its '['; false when it is none. */
static bool read_posix(translator *t, item *it)
{
    size_t at = t->at + 2;
    bool negated = false;
    if (!looking_at(t, "[:"))
        return false;
    if (at < t->in.n && t->in.p[at] == '^') {
        negated = true;
        at++;
    }
    const size_t from = at;
    while (at < t->in.n && t->in.p[at] >= 'a' && t->in.p[at] <= 'z')
        at++;
    const sc_str name = {t->in.p + from, at - from};
    char own[16] = ":"; // of those that mean something else than \\p{...}
    if (!sc_str_starts(sc_str_skip(t->in, at), SC_STR(":]")) || name.n + 1 >= sizeof own)
        return false;
    memcpy(own + 1, name.p, name.n);
    *it = (item){.is_set = true, .negated = negated};
    it->whole = find_whole((sc_str){own, name.n + 1});
    if (!it->whole)
        it->known = find_class(name);
    if (!it->whole && !it->known)
        it->whole = find_whole(name);
    if (!it->whole && !it->known)
        return false;
    t->at = at + 2;
    return true;
}

/* The next single item of a class: a character, an escape or [:name:]. */
static sc_code read_item(translator *t, item *it, sc_err *err)
{
    *it = (item){0};
    if (t->at >= t->in.n)
        return refuse(t, "a class without an end", err);
    if (peek(t, '\\')) {
        t->at++;
        if (peek(t, 'b')) { // a backspace here
            t->at++;
            it->point = '\b';
            return SC_OK;
        }
        return read_escape(t, it, err);
    }
    if (peek(t, '[') && read_posix(t, it))
        return SC_OK;
    t->at += sc_utf8_decode(sc_str_skip(t->in, t->at), &it->point);
    return SC_OK;
}

/* A range or single character whose first item is `it`: *high is its last character. */
static sc_code read_range(translator *t, const item *it, uint32_t *high, sc_err *err)
{
    *high = it->point;
    if (!peek(t, '-') || t->at + 1 >= t->in.n || t->in.p[t->at + 1] == ']')
        return SC_OK;
    t->at++;
    item end;
    SC_TRY(read_item(t, &end, err));
    if (end.is_set || end.point < it->point)
        return refuse(t, "a bad range in a class", err);
    *high = end.point;
    return SC_OK;
}

/* Whether the class whose '[' is at t->at holds another class or an intersection. */
static bool is_nested(const translator *t)
{
    size_t i = t->at + 1;
    if (i < t->in.n && t->in.p[i] == '^')
        i++;
    if (i < t->in.n && t->in.p[i] == ']')
        i++;
    for (; i < t->in.n && t->in.p[i] != ']'; i++) {
        if (t->in.p[i] == '\\') {
            i++;
        } else if (t->in.p[i] == '[') {
            if (i + 1 >= t->in.n || t->in.p[i + 1] != ':')
                return true;
            while (i < t->in.n && t->in.p[i] != ']')
                i++;
        } else if (t->in.p[i] == '&' && i + 1 < t->in.n && t->in.p[i + 1] == '&') {
            return true;
        }
    }
    return false;
}

/* Adds an item to a set that we compute ourselves. */
static sc_code add_item(translator *t, set *s, const item *it, sc_err *err)
{
    if (it->is_set) {
        return it->known ? add_flag(s, it->known->flag, it->negated, err)
                         : add_class(s, it->whole, it->negated, err);
    }
    uint32_t high = 0;
    SC_TRY(read_range(t, it, &high, err));
    return set_add(s, it->point, high, err);
}

/*
 * A class with classes inside: computes the characters. t->at is behind its '['. Nesting is bounded
 * by `depth`.
 */
static sc_code compute_class(translator *t, set *out, unsigned depth, sc_err *err)
{
    SC_AUTO(set) all = {0}; // of the parts before "&&"
    bool has_all = false;
    bool first = true;
    if (depth > 8)
        return refuse(t, "classes nested deeper than 8", err);
    const bool negated = peek(t, '^');
    if (negated)
        t->at++;
    SC_AUTO(set) now = {0};
    for (;; first = false) {
        const bool end = peek(t, ']') && !first;
        if (end || looking_at(t, "&&")) {
            t->at += end ? 1 : 2;
            if (has_all)
                SC_TRY(intersect(&all, &now, err));
            else {
                all = now;
                now = (set){0};
            }
            has_all = true;
            now.n = 0;
            if (end)
                break;
            continue;
        }
        item it = {0};
        if (peek(t, '[') && !looking_at(t, "[:")) {
            SC_AUTO(set) inner = {0};
            t->at++;
            SC_TRY(compute_class(t, &inner, depth + 1, err));
            for (size_t i = 0; i < inner.n; i++)
                SC_TRY(set_add(&now, inner.r[i].low, inner.r[i].high, err));
            continue;
        }
        SC_TRY(read_item(t, &it, err));
        SC_TRY(add_item(t, &now, &it, err));
    }
    if (negated)
        SC_TRY(invert(&all, err));
    tidy(&all);
    *out = all;
    all = (set){0};
    return SC_OK;
}

/* A class; t->at on its '['. */
static sc_code read_class(translator *t, sc_err *err)
{
    if (is_nested(t)) {
        SC_AUTO(set) s = {0};
        t->at++;
        SC_TRY(compute_class(t, &s, 0, err));
        sc_buf_add_c(t->out, s.n ? "[" : "(?!)");
        put_ranges(t->out, s.r, s.n);
        sc_buf_add_c(t->out, s.n ? "]" : "");
        return SC_OK;
    }
    t->at++;
    sc_buf_add_char(t->out, '[');
    if (peek(t, '^')) {
        sc_buf_add_char(t->out, '^');
        t->at++;
    }
    for (bool first = true; first || !peek(t, ']'); first = false) {
        item it;
        SC_TRY(read_item(t, &it, err));
        if (it.is_set) {
            SC_TRY(put_set(t, &it, false, err));
            continue;
        }
        uint32_t high = 0;
        SC_TRY(read_range(t, &it, &high, err));
        put_ranges(t->out, &(sc_uni_range){it.point, high}, 1);
    }
    t->at++;
    sc_buf_add_char(t->out, ']');
    return SC_OK;
}

/* \b and \B by Oniguruma's idea of a word. */
static void put_boundary(translator *t, bool negated)
{
    SC_AUTO(sc_buf) w = sc_buf_init(1 << 16);
    sc_buf_add_c(&w, "[" WORD_TEXT);
    put_ranges(&w, sc_uni_added_w, sc_uni_added_w_n);
    sc_buf_add_char(&w, ']');
    const char *p = sc_buf_text(&w);
    if (!sc_buf_ok(&w))
        t->out->bad = true;
    else if (negated)
        sc_buf_addf(t->out, "(?:(?<=%s)(?=%s)|(?<!%s)(?!%s))", p, p, p, p);
    else
        sc_buf_addf(t->out, "(?:(?<=%s)(?!%s)|(?<!%s)(?=%s))", p, p, p, p);
}

/* An escape outside a class; t->at on its backslash. */
static sc_code put_escape(translator *t, sc_err *err)
{
    t->at++;
    const char c = t->at < t->in.n ? t->in.p[t->at] : '\0';
    if (c == 'b' || c == 'B') {
        t->at++;
        put_boundary(t, c == 'B');
        return SC_OK;
    }
    if (c == 'X') // PCRE2 up to 10.42 takes two pictographs side by side for one cluster
        return refuse(t, "\\X is not supported", err);
    if (c && strchr("AzZGRKkg", c)) { // the same there and here
        t->at++;
        sc_buf_addf(t->out, "\\%c", c);
        return SC_OK;
    }
    if (c >= '1' && c <= '9') {
        sc_buf_add_char(t->out, '\\');
        while (t->at < t->in.n && t->in.p[t->at] >= '0' && t->in.p[t->at] <= '9')
            sc_buf_add_char(t->out, t->in.p[t->at++]);
        sc_buf_add_c(t->out, "(?:)"); // a digit behind is no part of the number
        return SC_OK;
    }
    item it;
    SC_TRY(read_escape(t, &it, err));
    if (!it.is_set) {
        put_point(t->out, it.point);
        return SC_OK;
    }
    const bool negated = it.negated;
    it.negated = false;
    const bool folds = t->folds[t->depth]; // the library folds cases in classes alone
    sc_buf_add_c(t->out, folds ? "(?-i:" : "");
    sc_buf_add_c(t->out, negated ? "[^" : "[");
    SC_TRY(put_set(t, &it, true, err));
    sc_buf_add_c(t->out, folds ? "])" : "]");
    return SC_OK;
}

/* "(?" and what belongs to it; t->at on the '('. */
static sc_code put_group(translator *t, sc_err *err)
{
    if (t->depth == MAX_GROUPS)
        return refuse(t, "groups nested deeper than 200", err);
    t->open[++t->depth] = 0;
    t->folds[t->depth] = t->folds[t->depth - 1];
    sc_buf_add_char(t->out, '(');
    t->at++;
    if (!peek(t, '?'))
        return SC_OK;
    if (looking_at(t, "?~"))
        return refuse(t, "the absent operator is not supported", err);
    size_t end = t->at + 1;
    while (end < t->in.n && t->in.p[end] && strchr("imx-", t->in.p[end]))
        end++;
    if (end == t->at + 1 || end >= t->in.n || (t->in.p[end] != ')' && t->in.p[end] != ':'))
        return SC_OK; // look-around, atomic, named: spelt alike
    const bool alone = t->in.p[end] == ')';
    sc_buf_add_char(t->out, '?');
    bool on = true;
    bool folds = t->folds[t->depth];
    for (size_t i = t->at + 1; i < end; i++) {
        const char c = t->in.p[i];
        sc_buf_add_char(t->out, c == 'm' ? 's' : c); // m lets the dot match \n
        on = on && c != '-';
        folds = c == 'i' ? on : folds;
    }
    sc_buf_add_char(t->out, ':');
    t->at = end + 1;
    if (alone) // an option by itself holds to the end of the group around, alternatives included
        t->open[--t->depth]++;
    t->folds[t->depth] = folds;
    return SC_OK;
}

static void close_group(translator *t)
{
    for (; t->open[t->depth] > 0; t->open[t->depth]--)
        sc_buf_add_char(t->out, ')');
    if (t->depth > 0)
        t->depth--;
}

/* A '{': an interval, or itself. */
static sc_code put_interval(translator *t, sc_err *err)
{
    size_t at = t->at + 1;
    bool digits = false;
    bool comma = false;
    const bool no_low = at < t->in.n && t->in.p[at] == ',';
    for (; at < t->in.n; at++) {
        const char c = t->in.p[at];
        if (c >= '0' && c <= '9')
            digits = true;
        else if (c == ',' && !comma)
            comma = true;
        else
            break;
    }
    if (!digits || at >= t->in.n || t->in.p[at] != '}') {
        sc_buf_add_c(t->out, "\\{");
        t->at++;
        return SC_OK;
    }
    const char after = at + 1 < t->in.n ? t->in.p[at + 1] : '\0';
    if (after == '+' || (after == '?' && !comma))
        return refuse(t, "a repeat count with '+' or '?' behind means something else here", err);
    sc_buf_add_c(t->out, no_low ? "{0" : "{");
    sc_buf_add(t->out, t->in.p + t->at + 1, at - t->at);
    t->at = at + 1;
    return SC_OK;
}

sc_code sc_regex_translate(sc_str pattern, sc_buf *out, sc_err *err)
{
    size_t bad = 0;
    if (!sc_utf8_valid(pattern, &bad))
        return sc_fail_at(err, SC_E_FORMAT, bad, "pattern: not UTF-8");
    translator t = {.in = pattern, .out = out};
    while (t.at < t.in.n) {
        const char c = t.in.p[t.at];
        if (c == '\\') {
            SC_TRY(put_escape(&t, err));
        } else if (c == '[') {
            SC_TRY(read_class(&t, err));
        } else if (c == '(') {
            SC_TRY(put_group(&t, err));
        } else if (c == '{') {
            SC_TRY(put_interval(&t, err));
        } else {
            if (c == ')')
                close_group(&t);
            sc_buf_add_char(out, c);
            t.at++;
        }
    }
    for (; t.open[0] > 0; t.open[0]--)
        sc_buf_add_char(out, ')');
    return sc_buf_ok(out) ? SC_OK : sc_fail_nomem(err);
}
