// SPDX-License-Identifier: MIT
#include "tok/scan.h"

#include "base/utf8.h"
#include "tok/unicode.h"

const char sc_scan_gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char sc_scan_qwen2_pattern[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const char sc_scan_llama3_pattern[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/* What the patterns ask of a character. */
enum { OTHER = 0, L = SC_UNI_L, N = SC_UNI_N, SPACE = SC_UNI_SPACE, KINDS = L | N | SPACE };

/* The sets of the character at `at`, whose length goes to *n; 0 and n = 0 at the end. */
static inline unsigned look(sc_str s, size_t at, size_t *n)
{
    if (at >= s.n) {
        *n = 0;
        return 0;
    }
    const unsigned char c = (unsigned char)s.p[at];
    if (c < 0x80) {
        *n = 1;
        return sc_uni_block[c]; // the first block holds ASCII
    }
    uint32_t point = 0;
    *n = sc_utf8_decode(sc_str_skip(s, at), &point);
    return sc_uni_flags(point);
}

/* Behind the run of characters at `at` whose kind is `kind`. */
static inline size_t run_of(sc_str s, size_t at, unsigned kind)
{
    size_t n = 0;
    for (;;) {
        const unsigned flags = look(s, at, &n) & KINDS;
        if (n == 0 || flags != kind)
            return at;
        at += n;
    }
}

/* The length of 's 't 're 've 'm 'll 'd at `at`, where an apostrophe stands; 0 for none. */
static size_t contraction(sc_str s, size_t at)
{
    const char a = at + 1 < s.n ? s.p[at + 1] : '\0';
    const char b = at + 2 < s.n ? s.p[at + 2] : '\0';
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
        return 3;
    return 0;
}

/* As contraction, blind to case: U+017F folds to s. */
static size_t contraction_any_case(sc_str s, size_t at)
{
    const char a = at + 1 < s.n ? (char)(s.p[at + 1] | 0x20) : '\0';
    const char b = at + 2 < s.n ? (char)(s.p[at + 2] | 0x20) : '\0';
    if (sc_str_starts(sc_str_skip(s, at + 1), SC_STR("\xC5\xBF")))
        return 3;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
        return 3;
    return 0;
}

/*
 * \s+(?!\S)|\s+ : a run of white space up to `end`, without its last character where text follows
 * and more than one is there.
 */
static size_t spaces(sc_str s, size_t at, size_t end)
{
    if (end >= s.n)
        return end;
    size_t back = end - 1;
    while (back > at && ((unsigned char)s.p[back] & 0xC0) == 0x80)
        back--;
    return back > at ? back : end;
}

size_t sc_scan_gpt2(sc_str s, size_t at)
{
    if (s.p[at] == '\'') {
        const size_t n = contraction(s, at);
        if (n)
            return at + n;
    }
    size_t n = 0;
    size_t from = at;
    unsigned kind = look(s, at, &n) & KINDS;
    if (s.p[at] == ' ' && at + 1 < s.n) {
        const unsigned next = look(s, at + 1, &n) & KINDS;
        if (next != SPACE) {
            from = at + 1;
            kind = next;
        }
    }
    if (kind == SPACE)
        return spaces(s, at, run_of(s, at, SPACE));
    return run_of(s, from, kind);
}

size_t sc_scan_starcoder(sc_str s, size_t at)
{
    size_t n = 0;
    if (look(s, at, &n) & SC_UNI_DIGIT)
        return at + n;
    // GPT-2's pattern on the text up to the next digit, which it must not see.
    if (s.p[at] == '\'') {
        n = contraction(s, at);
        if (n)
            return at + n;
    }
    unsigned flags = look(s, at, &n);
    size_t end = at;
    unsigned kind = flags & KINDS;
    if (s.p[at] == ' ' && at + 1 < s.n) {
        const unsigned next = look(s, at + 1, &n);
        if (!(next & SC_UNI_DIGIT) && (next & KINDS) != SPACE) {
            end = at + 1;
            kind = next & KINDS;
        }
    }
    for (;;) {
        flags = look(s, end, &n);
        if (n == 0 || (flags & SC_UNI_DIGIT) || (flags & KINDS) != kind)
            break;
        end += n;
    }
    if (kind != SPACE)
        return end;
    return flags & SC_UNI_DIGIT && n ? end : spaces(s, at, end);
}

static bool is_break(char c)
{
    return c == '\r' || c == '\n';
}

static size_t breaks(sc_str s, size_t at)
{
    while (at < s.n && is_break(s.p[at]))
        at++;
    return at;
}

/* \s*[\r\n]+ : through the last line break of the white space up to `end`; `at` when it has none.
 */
static size_t through_breaks(sc_str s, size_t at, size_t end)
{
    while (end > at && !is_break(s.p[end - 1]))
        end--;
    return end;
}

/* The pattern of Qwen2 and Llama 3, which differ in how many digits go together. */
static inline size_t scan_cl100k(sc_str s, size_t at, unsigned digits)
{
    if (s.p[at] == '\'') {
        const size_t n = contraction_any_case(s, at);
        if (n)
            return at + n;
    }
    size_t n = 0;
    size_t n_next = 0;
    const unsigned kind = look(s, at, &n) & KINDS;
    if (kind == L)
        return run_of(s, at, L);
    if (kind == N) {
        size_t end = at + n;
        for (unsigned k = 1; k < digits && (look(s, end, &n_next) & N) && n_next; k++)
            end += n_next;
        return end;
    }
    const unsigned next = look(s, at + n, &n_next) & KINDS;
    if (!is_break(s.p[at]) && n_next && next == L)
        return run_of(s, at + n, L);
    if (kind == OTHER || (s.p[at] == ' ' && n_next && next == OTHER))
        return breaks(s, run_of(s, at + (kind == OTHER ? 0 : 1), OTHER));
    const size_t end = run_of(s, at, SPACE);
    const size_t line = through_breaks(s, at, end);
    return line > at ? line : spaces(s, at, end);
}

size_t sc_scan_qwen2(sc_str s, size_t at)
{
    return scan_cl100k(s, at, 1);
}

size_t sc_scan_llama3(sc_str s, size_t at)
{
    return scan_cl100k(s, at, 3);
}

/* [一-龥ࠀ-一가-퟿] */
static bool is_wide(uint32_t c)
{
    return (c >= 0x800 && c <= 0x9FA5) || (c >= 0xAC00 && c <= 0xD7FF);
}

/* What the steps of DeepSeek-Coder see in a character. */
typedef struct glyph {
    unsigned flags;
    size_t n; // bytes; 0: the end of the text
    bool line;
    bool wide;
} glyph;

static glyph glyph_at(sc_str s, size_t at)
{
    glyph g = {0};
    if (at >= s.n)
        return g;
    uint32_t c = (unsigned char)s.p[at];
    g.n = c < 0x80 ? 1 : sc_utf8_decode(sc_str_skip(s, at), &c);
    g.flags = sc_uni_flags(c);
    g.line = c == '\r' || c == '\n';
    g.wide = is_wide(c);
    return g;
}

/* Whether `g`, in front of `at`, is the white space that goes with the letters or marks there. */
static bool leads(sc_str s, glyph g, size_t at)
{
    return (g.flags & SC_UNI_SPACE) && !g.line &&
           (glyph_at(s, at).flags & (SC_UNI_L | SC_UNI_P)) != 0;
}

/*
 * Splits, one inside another: [\r\n] ; \s?\p{L}+ ; \s?\p{P}+ ; [wide]+ ; single digits. A later one
 * works inside the pieces of the earlier ones: a run of letters is cut where wide characters begin
 * or end. What neither letters nor marks nor digits took lies in the gaps.
 */
size_t sc_scan_deepseek(sc_str s, size_t at)
{
    const glyph first = glyph_at(s, at);
    size_t end = at + first.n;
    if (first.line || (first.flags & SC_UNI_DIGIT))
        return end;
    unsigned run = first.flags & (SC_UNI_L | SC_UNI_P);
    if (!run && leads(s, first, end))
        run = glyph_at(s, end).flags & (SC_UNI_L | SC_UNI_P);
    for (;;) {
        const glyph g = glyph_at(s, end);
        if (g.n == 0 || g.line || g.wide != first.wide || (g.flags & SC_UNI_DIGIT))
            return end;
        if ((g.flags & (SC_UNI_L | SC_UNI_P)) != run || (!run && leads(s, g, end + g.n)))
            return end;
        end += g.n;
    }
}
