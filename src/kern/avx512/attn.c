// SPDX-License-Identifier: MIT
#include "kern/avx512/lanes.h"

#define SC_FILL    sc_fill_avx512_attn
#define ATTN_HEADS 4
#define ATTN_DIMS  5
#include "kern/attn.inc"
