/**
 * output.h - what a program printed: counted whole, kept as head and tail.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_OUTPUT_H
#define SC_BOX_OUTPUT_H

#include "base/buf.h"

#include <stdint.h>

enum { SC_OUTPUT_HALF = 32 << 10 };

typedef struct sc_output {
    uint64_t printed;
    size_t n_head;
    char head[SC_OUTPUT_HALF];
    char tail[SC_OUTPUT_HALF]; // a ring: the byte number i behind the head is at i % SC_OUTPUT_HALF
} sc_output;

void sc_output_clear(sc_output *o);
void sc_output_add(sc_output *o, const char *bytes, size_t n);

/** Appends head and tail, with a line between that says how much is left out. */
void sc_output_text(const sc_output *o, sc_buf *out);

#endif
