/**
 * rng.h - random numbers as a function of (key, counter): no state that an order could change.
 *
 * A sample's draws depend on its seed and the position alone, so the same seed gives the same text
 * whatever else runs beside it.
 *
 * Threads: immutable (pure functions).
 * Source:  Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011: Philox4x32-10.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_RNG_H
#define SC_BASE_RNG_H

#include <stdint.h>

/** The Philox4x32-10 block for `key` and the 128-bit counter (hi, lo). */
void sc_rng_block(uint64_t key, uint64_t hi, uint64_t lo, uint32_t out[4]);

/** A uniform number in [0, 1) with 53 random bits: draw `lo` of stream `hi` under `key`. */
double sc_rng_unit(uint64_t key, uint64_t hi, uint64_t lo);

/** 64 random bits: draw `lo` of stream `hi` under `key`. */
uint64_t sc_rng_u64(uint64_t key, uint64_t hi, uint64_t lo);

/** The seed of the sample `sample` of the task `task_hash` in a run with the seed `run_seed`. */
uint64_t sc_rng_sample_seed(uint64_t run_seed, uint64_t task_hash, uint64_t sample);

#endif
