// SPDX-License-Identifier: MIT
#include "kern/avx512/ints.h"

#include <string.h>

/*
 * Sixteen exact sums over d of keys times a query: a key's bytes are 128 more than their integers,
 * four of d beside each other for each of sixteen positions; `corr` is -128 times the query's sum.
 */
typedef v16i isum;

static inline isum isum_start(int32_t corr)
{
    return v16i_set(corr);
}

/* Adds four of d. */
static inline isum isum_dot(isum a, const uint8_t *k, const uint8_t *q)
{
    int32_t four = 0;
    memcpy(&four, q, sizeof four);
    return _mm512_dpbusd_epi32(a, _mm512_loadu_si512(k), _mm512_set1_epi32(four));
}

static inline v16 isum_float(isum a)
{
    return v16i_float(a);
}

/* The lowest byte of each lane. */
static inline void store_bytes(int8_t *p, v16 a)
{
    v16i_store_bytes((uint8_t *)p, v16i_bits(a));
}

#define SC_FILL  sc_fill_avx512vnni_attn
#define ATTN_Q   8
#define ATTN_B   2
#define ATTN_ACC 24
#include "kern/attn.inc"
