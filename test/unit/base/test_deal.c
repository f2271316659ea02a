// SPDX-License-Identifier: MIT
#include "base/deal.h"
#include "base/mem.h"
#include "t.h"

#include <sched.h>

enum { MOST = 300, ROUNDS = 400 };

struct table {
    sc_deal deal[8];
    _Atomic int done[MOST];
    int wrong[8];
    bool slow; // thread 0 is
};

/* Every round has its own number of items; the second of each pair follows without a barrier. */
static void rounds(const sc_worker *me, void *arg)
{
    struct table *t = arg;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        const size_t total = round * 7 % MOST;
        size_t from = 0;
        size_t to = 0;
        while (sc_deal_take(t->deal, me, round, total, 1 + round % 3, &from, &to)) {
            t->wrong[me->index] += from >= to || to > total;
            for (size_t i = from; i < to; i++)
                atomic_fetch_add(&t->done[i], 1);
            if (t->slow && me->index == 0)
                (void)sched_yield();
        }
        if (round % 2)
            continue;
        sc_pool_barrier(me);
        const size_t before = (round - 1) * 7 % MOST;
        for (size_t i = me->index; i < MOST; i += me->n) {
            t->wrong[me->index] += atomic_load(&t->done[i]) != (i < total) + (i < before);
            atomic_store(&t->done[i], 0);
        }
        sc_pool_barrier(me);
    }
}

TEST(every_item_is_dealt_once)
{
    UNUSED;
    static const unsigned sizes[] = {1, 2, 3, 7};
    for (size_t k = 0; k < 2 * SC_LEN(sizes); k++) {
        sc_err err = {0};
        SC_AUTO(sc_pool) *p = NULL;
        CHECK_OK(sc_pool_new(sizes[k / 2], &p, &err), &err);
        struct table *t = sc_alloc_pages(sizeof *t); // aligned, zeros
        CHECK(t);
        t->slow = k % 2;
        sc_pool_run(p, rounds, t);
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(t->wrong[i], 0);
        sc_free_pages(t, sizeof *t);
    }
}

TEST(a_thread_that_never_comes_holds_nothing_up)
{
    UNUSED;
    sc_deal deal[3] = {0};
    const sc_worker me = {NULL, 1, 3};
    bool seen[100] = {false};
    size_t from = 0;
    size_t to = 0;
    while (sc_deal_take(deal, &me, 1, 100, 8, &from, &to))
        for (size_t i = from; i < to; i++) {
            CHECK(!seen[i]);
            seen[i] = true;
        }
    for (size_t i = 0; i < 100; i++)
        CHECK(seen[i]);
    // The next round begins anew; the one before has nothing for the late.
    const sc_worker late = {NULL, 0, 3};
    CHECK(sc_deal_take(deal, &me, 2, 100, 8, &from, &to));
    CHECK(from == 34 && to == 42);
    CHECK(!sc_deal_take(deal, &late, 1, 100, 8, &from, &to));
    CHECK(sc_deal_take(deal, &late, 2, 100, 8, &from, &to));
    CHECK(from == 0 && to == 8);
}

TEST(rounds_may_wrap)
{
    UNUSED;
    sc_deal deal[2] = {0};
    const sc_worker me = {NULL, 0, 2};
    // Strides that a share may lie untouched for: a thread fewer in the team leaves its share
    // alone.
    uint32_t round = 1;
    for (unsigned k = 0; k < 64; k++, round += k % 2 ? 1u << 23 : 1u << 30) {
        size_t n = 0;
        size_t from = 0;
        size_t to = 0;
        while (sc_deal_take(deal, &me, round, 10, 3, &from, &to))
            n += to - from;
        assert_int_equal(n, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_item_is_dealt_once),
        T(a_thread_that_never_comes_holds_nothing_up),
        T(rounds_may_wrap),
    };
    return RUN_TESTS(tests);
}
