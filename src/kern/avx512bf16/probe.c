// SPDX-License-Identifier: MIT
#include "kern/levels.h"

#include <immintrin.h>

#define PROBE_T          __m512
#define PROBE_SET        _mm512_setzero_ps()
#define PROBE_STEP(a, x) _mm512_dpbf16_ps(a, (__m512bh)(x), (__m512bh)(x))
#define PROBE_MACS       32
#define PROBE_NAME       pairs
#include "kern/probe.inc"

void sc_fill_avx512bf16_probe(sc_kern *k)
{
    k->probe_bf16 = pairs;
}
