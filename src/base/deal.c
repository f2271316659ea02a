// SPDX-License-Identifier: MIT
#include "base/deal.h"

/* A word: 32 bits of the round, then first and end of what nobody has taken, 16 bits each. */
enum { BITS = 16 };

/* Who takes a share takes a fourth of what is left, so that all end at about the same time. */
enum { SHARE = 4 };

static uint64_t word_of(uint32_t round, size_t first, size_t end)
{
    return (uint64_t)round << (2 * BITS) | (uint64_t)first << BITS | (uint64_t)end;
}

/*
 * Takes items of the share of thread `whose`. A word of an earlier round becomes this round's, by
 * whoever comes first; one of a later round belongs to a thread that has nothing left of this one.
 */
static bool take_of(sc_deal *all, const sc_worker *me, unsigned whose, uint32_t round, size_t total,
                    size_t unit, size_t *from, size_t *to)
{
    _Atomic uint64_t *word = &all[whose].left;
    uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
    for (;;) {
        size_t first = old >> BITS & SC_DEAL_MOST, end = old & SC_DEAL_MOST;
        const uint32_t age = round - (uint32_t)(old >> (2 * BITS));
        if (age > INT32_MAX)
            return false;
        if (age > 0) {
            if (first < end)
                return false; // its owner is still in that round
            const sc_worker other = {me->pool, whose, me->n};
            sc_pool_share(&other, total, 1, &first, &end);
        }
        if (first >= end)
            return false;
        const size_t part = (end - first) / SHARE + 1; // 1 or more, and no more than there are
        const size_t n = part < unit ? part : unit;
        const bool mine = whose == me->index;
        *from = mine ? first : end - n;
        *to = *from + n;
        const uint64_t now = mine ? word_of(round, first + n, end) : word_of(round, first, end - n);
        // Relaxed: barriers order the items' data; the word decides only who does them.
        if (atomic_compare_exchange_weak_explicit(word, &old, now, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}

bool sc_deal_take(sc_deal *all, const sc_worker *me, uint32_t round, size_t total, size_t unit,
                  size_t *from, size_t *to)
{
    for (unsigned i = 0; i < me->n; i++) {
        const unsigned whose = me->index + i < me->n ? me->index + i : me->index + i - me->n;
        if (take_of(all, me, whose, round, total, unit, from, to))
            return true;
    }
    return false;
}
