// SPDX-License-Identifier: MIT
#include "kern/levels.h"

#include <immintrin.h>

#define PROBE_T          __m256
#define PROBE_SET        _mm256_setzero_ps()
#define PROBE_STEP(a, x) _mm256_fmadd_ps(x, x, a)
#define PROBE_MACS       8
#define PROBE_NAME       floats
#include "kern/probe.inc"

static inline __m256i bytes_step(__m256i a, __m256i x)
{
    return _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_maddubs_epi16(x, a), x));
}

#define PROBE_T    __m256i
#define PROBE_SET  _mm256_setzero_si256()
#define PROBE_STEP bytes_step
#define PROBE_MACS 32
#define PROBE_NAME bytes
#include "kern/probe.inc"

static uint64_t probe_read(const void *p, size_t n)
{
    const __m256i *at = p;
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (size_t i = 0; i + 4 <= n / 32; i += 4) {
        a = _mm256_xor_si256(a, _mm256_load_si256(at + i));
        b = _mm256_xor_si256(b, _mm256_load_si256(at + i + 1));
        c = _mm256_xor_si256(c, _mm256_load_si256(at + i + 2));
        d = _mm256_xor_si256(d, _mm256_load_si256(at + i + 3));
    }
    a = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
    return (uint64_t)_mm256_extract_epi64(a, 0) ^ (uint64_t)_mm256_extract_epi64(a, 1) ^
           (uint64_t)_mm256_extract_epi64(a, 2) ^ (uint64_t)_mm256_extract_epi64(a, 3);
}

void sc_fill_avx2_probe(sc_kern *k)
{
    k->probe_f32 = floats;
    k->probe_bf16 = floats;
    k->probe_int8 = bytes;
    k->probe_read = probe_read;
}
