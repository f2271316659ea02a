/**
 * cpu.h - which kernel levels this machine can run.
 *
 * Three levels are named: ref (plain C), avx2 (AVX2, FMA, F16C, BMI1/2) and avx512 (F, CD, BW, DQ,
 * VL). Inside avx512, VNNI and BF16 are used where the machine has them. A level counts only when
 * the processor offers it and the system saves its registers.
 *
 * Threads: any thread.
 * Source:  Intel SDM vol. 2A CPUID, vol. 1 section 13.3 (XCR0).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_KERN_CPU_H
#define SC_KERN_CPU_H

#include "base/str.h"

#include <stdbool.h>

enum {
    SC_CPU_AVX2 = 1,
    SC_CPU_AVX512 = 2,
    SC_CPU_VNNI = 4,
    SC_CPU_BF16 = 8,
};

typedef struct sc_cpu_facts {
    char name[64];   // as the processor calls itself
    unsigned family; // displayed family, for example 25
    unsigned model;
} sc_cpu_facts;

/** The set of SC_CPU_ flags of this machine; 0 is ref alone. */
unsigned sc_cpu_levels(void);

/**
 * The flags of the level `name` (ref, avx2, avx512, or auto for everything) on a machine with
 * `have`. It only ever lowers.
 *
 * Errors: false, and *levels untouched, for another name or a level that `have` lacks.
 */
bool sc_cpu_parse(sc_str name, unsigned have, unsigned *levels);

/** "ref", "avx2", "avx512", "avx512+vnni", "avx512+bf16" or "avx512+vnni+bf16". */
const char *sc_cpu_name(unsigned levels);

/** Who the processor says it is; an empty name where it does not say. */
void sc_cpu_facts_get(sc_cpu_facts *out);

#endif
