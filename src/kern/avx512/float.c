// SPDX-License-Identifier: MIT
#include "kern/avx512/ints.h"

#define SC_FILL    sc_fill_avx512_float
#define FLOAT_COLS 12
#define FLOAT_BOTH 12
#include "kern/float.inc"
