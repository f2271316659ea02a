// SPDX-License-Identifier: MIT
#include "kern/dtype.h"

#include <assert.h>
#include <strings.h>

static const sc_dtype_facts facts[SC_DTYPE_N] = {
    [SC_F32] = {"F32", 1, 4, true},
    [SC_F16] = {"F16", 1, 2, true},
    [SC_BF16] = {"BF16", 1, 2, true},
    [SC_F64] = {"F64", 1, 8, false},
    [SC_I8] = {"I8", 1, 1, false},
    [SC_U8] = {"U8", 1, 1, false},
    [SC_I16] = {"I16", 1, 2, false},
    [SC_I32] = {"I32", 1, 4, false},
    [SC_I64] = {"I64", 1, 8, false},
    [SC_BOOL] = {"BOOL", 1, 1, false},
    [SC_Q4_0] = {"Q4_0", 32, 18, true},
    [SC_Q4_1] = {"Q4_1", 32, 20, true},
    [SC_Q5_0] = {"Q5_0", 32, 22, true},
    [SC_Q5_1] = {"Q5_1", 32, 24, true},
    [SC_Q8_0] = {"Q8_0", 32, 34, true},
    [SC_Q2_K] = {"Q2_K", 256, 84, true},
    [SC_Q3_K] = {"Q3_K", 256, 110, true},
    [SC_Q4_K] = {"Q4_K", 256, 144, true},
    [SC_Q5_K] = {"Q5_K", 256, 176, true},
    [SC_Q6_K] = {"Q6_K", 256, 210, true},
    [SC_IQ4_NL] = {"IQ4_NL", 32, 18, true},
    [SC_IQ4_XS] = {"IQ4_XS", 256, 136, true},
    [SC_MXFP4] = {"MXFP4", 32, 17, true},
    [SC_IQ1_S] = {"IQ1_S", 256, 50, true},
    [SC_IQ1_M] = {"IQ1_M", 256, 56, true},
    [SC_IQ2_XXS] = {"IQ2_XXS", 256, 66, true},
    [SC_IQ2_XS] = {"IQ2_XS", 256, 74, true},
    [SC_IQ2_S] = {"IQ2_S", 256, 82, true},
    [SC_IQ3_XXS] = {"IQ3_XXS", 256, 98, true},
    [SC_IQ3_S] = {"IQ3_S", 256, 110, true},
    [SC_TQ1_0] = {"TQ1_0", 256, 54, true},
    [SC_TQ2_0] = {"TQ2_0", 256, 66, true},
};

const sc_dtype_facts *sc_dtype_info(sc_dtype t)
{
    assert((unsigned)t < SC_DTYPE_N);
    return &facts[t];
}

bool sc_dtype_row_size(sc_dtype t, uint64_t n, uint64_t *size)
{
    const sc_dtype_facts *f = sc_dtype_info(t);
    uint64_t r = 0;
    if (n % f->block != 0 || __builtin_mul_overflow(n / f->block, (uint64_t)f->size, &r))
        return false;
    *size = r;
    return true;
}

bool sc_dtype_find(sc_str name, sc_dtype *t)
{
    for (unsigned i = 0; i < SC_DTYPE_N; i++) {
        if (strlen(facts[i].name) == name.n && strncasecmp(facts[i].name, name.p, name.n) == 0) {
            *t = (sc_dtype)i;
            return true;
        }
    }
    return false;
}
