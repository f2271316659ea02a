// SPDX-License-Identifier: MIT
#include "kern/levels.h"

#define PROBE_T          float
#define PROBE_SET        0.0f
#define PROBE_STEP(a, x) ((a) * (x) + (x))
#define PROBE_MACS       1
#define PROBE_NAME       floats
#include "kern/probe.inc"

static uint64_t probe_read(const void *p, size_t n)
{
    const uint64_t *at = p;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i + 4 <= n / 8; i += 4) {
        a ^= at[i];
        b ^= at[i + 1];
        c ^= at[i + 2];
        d ^= at[i + 3];
    }
    return a ^ b ^ c ^ d;
}

void sc_fill_ref_probe(sc_kern *k)
{
    k->probe_f32 = floats;
    k->probe_bf16 = floats;
    k->probe_int8 = floats;
    k->probe_read = probe_read;
}
