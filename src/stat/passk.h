/**
 * passk.h - the unbiased estimator of pass@k.
 *
 * Threads: any thread.
 * Source:  Chen et al., "Evaluating Large Language Models Trained on Code", 2021, section 2.1.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STAT_PASSK_H
#define SC_STAT_PASSK_H

#include <stdint.h>

/**
 * 1 - C(n-c, k) / C(n, k): the chance that at least one of k samples drawn from n passes, c of
 * which did.
 *
 * Needs: c <= n, 1 <= k <= n (with fewer samples than k there is no unbiased estimate: refuse
 * before).
 */
double sc_pass_at_k(uint64_t n, uint64_t c, uint64_t k);

#endif
