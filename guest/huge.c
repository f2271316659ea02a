// SPDX-License-Identifier: MIT
#include "guest/huge.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    CHUNK = 96 << 10, // below what malloc maps by itself
    WORTH = 512 << 10 // bytes of a segment
};

/* Bytes of huge pages in the mapping that begins at `at`, as the kernel counts them. */
static size_t huge_bytes(const void *at)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    if (!f)
        return 0;
    char line[512], want[32];
    (void)snprintf(want, sizeof want, "%lx-", (unsigned long)(uintptr_t)at); // fits
    bool here = false;
    size_t n = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] < 'A' || line[0] > 'Z')
            here = !strncmp(line, want, strlen(want));
        else if (here && !strncmp(line, "AnonHugePages:", 14))
            n = strtoul(line + 14, NULL, 10) << 10;
    }
    (void)fclose(f); // only read
    return n;
}

char *sc_huge_room(size_t size)
{
    char *all =
        mmap(NULL, size + SC_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    char *at = all + (SC_HUGE - (uintptr_t)all % SC_HUGE) % SC_HUGE;
    // What is before and behind goes back; it is ours, so that cannot fail.
    if (at > all)
        (void)munmap(all, (size_t)(at - all));
    (void)munmap(at + size, (size_t)(all + SC_HUGE - at));
    (void)madvise(at, size, MADV_HUGEPAGE); // else in pages
    return at;
}

/* A copy of [at, at + used) in huge pages takes the place of [at, at + size); false: none to be
 * had.
 */
static bool move(char *at, size_t used, size_t size, int protection)
{
    char *copy = sc_huge_room(size);
    if (!copy)
        return false;
    memset(copy, 1, size); // so that all of it exists before it is looked at
    bool good = huge_bytes(copy) == size;
    // From here to the end nothing is written that lies in the segment.
    memcpy(copy, at, used);
    memset(copy + used, 0, size - used);
    good = good && mprotect(copy, size, protection) == 0 &&
           mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at;
    if (!good)
        (void)munmap(copy, size); // as above
    return good;
}

/* Whether nothing lies in [from, from + size), tried by taking it. */
static bool is_free(uintptr_t from, size_t size)
{
    if (!size)
        return true;
    void *want = (void *)from;
    void *got =
        mmap(want, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != MAP_FAILED)
        (void)munmap(got, size); // ours
    return got == want;
}

/* The part of segment `s` that begins at a huge page's boundary, if it is worth it. */
static bool move_segment(const Elf64_Phdr *s)
{
    const uintptr_t at = (s->p_vaddr + SC_HUGE - 1) / SC_HUGE * SC_HUGE;
    const uintptr_t end = (s->p_vaddr + s->p_memsz + PAGE - 1) / PAGE * PAGE;
    if (end < at + WORTH)
        return true;
    const size_t size = (end - at + SC_HUGE - 1) / SC_HUGE * SC_HUGE;
    const int protection =
        PROT_READ | (s->p_flags & PF_W ? PROT_WRITE : 0) | (s->p_flags & PF_X ? PROT_EXEC : 0);
    return !is_free(end, at + size - end) || move((char *)at, end - at, size, protection);
}

void sc_huge_program(void)
{
    const Elf64_Phdr *h = (const Elf64_Phdr *)getauxval(AT_PHDR);
    const size_t n = getauxval(AT_PHNUM);
    for (size_t i = 0; i < n; i++)
        if (h[i].p_type == PT_PHDR && h[i].p_vaddr != (uintptr_t)h)
            return; // not at a fixed address, so not made for this
    for (size_t i = 0; i < n; i++)
        if (h[i].p_type == PT_LOAD && !move_segment(&h[i]))
            return; // then there is none for the next one either
}

void sc_huge_heap(void)
{
    enum { N = SC_HUGE / CHUNK };
    const uintptr_t now = (uintptr_t)sbrk(0);
    if (sbrk((intptr_t)((SC_HUGE - now % SC_HUGE) % SC_HUGE)) == (void *)-1)
        return;
    char *p[N];
    for (size_t i = 0; i < N; i++)
        p[i] = malloc(CHUNK);
    // Behind the rest, so that it does not go back to the system; volatile: else it may never be
    // made.
    void *volatile stay = malloc(PAGE);
    (void)stay;
    if (p[0] && (uintptr_t)p[0] % SC_HUGE < PAGE)
        (void)madvise(p[0] - (uintptr_t)p[0] % SC_HUGE, SC_HUGE, MADV_HUGEPAGE); // else in pages
    for (size_t i = 0; i < N; i++)
        free(p[i]);
}
