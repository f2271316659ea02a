// SPDX-License-Identifier: MIT
#include "kern/avx512/lanes.h"

#define SC_FILL sc_fill_avx512_ops
#include "kern/ops.inc"
