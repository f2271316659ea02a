// SPDX-License-Identifier: MIT
#include "fmt/names.h"

#include "base/mem.h"

#include <stdlib.h>

static sc_str name_at(const sc_names *s, size_t i)
{
    sc_str name;
    memcpy(&name, (const char *)s->items + i * s->item_size, sizeof name);
    return name;
}

static int compare(sc_str a, sc_str b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* By name; items of one name in the order of the file. */
static int compare_items(const void *a, const void *b, void *names)
{
    uint32_t i = 0;
    uint32_t j = 0;
    memcpy(&i, a, sizeof i);
    memcpy(&j, b, sizeof j);
    const int c = compare(name_at(names, i), name_at(names, j));
    return c ? c : (i > j) - (i < j);
}

sc_code sc_names_init(sc_names *s, const void *items, size_t n, size_t item_size, sc_err *err)
{
    if (n > UINT32_MAX)
        return sc_fail(err, SC_E_LIMIT, "%zu names", n);
    uint32_t *order = sc_alloc(n, sizeof *order);
    if (!order)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    sc_names made = {.items = items, .n = n, .item_size = item_size, .order = order};
    qsort_r(order, n, sizeof *order, compare_items, &made);
    *s = made;
    return SC_OK;
}

void sc_names_drop(sc_names *s)
{
    sc_free(s->order);
    *s = (sc_names){0};
}

size_t sc_names_rank(const sc_names *s, sc_str name)
{
    size_t low = 0;
    size_t high = s->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (compare(name_at(s, s->order[mid]), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->n && sc_str_eq(name_at(s, s->order[low]), name) ? low : SIZE_MAX;
}

size_t sc_names_find(const sc_names *s, sc_str name)
{
    const size_t rank = sc_names_rank(s, name);
    return rank == SIZE_MAX ? SIZE_MAX : s->order[rank];
}

size_t sc_names_find_twin(const sc_names *s)
{
    for (size_t i = 1; i < s->n; i++)
        if (sc_str_eq(name_at(s, s->order[i - 1]), name_at(s, s->order[i])))
            return s->order[i];
    return SIZE_MAX;
}
