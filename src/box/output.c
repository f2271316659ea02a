// SPDX-License-Identifier: MIT
#include "box/output.h"

#include <inttypes.h>
#include <string.h>

void sc_output_clear(sc_output *o)
{
    o->printed = 0;
    o->n_head = 0;
}

void sc_output_add(sc_output *o, const char *bytes, size_t n)
{
    const size_t room = SC_OUTPUT_HALF - o->n_head;
    const size_t first = n < room ? n : room;
    memcpy(o->head + o->n_head, bytes, first);
    o->n_head += first;
    o->printed += first;
    bytes += first;
    n -= first;
    if (n > SC_OUTPUT_HALF) { // only the end of it can stay
        o->printed += n - SC_OUTPUT_HALF;
        bytes += n - SC_OUTPUT_HALF;
        n = SC_OUTPUT_HALF;
    }
    while (n) {
        const size_t at = (size_t)((o->printed - SC_OUTPUT_HALF) % SC_OUTPUT_HALF);
        const size_t here = n < SC_OUTPUT_HALF - at ? n : SC_OUTPUT_HALF - at;
        memcpy(o->tail + at, bytes, here);
        o->printed += here;
        bytes += here;
        n -= here;
    }
}

void sc_output_text(const sc_output *o, sc_buf *out)
{
    sc_buf_add(out, o->head, o->n_head);
    const uint64_t behind = o->printed - o->n_head;
    if (!behind)
        return;
    const size_t kept = behind < SC_OUTPUT_HALF ? (size_t)behind : SC_OUTPUT_HALF;
    if (behind > kept)
        sc_buf_addf(out, "\n... %" PRIu64 " bytes left out ...\n", behind - kept);
    const size_t at = (size_t)((behind - kept) % SC_OUTPUT_HALF);
    const size_t first = kept < SC_OUTPUT_HALF - at ? kept : SC_OUTPUT_HALF - at;
    sc_buf_add(out, o->tail + at, first);
    sc_buf_add(out, o->tail, kept - first);
}
