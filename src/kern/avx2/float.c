// SPDX-License-Identifier: MIT
#include "kern/avx2/ints.h"

#define SC_FILL    sc_fill_avx2_float
#define FLOAT_COLS 6
#define FLOAT_BOTH 2
#include "kern/float.inc"
