// SPDX-License-Identifier: MIT
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 * 1024 * 1024 };

// Thread-local, so that parallel tests do not disturb each other; the one exception to "no mutable
// globals" that STYLE.md names.
static _Thread_local long fail_in;
static _Thread_local uint64_t n_allocs;

static bool must_fail(void)
{
    n_allocs++;
#ifdef SC_FAULT
    return fail_in > 0 && --fail_in == 0;
#else
    return false;
#endif
}

void sc_alloc_fail_at(long nth)
{
    fail_in = nth;
}

uint64_t sc_alloc_count(void)
{
    return n_allocs;
}

void sc_free(void *p)
{
    free(p);
}

void *sc_alloc(size_t n, size_t size)
{
    size_t bytes = 0;
    if (!sc_mul_size(n, size, &bytes) || must_fail())
        return NULL;
    return calloc(bytes ? bytes : 1, 1);
}

void *sc_realloc(void *p, size_t n, size_t size)
{
    size_t bytes = 0;
    if (!sc_mul_size(n, size, &bytes) || must_fail())
        return NULL;
    return realloc(p, bytes ? bytes : 1);
}

char *sc_strndup(const char *s, size_t n)
{
    size_t size = 0;
    if (!sc_add_size(n, 1, &size))
        return NULL;
    char *copy = sc_alloc(size, 1);
    if (copy && n)
        memcpy(copy, s, n);
    return copy;
}

char *sc_strdup(const char *s)
{
    return sc_strndup(s, strlen(s));
}

bool sc_grow(void *p, size_t *cap, size_t n, size_t max, size_t size)
{
    if (n < *cap)
        return true;
    if (n >= max)
        return false;
    size_t want = *cap ? *cap * 2 : 16;
    if (want > max || want < *cap)
        want = max;
    void **at = p;
    void *block = sc_realloc(*at, want, size);
    if (!block)
        return false;
    *at = block;
    *cap = want;
    return true;
}

/* Whole huge pages for large blocks: otherwise the rest of the last one could not be huge. */
static size_t round_up(size_t size)
{
    const size_t unit = size >= HUGE_PAGE ? HUGE_PAGE : 4096;
    return size > SIZE_MAX - unit ? 0 : (size + unit - 1) / unit * unit;
}

static void *alloc_pages(size_t size, bool huge)
{
    const size_t bytes = round_up(size ? size : 1);
    if (!bytes || must_fail())
        return NULL;
    // mmap gives 4 KiB alignment; ask for one huge page more and cut both ends off.
    const size_t slack = bytes >= HUGE_PAGE ? HUGE_PAGE : 0;
    if (bytes > SIZE_MAX - slack)
        return NULL;
    char *p = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (!slack)
        return p;
    const size_t head = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    if (head)
        (void)munmap(p, head); // cannot fail: the range is ours
    if (slack - head)
        (void)munmap(p + head + bytes, slack - head);
    if (huge)
        (void)madvise(p + head, bytes, MADV_HUGEPAGE); // a wish; small pages work too
    return p + head;
}

void *sc_alloc_pages(size_t size)
{
    return alloc_pages(size, true);
}

void *sc_alloc_small_pages(size_t size)
{
    return alloc_pages(size, false);
}

void sc_free_pages(void *p, size_t size)
{
    if (p)
        (void)munmap(p, round_up(size ? size : 1));
}
