// SPDX-License-Identifier: MIT
#include "stat/passk.h"

#include <assert.h>

double sc_pass_at_k(uint64_t n, uint64_t c, uint64_t k)
{
    assert(c <= n && k >= 1 && k <= n);
    if (n - c < k)
        return 1.0;
    // C(n-c,k)/C(n,k) as a product of the shorter of two equal forms: over k or over c factors.
    const uint64_t steps = c < k ? c : k;
    const uint64_t other = c < k ? k : c;
    long double none = 1;
    for (uint64_t i = 0; i < steps; i++)
        none *= (long double)(n - other - i) / (long double)(n - i);
    return (double)(1 - none);
}
