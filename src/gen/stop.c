// SPDX-License-Identifier: MIT
#include "gen/stop.h"

bool sc_stop_find(const sc_str *stops, size_t n, sc_str text, size_t known, size_t *cut)
{
    bool found = false;
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t len = stops[i].n;
        if (len == 0 || len > text.n)
            continue;
        // A match that was not there before ends in the new part.
        const size_t from = known >= len ? known - len + 1 : 0;
        const char *at = memmem(text.p + from, text.n - from, stops[i].p, len);
        if (at && (!found || (size_t)(at - text.p) < best)) {
            best = (size_t)(at - text.p);
            found = true;
        }
    }
    if (found)
        *cut = best;
    return found;
}

size_t sc_stop_hold(const sc_str *stops, size_t n, sc_str text)
{
    size_t hold = 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = stops[i].n ? stops[i].n - 1 : 0;
        if (len > text.n)
            len = text.n;
        for (; len > hold; len--)
            if (memcmp(text.p + text.n - len, stops[i].p, len) == 0)
                hold = len;
    }
    return hold;
}
