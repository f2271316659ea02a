/**
 * deal.h - items dealt among the threads of a team as they get done.
 *
 * Each thread begins with a share of its own (sc_pool_share) and takes it from the front; one that
 * is done helps the others from the back. So a thread that was slow, or whose CPU was taken away,
 * holds up no more than the few items that it has in hand.
 *
 * Threads: every thread of the team takes part in the same rounds, in the same order. A round's
 * results are complete behind the next barrier; what it reads was complete before the last one.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_DEAL_H
#define SC_BASE_DEAL_H

#include "base/pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** What is left of one thread's share, on a cache line of its own; zeros are a good beginning. */
typedef struct sc_deal {
    _Alignas(64) _Atomic uint64_t left;
} sc_deal;

enum { SC_DEAL_MOST = (1 << 16) - 1 };

/**
 * Takes up to `unit` of the `total` items of round `round`, fewer towards the end: [*from, *to).
 *
 * Returns false when everything was taken.
 * Shapes: all [me->n]
 * Needs:  total <= SC_DEAL_MOST, unit >= 1; rounds count up from 1 (they may wrap), less than 2^31
 *         between two that look at the same share
 */
bool sc_deal_take(sc_deal *all, const sc_worker *me, uint32_t round, size_t total, size_t unit,
                  size_t *from, size_t *to);

#endif
