// SPDX-License-Identifier: MIT
#include "base/utf8.h"

/* How many bytes a character with the lead byte `c` has, and what its second byte may be. */
static size_t lead(unsigned char c, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (c < 0x80)
        return 1;
    if (c < 0xC2)
        return 0;
    if (c < 0xE0)
        return 2;
    if (c < 0xF0) {
        if (c == 0xE0)
            *low = 0xA0; // shorter forms exist
        if (c == 0xED)
            *high = 0x9F; // surrogates
        return 3;
    }
    if (c < 0xF5) {
        if (c == 0xF0)
            *low = 0x90;
        if (c == 0xF4)
            *high = 0x8F; // above U+10FFFF
        return 4;
    }
    return 0;
}

size_t sc_utf8_decode(sc_str s, uint32_t *point)
{
    const unsigned char *p = (const unsigned char *)s.p;
    unsigned char low = 0;
    unsigned char high = 0;
    const size_t len = lead(p[0], &low, &high);
    if (len == 1) {
        *point = p[0];
        return 1;
    }
    *point = SC_UTF8_BAD;
    if (len == 0)
        return 1;
    uint32_t value = p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (i >= s.n || p[i] < low || p[i] > high)
            return i;
        value = value << 6 | (p[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *point = value;
    return len;
}

size_t sc_utf8_encode(uint32_t point, char *out)
{
    unsigned char *p = (unsigned char *)out;
    if (point < 0x80) {
        p[0] = (unsigned char)point;
        return 1;
    }
    if (point < 0x800) {
        p[0] = (unsigned char)(0xC0 | point >> 6);
        p[1] = (unsigned char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        p[0] = (unsigned char)(0xE0 | point >> 12);
        p[1] = (unsigned char)(0x80 | (point >> 6 & 0x3F));
        p[2] = (unsigned char)(0x80 | (point & 0x3F));
        return 3;
    }
    p[0] = (unsigned char)(0xF0 | point >> 18);
    p[1] = (unsigned char)(0x80 | (point >> 12 & 0x3F));
    p[2] = (unsigned char)(0x80 | (point >> 6 & 0x3F));
    p[3] = (unsigned char)(0x80 | (point & 0x3F));
    return 4;
}

bool sc_utf8_valid(sc_str s, size_t *bad_at)
{
    for (size_t i = 0; i < s.n;) {
        if ((unsigned char)s.p[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t point = 0;
        const size_t len = sc_utf8_decode((sc_str){s.p + i, s.n - i}, &point);
        if (point == SC_UTF8_BAD) {
            if (bad_at)
                *bad_at = i;
            return false;
        }
        i += len;
    }
    return true;
}

size_t sc_utf8_tail(sc_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t back = 1; back <= 3 && back <= s.n; back++) {
        const unsigned char c = p[s.n - back];
        if (c >= 0x80 && c < 0xC0)
            continue;
        unsigned char low = 0;
        unsigned char high = 0;
        if (lead(c, &low, &high) <= back)
            return 0;
        if (back >= 2 && (p[s.n - back + 1] < low || p[s.n - back + 1] > high))
            return 0;
        return back;
    }
    return 0;
}
