// SPDX-License-Identifier: MIT
#include "kern/ref/lanes.h"

#define SC_FILL sc_fill_ref_ops
#include "kern/ops.inc"
