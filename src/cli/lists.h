/**
 * lists.h - options that take lists of numbers or of words, spelt out.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_LISTS_H
#define SC_CLI_LISTS_H

#include "cli/args.h"

#include <stddef.h>
#include <stdint.h>

enum { SC_LIST_MOST = 1024 };

/** Values in the order in which they were named, each once. */
typedef struct sc_list {
    uint32_t v[SC_LIST_MOST];
    size_t n;
} sc_list;

/**
 * What a LIST option says: "7", "1-4", "64-1024*2", "0-4096+512", with commas between them; an
 * option that was given several times says all of it. Empty when it has neither value nor default.
 *
 * Errors: SC_E_USAGE for what is no list, for a value outside least to most, for too many values
 */
sc_code sc_list_numbers(const sc_args *args, const char *key, uint32_t least, uint32_t most,
                        sc_list *out, sc_err *err) SC_CHECKED;

/**
 * The same for words among the choices of the option's row ("auto|f16"): their places there.
 *
 * Errors: SC_E_USAGE for another word
 */
sc_code sc_list_words(const sc_args *args, const char *key, sc_list *out, sc_err *err) SC_CHECKED;

#endif
