// SPDX-License-Identifier: MIT
#include "kern/avx512/ints.h"

/* acc + the four products u8 * s8 of each dword. */
static inline v16i v16i_dot(v16i acc, v16i w, v16i x, bool wide)
{
    (void)wide;
    return _mm512_dpbusd_epi32(acc, w, x);
}

/* Keeps gcc from loading a vector of weights again for every column. */
static inline v16i v16i_hold(v16i a)
{
    __asm__("" : "+v"(a));
    return a;
}

#define SC_FILL    sc_fill_avx512vnni_dot
#define DOT_COLS   8
#define DOT_BOTH   8
#define DOT_SIGNED 0
#include "kern/dot.inc"
