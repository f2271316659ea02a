// SPDX-License-Identifier: MIT
#include "kern/avx2/ints.h"

static inline __m256i add_pairs(__m256i acc, __m256i pairs)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* |w| * (x with the sign of w): at most 2 * 128 * 127 in 16 bits. */
static inline __m256i signed_pairs(__m256i w, __m256i x)
{
    w = _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80));
    return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
}

/* acc + the four products of each dword; `wide`: weights are 128 more than their integers. The
 * inputs are within +-127, so no sum of two products leaves 16 bits. */
static inline v16i v16i_dot(v16i acc, v16i w, v16i x, bool wide)
{
    if (wide)
        return (v16i){add_pairs(acc.a, signed_pairs(w.a, x.a)),
                      add_pairs(acc.b, signed_pairs(w.b, x.b))};
    return (v16i){add_pairs(acc.a, _mm256_maddubs_epi16(w.a, x.a)),
                  add_pairs(acc.b, _mm256_maddubs_epi16(w.b, x.b))};
}

/* With sixteen registers it is better to load a vector of weights again. */
static inline v16i v16i_hold(v16i a)
{
    return a;
}

#define SC_FILL    sc_fill_avx2_dot
#define DOT_COLS   2
#define DOT_BOTH   1
#define DOT_SIGNED 1
#include "kern/dot.inc"
