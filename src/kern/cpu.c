// SPDX-License-Identifier: MIT
#include "kern/cpu.h"

#include <cpuid.h>
#include <stdint.h>

// What XCR0 must have for ymm (SSE, AVX) and for zmm (and the three of AVX-512).
enum { XCR0_YMM = 0x6, XCR0_ZMM = 0xe6 };

static uint64_t read_xcr0(void)
{
    uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has_all(uint32_t reg, uint32_t bits)
{
    return (reg & bits) == bits;
}

unsigned sc_cpu_levels(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has_all(c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C))
        return 0;
    const uint64_t xcr0 = read_xcr0();
    unsigned a7 = 0, b7 = 0, c7 = 0, d7 = 0;
    if (!__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7) || (xcr0 & XCR0_YMM) != XCR0_YMM ||
        !has_all(b7, bit_AVX2 | bit_BMI | bit_BMI2))
        return 0;

    unsigned levels = SC_CPU_AVX2;
    const uint32_t avx512 = bit_AVX512F | bit_AVX512CD | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if ((xcr0 & XCR0_ZMM) != XCR0_ZMM || !has_all(b7, avx512))
        return levels;
    levels |= SC_CPU_AVX512;
    if (has_all(c7, bit_AVX512VNNI))
        levels |= SC_CPU_VNNI;
    // Subleaf 1 exists when subleaf 0 says so in eax.
    if (a7 >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && has_all(a, bit_AVX512BF16))
        levels |= SC_CPU_BF16;
    return levels;
}

bool sc_cpu_parse(sc_str name, unsigned have, unsigned *levels)
{
    if (sc_str_is(name, "auto"))
        *levels = have;
    else if (sc_str_is(name, "ref"))
        *levels = 0;
    else if (sc_str_is(name, "avx2") && (have & SC_CPU_AVX2))
        *levels = SC_CPU_AVX2;
    else if (sc_str_is(name, "avx512") && (have & SC_CPU_AVX512))
        *levels = have;
    else
        return false;
    return true;
}

const char *sc_cpu_name(unsigned levels)
{
    static const char *const wide[4] = {"avx512", "avx512+vnni", "avx512+bf16", "avx512+vnni+bf16"};
    if (levels & SC_CPU_AVX512)
        return wide[(levels & SC_CPU_VNNI ? 1 : 0) + (levels & SC_CPU_BF16 ? 2 : 0)];
    return levels & SC_CPU_AVX2 ? "avx2" : "ref";
}

void sc_cpu_facts_get(sc_cpu_facts *out)
{
    *out = (sc_cpu_facts){.name = ""};
    uint32_t reg[4] = {0};
    if (__get_cpuid(1, &reg[0], &reg[1], &reg[2], &reg[3])) {
        const unsigned family = (reg[0] >> 8) & 15, model = (reg[0] >> 4) & 15;
        out->family = family == 15 ? family + ((reg[0] >> 20) & 255) : family;
        out->model = family == 15 || family == 6 ? model + ((reg[0] >> 12) & 240) : model;
    }
    for (uint32_t leaf = 0; leaf < 3; leaf++) {
        if (!__get_cpuid(0x80000002u + leaf, &reg[0], &reg[1], &reg[2], &reg[3]))
            return;
        memcpy(out->name + 16 * leaf, reg, sizeof reg);
    }
}
