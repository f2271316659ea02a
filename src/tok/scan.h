/**
 * scan.h - hand-written cutters for the patterns that most code models use.
 *
 * Each does what its pattern says, character by character; tests hold it to the pattern itself run
 * by the regex engine on random text.
 *
 * Threads: immutable (pure functions).
 * Source:  the patterns stand in scan.c, next to their scanner.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_SCAN_H
#define SC_TOK_SCAN_H

#include "base/str.h"

#include <stddef.h>

/** The end of the piece of `s` that begins at `at`. Needs: s is UTF-8, at < s.n. */
typedef size_t sc_scan_fn(sc_str s, size_t at);

extern const char sc_scan_gpt2_pattern[];
extern const char sc_scan_qwen2_pattern[];
extern const char sc_scan_llama3_pattern[];

sc_scan_fn sc_scan_gpt2;      // GPT-2, CodeGen, Phi, NeoX
sc_scan_fn sc_scan_starcoder; // each digit alone, then GPT-2's
sc_scan_fn sc_scan_qwen2;     // Qwen2, Qwen2.5, Qwen3
sc_scan_fn sc_scan_llama3;    // Llama 3
sc_scan_fn sc_scan_deepseek;  // DeepSeek-Coder v1

#endif
