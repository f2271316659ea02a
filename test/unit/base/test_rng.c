// SPDX-License-Identifier: MIT
#include "base/rng.h"
#include "t.h"

TEST(agrees_with_the_published_vectors)
{
    UNUSED;
    // Random123's known answers for philox4x32-10.
    uint32_t r[4];
    sc_rng_block(0, 0, 0, r);
    CHECK(r[0] == 0x6627e8d5 && r[1] == 0xe169c58d && r[2] == 0xbc57ac4c && r[3] == 0x9b00dbd8);
    sc_rng_block(UINT64_MAX, UINT64_MAX, UINT64_MAX, r);
    CHECK(r[0] == 0x408f276d && r[1] == 0x41c83b0e && r[2] == 0xa20bc7c6 && r[3] == 0x6d5451fd);
}

TEST(units_lie_in_the_half_open_interval_and_spread)
{
    UNUSED;
    double sum = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        const double u = sc_rng_unit(7, 1, i);
        CHECK(u >= 0 && u < 1);
        sum += u;
    }
    CHECK(sum > 49500 && sum < 50500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(agrees_with_the_published_vectors),
        T(units_lie_in_the_half_open_interval_and_spread),
    };
    return RUN_TESTS(tests);
}
