// SPDX-License-Identifier: MIT
#include "kern/cpu.h"
#include "kern/limits.h"
#include "t.h"

/* No figure of a machine is known beforehand; these are what no machine misses. */
TEST(measures_sane_limits_at_every_level)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_pool) *pool = NULL;
    CHECK_OK(sc_pool_new(2, &pool, &err), &err);
    const unsigned have = sc_cpu_levels();
    const unsigned levels[] = {0, have & SC_CPU_AVX2, have};
    for (size_t i = 0; i < SC_LEN(levels); i++) {
        sc_kern k;
        sc_kern_init(&k, levels[i]);
        sc_limits l = {0};
        CHECK_OK(sc_limits_measure(&k, pool, &l, &err), &err);
        CHECK(l.threads == 2);
        CHECK(l.read_one > 1e8 && l.read_one < 1e13 && l.read_all > 1e8 && l.read_all < 1e13);
        CHECK(l.f32 > 1e7 && l.f32 < 1e14 && l.bf16 > 1e7 && l.int8 > 1e7);
        CHECK(l.barrier > 0 && l.barrier < 1);
        print_message(
            "# %s: read %.1f, %.1f GB/s, f32 %.0f bf16 %.0f int8 %.0f GMAC/s, barrier %.0f ns\n",
            sc_cpu_name(levels[i]), l.read_one * 1e-9, l.read_all * 1e-9, l.f32 * 1e-9,
            l.bf16 * 1e-9, l.int8 * 1e-9, l.barrier * 1e9);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_pool) *pool = NULL;
    CHECK_OK(sc_pool_new(1, &pool, &err), &err);
    sc_kern k;
    sc_kern_init(&k, 0);
    double bytes_s = -1;
    for (long n = 1; n <= 2; n++) {
        sc_alloc_fail_at(n);
        const sc_code code = sc_limits_read(&k, pool, &bytes_s, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_E_NOMEM && bytes_s == -1);
    }
    CHECK_OK(sc_limits_read(&k, pool, &bytes_s, &err), &err);
    CHECK(bytes_s > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(measures_sane_limits_at_every_level),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
