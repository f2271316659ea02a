// SPDX-License-Identifier: MIT
#include "guest/touch.h"

#include "base/mem.h"
#include "guest/warm.h"

#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_PAGES = 256, MAX_RANGES = 8, MAX_HEAP = 64 << 20 };

typedef struct pages {
    size_t n;
    uintptr_t at[MAX_PAGES];
} pages;

typedef struct range {
    uintptr_t from, to;
} range;

typedef struct ranges {
    size_t n;
    range at[MAX_RANGES];
} ranges;

// A signal handler has no other way to know: where the learning fork writes them down.
static pages *notes;
// What was learnt; from then on only read.
static pages known;

static void add(ranges *r, uintptr_t from, uintptr_t to)
{
    if (from < to && r->n < MAX_RANGES)
        r->at[r->n++] = (range){from / PAGE * PAGE, (to + PAGE - 1) / PAGE * PAGE};
}

/* The data of this program, and of the interpreter where that is part of it. */
static void add_program(ranges *r)
{
    const Elf64_Phdr *h = (const Elf64_Phdr *)getauxval(AT_PHDR);
    const size_t n = getauxval(AT_PHNUM);
    uintptr_t moved = 0;
    for (size_t i = 0; i < n; i++)
        if (h[i].p_type == PT_PHDR)
            moved = (uintptr_t)h - h[i].p_vaddr;
    for (size_t i = 0; i < n; i++)
        if (h[i].p_type == PT_LOAD && (h[i].p_flags & PF_W))
            add(r, moved + h[i].p_vaddr, moved + h[i].p_vaddr + h[i].p_memsz);
}

/* The C library's heap, from its end down to the first page that is none. */
static void add_heap(ranges *r)
{
    const uintptr_t end = (uintptr_t)sbrk(0) / PAGE * PAGE;
    uintptr_t from = end;
    unsigned char there = 0;
    while (end - from < MAX_HEAP && mincore((void *)(from - PAGE), PAGE, &there) == 0)
        from -= PAGE;
    add(r, from, end);
}

static void note(int sig, siginfo_t *i, void *context)
{
    (void)sig;
    (void)context;
    const uintptr_t page = (uintptr_t)i->si_addr / PAGE * PAGE;
    // What is no page of ours is a mistake, and would come again for ever.
    if (notes->n == MAX_PAGES || mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE))
        _exit(1);
    notes->at[notes->n++] = page;
}

static _Noreturn void learn(const sc_py *py, const ranges *r)
{
    const struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSEGV, &a, NULL))
        _exit(1);
    PyOS_AfterFork_Child(); // in a sample too that comes first
    for (size_t i = 0; i < r->n; i++)
        // What is constant since the program was loaded stays so: nobody writes there.
        if (mprotect((void *)r->at[i].from, r->at[i].to - r->at[i].from, PROT_READ))
            _exit(1);
    sc_warm_first(py);
    _exit(0);
}

void sc_touch_learn(const sc_py *py)
{
    ranges r = {0};
    add_program(&r);
    add(&r, (uintptr_t)py->arenas, (uintptr_t)py->arenas + py->arenas_size);
    add_heap(&r);
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (notes == MAP_FAILED)
        return;
    PyOS_BeforeFork();
    const pid_t pid = fork();
    if (pid == 0)
        learn(py, &r);
    PyOS_AfterFork_Parent();
    int status = 1;
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
        known = *notes;
    (void)munmap(notes, sizeof *notes); // no sample shares it
    notes = NULL;
}

void sc_touch(void)
{
    for (size_t i = 0; i < known.n; i++) {
        volatile char *const p = (volatile char *)known.at[i];
        *p = *p;
    }
}
