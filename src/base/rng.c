// SPDX-License-Identifier: MIT
#include "base/rng.h"

void sc_rng_block(uint64_t key, uint64_t hi, uint64_t lo, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)key;
    uint32_t k1 = (uint32_t)(key >> 32);
    uint32_t c[4] = {(uint32_t)lo, (uint32_t)(lo >> 32), (uint32_t)hi, (uint32_t)(hi >> 32)};
    for (unsigned round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * c[0];
        const uint64_t b = (uint64_t)0xCD9E8D57u * c[2];
        const uint32_t n0 = (uint32_t)(b >> 32) ^ c[1] ^ k0;
        const uint32_t n2 = (uint32_t)(a >> 32) ^ c[3] ^ k1;
        c[0] = n0;
        c[1] = (uint32_t)b;
        c[2] = n2;
        c[3] = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (unsigned i = 0; i < 4; i++)
        out[i] = c[i];
}

uint64_t sc_rng_u64(uint64_t key, uint64_t hi, uint64_t lo)
{
    uint32_t r[4];
    sc_rng_block(key, hi, lo, r);
    return (uint64_t)r[1] << 32 | r[0];
}

double sc_rng_unit(uint64_t key, uint64_t hi, uint64_t lo)
{
    return (double)(sc_rng_u64(key, hi, lo) >> 11) * 0x1p-53;
}

uint64_t sc_rng_sample_seed(uint64_t run_seed, uint64_t task_hash, uint64_t sample)
{
    return sc_rng_u64(run_seed, task_hash, sample);
}
