// SPDX-License-Identifier: MIT
#include "base/ahead.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, STRETCH = 4 << 20 };

struct sc_ahead {
    pthread_t thread;
    atomic_bool stop;
    size_t n;
    sc_ahead_range *range; // owned
};

/* Puts the pages of a stretch in place; false when the system does not know how. */
static bool populate(uintptr_t from, size_t size)
{
#ifdef MADV_POPULATE_READ
    return madvise((void *)from, size, MADV_POPULATE_READ) == 0;
#else
    (void)from, (void)size;
    return false;
#endif
}

static void *walk(void *arg)
{
    sc_ahead *a = arg;
    for (size_t i = 0; i < a->n; i++) {
        const uintptr_t end = (uintptr_t)a->range[i].from + a->range[i].size;
        for (uintptr_t at = (uintptr_t)a->range[i].from / PAGE * PAGE; at < end; at += STRETCH) {
            const size_t left = end - at;
            if (atomic_load_explicit(&a->stop, memory_order_relaxed) ||
                !populate(at, left < STRETCH ? left : STRETCH))
                return NULL;
        }
    }
    return NULL;
}

sc_ahead *sc_ahead_new(const sc_ahead_range *range, size_t n)
{
    sc_ahead *a = sc_new(sc_ahead);
    if (!a)
        return NULL;
    a->n = n;
    a->range = sc_alloc(n, sizeof *a->range);
    if (a->range && n)
        memcpy(a->range, range, n * sizeof *range);
    if (!a->range || pthread_create(&a->thread, NULL, walk, a) != 0) {
        sc_free(a->range);
        sc_free(a);
        return NULL;
    }
    return a;
}

void sc_ahead_stop(sc_ahead *a)
{
    if (a)
        atomic_store_explicit(&a->stop, true, memory_order_relaxed);
}

void sc_ahead_free(sc_ahead *a)
{
    if (!a)
        return;
    sc_ahead_stop(a);
    (void)pthread_join(a->thread, NULL); // our own thread, joined once
    sc_free(a->range);
    sc_free(a);
}
