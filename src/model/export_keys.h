/**
 * export_keys.h - a configuration as the values of a GGUF file.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_EXPORT_KEYS_H
#define SC_MODEL_EXPORT_KEYS_H

#include "fmt/gguf_write.h"
#include "model/arch.h"

/** general.architecture of files for `a`; NULL when llama.cpp has none. */
const char *sc_export_arch(const sc_arch *a);

/** Whether q and k rows are permuted per head in such files. */
bool sc_export_permutes(const char *gguf_arch);

/**
 * The context length to write: windows that llama.cpp would ignore end it.
 *
 * Errors: SC_E_UNSUPPORTED what llama.cpp would compute differently; it names the reason
 */
sc_code sc_export_check(const sc_config *c, const char *gguf_arch, uint32_t *ctx,
                        sc_err *err) SC_CHECKED;

/** Whether llama.cpp computes the tanh form of GELU where the model has the exact one. */
bool sc_export_gelu_differs(const sc_config *c, const char *gguf_arch);

/** Puts the values of the model itself. */
void sc_export_keys(sc_gguf_writer *w, const sc_config *c, const char *gguf_arch, uint32_t ctx);

/** Divisors of the frequencies for RoPE as llama3 has it: out [c->rope.dim / 2]. */
void sc_export_llama3_divisors(const sc_rope_conf *r, float *out);

/** The number that general.file_type has for matrices of type `t`. */
uint32_t sc_export_file_type(sc_dtype t);

#endif
