// SPDX-License-Identifier: MIT
#include "score/extract.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The first line is the entry point, the rest the answer. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *p = (const char *)bytes;
    const char *end = size ? memchr(p, '\n', size) : NULL;
    const size_t first = end ? (size_t)(end - p) : size;
    const sc_str entry = {p, first}, answer = {p + first, size - first};
    const sc_extracted x = sc_extract(answer, entry);
    // The code is a piece of the answer, and NONE is the only one that has no code.
    if (x.code.p < answer.p || x.code.p + x.code.n > answer.p + answer.n)
        abort();
    if ((x.how == SC_EXTRACT_NONE) != (x.code.n == 0))
        abort();
    if (x.how == SC_EXTRACT_RAW && x.code.n != answer.n)
        abort();
    return 0;
}
