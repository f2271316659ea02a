// SPDX-License-Identifier: MIT
#include "kern/cpu.h"
#include "kern/dtype.h"
#include "kern/half.h"
#include "t.h"

#include <math.h>

TEST(names_every_type_and_finds_it_again)
{
    UNUSED;
    for (unsigned t = 0; t < SC_DTYPE_N; t++) {
        const sc_dtype_facts *f = sc_dtype_info((sc_dtype)t);
        sc_dtype back = SC_DTYPE_N;
        CHECK(f->name && f->block >= 1 && f->block <= SC_BLOCK_MAX && f->size >= 1);
        CHECK(sc_dtype_find(sc_str_c(f->name), &back) && back == t);
    }
    sc_dtype t = SC_I8;
    CHECK(sc_dtype_find(SC_STR("q4_k"), &t) && t == SC_Q4_K);
    CHECK(!sc_dtype_find(SC_STR("Q4"), &t) && !sc_dtype_find(SC_STR(""), &t) && t == SC_Q4_K);
}

TEST(refuses_rows_that_are_no_whole_blocks_or_wrap)
{
    UNUSED;
    uint64_t size = 7;
    CHECK(sc_dtype_row_size(SC_Q4_K, 512, &size) && size == 288);
    CHECK(!sc_dtype_row_size(SC_Q4_K, 511, &size) && size == 288);
    CHECK(!sc_dtype_row_size(SC_F32, UINT64_MAX / 2, &size) && size == 288);
}

TEST(every_half_survives_the_way_through_float)
{
    UNUSED;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = sc_f16_f32((uint16_t)h), b = sc_bf16_f32((uint16_t)h);
        CHECK(isnan(f) ? isnan(sc_f16_f32(sc_f32_f16(f))) : sc_f32_f16(f) == h);
        CHECK(isnan(b) ? isnan(sc_bf16_f32(sc_f32_bf16(b))) : sc_f32_bf16(b) == h);
    }
}

/* Between two neighbours the nearer one is taken, in the middle the one with an even last bit. */
TEST(rounds_to_the_nearest_half)
{
    UNUSED;
    for (uint32_t h = 0; h < 0x7bff; h++) {
        const double low = (double)sc_f16_f32((uint16_t)h),
                     high = (double)sc_f16_f32((uint16_t)(h + 1));
        const float mid = (float)((low + high) / 2);
        CHECK(sc_f32_f16(mid) == (h & 1 ? h + 1 : h));
        CHECK(sc_f32_f16(nextafterf(mid, 0.0f)) == h);
        CHECK(sc_f32_f16(nextafterf(mid, 1e6f)) == h + 1);
    }
    CHECK(sc_f32_f16(65519.0f) == 0x7bff && sc_f32_f16(65520.0f) == 0x7c00);
    CHECK(sc_f32_f16(-1e30f) == 0xfc00 && sc_f32_bf16(3.4e38f) == 0x7f80);
}

TEST(a_level_only_ever_lowers)
{
    UNUSED;
    unsigned levels = 99;
    const unsigned all = SC_CPU_AVX2 | SC_CPU_AVX512 | SC_CPU_VNNI | SC_CPU_BF16;
    CHECK(sc_cpu_parse(SC_STR("ref"), all, &levels) && levels == 0);
    CHECK(sc_cpu_parse(SC_STR("avx2"), all, &levels) && levels == SC_CPU_AVX2);
    CHECK(sc_cpu_parse(SC_STR("avx512"), all, &levels) && levels == all);
    CHECK(sc_cpu_parse(SC_STR("auto"), SC_CPU_AVX2, &levels) && levels == SC_CPU_AVX2);
    CHECK(!sc_cpu_parse(SC_STR("avx512"), SC_CPU_AVX2, &levels));
    CHECK(!sc_cpu_parse(SC_STR("avx2"), 0, &levels));
    CHECK(!sc_cpu_parse(SC_STR("sse"), all, &levels) && levels == SC_CPU_AVX2);
    const unsigned mine = sc_cpu_levels();
    CHECK(!(mine & SC_CPU_AVX512) || (mine & SC_CPU_AVX2));
    CHECK(mine == 0 || strcmp(sc_cpu_name(mine), "ref") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_every_type_and_finds_it_again),
        T(refuses_rows_that_are_no_whole_blocks_or_wrap),
        T(every_half_survives_the_way_through_float),
        T(rounds_to_the_nearest_half),
        T(a_level_only_ever_lowers),
    };
    return RUN_TESTS(tests);
}
