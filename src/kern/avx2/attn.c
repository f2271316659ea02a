// SPDX-License-Identifier: MIT
#include "kern/avx2/lanes.h"

#define SC_FILL    sc_fill_avx2_attn
#define ATTN_HEADS 1
#define ATTN_DIMS  4
#include "kern/attn.inc"
