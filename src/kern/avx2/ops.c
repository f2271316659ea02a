// SPDX-License-Identifier: MIT
#include "kern/avx2/lanes.h"

#define SC_FILL sc_fill_avx2_ops
#include "kern/ops.inc"
