// SPDX-License-Identifier: MIT
#include "kern/ref/lanes.h"

#define SC_FILL sc_fill_ref_encode
#include "kern/encode.inc"
