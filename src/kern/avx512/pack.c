// SPDX-License-Identifier: MIT
#include "kern/avx512/ints.h"

#define SC_FILL sc_fill_avx512_pack
#include "kern/pack.inc"
