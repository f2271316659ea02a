// SPDX-License-Identifier: MIT
#include "kern/avx2/ints.h"

#define SC_FILL sc_fill_avx2_pack
#include "kern/pack.inc"
