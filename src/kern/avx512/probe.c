// SPDX-License-Identifier: MIT
#include "kern/levels.h"

#include <immintrin.h>

#define PROBE_T          __m512
#define PROBE_SET        _mm512_setzero_ps()
#define PROBE_STEP(a, x) _mm512_fmadd_ps(x, x, a)
#define PROBE_MACS       16
#define PROBE_NAME       floats
#include "kern/probe.inc"

static uint64_t probe_read(const void *p, size_t n)
{
    const __m512i *at = p;
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (size_t i = 0; i + 4 <= n / 64; i += 4) {
        a = _mm512_xor_si512(a, _mm512_load_si512(at + i));
        b = _mm512_xor_si512(b, _mm512_load_si512(at + i + 1));
        c = _mm512_xor_si512(c, _mm512_load_si512(at + i + 2));
        d = _mm512_xor_si512(d, _mm512_load_si512(at + i + 3));
    }
    a = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
    return (uint64_t)_mm512_reduce_or_epi64(a);
}

void sc_fill_avx512_probe(sc_kern *k)
{
    k->probe_f32 = floats;
    k->probe_bf16 = floats;
    k->probe_read = probe_read;
}
