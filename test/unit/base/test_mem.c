// SPDX-License-Identifier: MIT
#include "t.h"

TEST(refuses_a_product_that_wraps)
{
    UNUSED;
    void *p = sc_alloc(SIZE_MAX / 2, 3);
    CHECK(p == NULL);
    sc_free(p);
    CHECK(sc_realloc(NULL, SIZE_MAX / 2, 3) == NULL);
    CHECK(sc_alloc_pages(SIZE_MAX) == NULL);
}

TEST(the_nth_allocation_fails_once)
{
    UNUSED;
    sc_alloc_fail_at(2);
    void *a = sc_alloc(1, 1);
    void *b = sc_alloc(1, 1);
    void *c = sc_alloc(1, 1);
    CHECK(a && !b && c);
    sc_free(a);
    sc_free(b);
    sc_free(c);
}

TEST(growth_stops_at_the_ceiling)
{
    UNUSED;
    int *v = NULL;
    size_t cap = 0;
    size_t n = 0;
    while (sc_grow(&v, &cap, n, 100, sizeof *v)) {
        v[n] = (int)n;
        n++;
    }
    assert_int_equal(n, 100);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(v[i], i);
    sc_free(v);
}

TEST(large_blocks_are_aligned_and_zero)
{
    UNUSED;
    const size_t size = (5u << 20) + 3;
    unsigned char *p = sc_alloc_pages(size);
    CHECK(p && (uintptr_t)p % (2u << 20) == 0);
    for (size_t i = 0; i < size; i++)
        if (p[i])
            fail();
    sc_free_pages(p, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(refuses_a_product_that_wraps),
        T(the_nth_allocation_fails_once),
        T(growth_stops_at_the_ceiling),
        T(large_blocks_are_aligned_and_zero),
    };
    return RUN_TESTS(tests);
}
