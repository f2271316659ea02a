// SPDX-License-Identifier: MIT
#include "kern/levels.h"

#include <immintrin.h>

#define PROBE_T          __m512i
#define PROBE_SET        _mm512_setzero_si512()
#define PROBE_STEP(a, x) _mm512_dpbusd_epi32(a, x, x)
#define PROBE_MACS       64
#define PROBE_NAME       bytes
#include "kern/probe.inc"

void sc_fill_avx512vnni_probe(sc_kern *k)
{
    k->probe_int8 = bytes;
}
