// SPDX-License-Identifier: MIT
#include "score/keyword.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <utf8proc.h>

/* Lower case; ill-formed bytes become U+FFFD, as they do in the reports. */
static void add_lower(sc_buf *out, sc_str s)
{
    for (size_t at = 0; at < s.n;) {
        const unsigned char c = (unsigned char)s.p[at];
        if (c < 0x80) {
            sc_buf_add_char(out, (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
            at++;
            continue;
        }
        uint32_t point = 0;
        char bytes[4];
        at += sc_utf8_decode(sc_str_skip(s, at), &point);
        if (point == SC_UTF8_BAD)
            point = 0xfffd;
        if (point == 0x130) { // the one letter whose lower case is two
            sc_buf_add_c(out, "i\xCC\x87");
            continue;
        }
        point = (uint32_t)utf8proc_tolower((utf8proc_int32_t)point);
        sc_buf_add(out, bytes, sc_utf8_encode(point, bytes));
    }
}

static bool is_word(uint32_t point)
{
    if (point < 0x80)
        return point == '_' || (point >= '0' && point <= '9') || (point >= 'a' && point <= 'z') ||
               (point >= 'A' && point <= 'Z');
    if (point == SC_UTF8_BAD)
        return false;
    // Letters, marks and numbers stand together in utf8proc's order.
    const utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)point);
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO;
}

static bool starts_with_word(sc_str s)
{
    uint32_t point = 0;
    if (s.n == 0)
        return false;
    (void)sc_utf8_decode(s, &point); // the length is not needed
    return is_word(point);
}

static bool ends_with_word(sc_str s)
{
    size_t n = 1; // bytes of the last character: back over continuation bytes
    if (s.n == 0)
        return false;
    while (n < 4 && n < s.n && ((unsigned char)s.p[s.n - n] & 0xc0) == 0x80)
        n++;
    return starts_with_word((sc_str){s.p + s.n - n, n});
}

/* The next place of `word` in `text` from `from` on, or SIZE_MAX. */
static size_t find(sc_str text, sc_str word, size_t from)
{
    if (from > text.n || word.n > text.n - from)
        return SIZE_MAX;
    const char *p = memmem(text.p + from, text.n - from, word.p, word.n);
    return p ? (size_t)(p - text.p) : SIZE_MAX;
}

static bool has_whole_word(sc_str text, sc_str word)
{
    const bool guard_left = starts_with_word(word), guard_right = ends_with_word(word);
    for (size_t at = 0; (at = find(text, word, at)) != SIZE_MAX; at++) {
        const sc_str before = {text.p, at};
        const sc_str after = sc_str_skip(text, at + word.n);
        if (!(guard_left && ends_with_word(before)) && !(guard_right && starts_with_word(after)))
            return true;
    }
    return false;
}

sc_code sc_keyword_score_text(const sc_str *keyword, size_t n, sc_str text, sc_keyword_score *out,
                              sc_err *err)
{
    SC_AUTO(sc_buf) low = sc_buf_init(SIZE_MAX / 4);
    SC_AUTO(sc_buf) word = sc_buf_init(SIZE_MAX / 4);
    add_lower(&low, text);
    sc_keyword_score score = {.n = (uint32_t)n};
    for (size_t i = 0; i < n; i++) {
        sc_buf_clear(&word);
        add_lower(&word, keyword[i]);
        if (!sc_buf_ok(&low) || !sc_buf_ok(&word))
            return sc_fail_nomem(err);
        score.found += find(sc_buf_str(&low), sc_buf_str(&word), 0) != SIZE_MAX;
        score.words += has_whole_word(sc_buf_str(&low), sc_buf_str(&word));
    }
    if (n) {
        score.share = (double)score.found / (double)n;
        score.word_share = (double)score.words / (double)n;
    }
    *out = score;
    return SC_OK;
}
