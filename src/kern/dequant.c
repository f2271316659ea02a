// SPDX-License-Identifier: MIT
#include "kern/dequant.h"

#include "kern/dequant.inc"

void sc_dequant_row(sc_dtype t, float *dst, const void *src, size_t n)
{
    dequant_row(t, dst, src, n);
}
