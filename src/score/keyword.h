/**
 * keyword.h - the share of expected keywords that a text has, by two definitions.
 *
 * The first is the original benchmark's: the lower-case keyword is a substring of the lower-case
 * text, so that "in" is found in "print". The second wants whole words: no letter, digit or
 * underscore may touch the keyword on a side where the keyword itself ends in one. Reports show
 * both.
 *
 * Threads: any thread.
 * Source:  lower case is Unicode's simple mapping, with U+0130 as Python has it.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_KEYWORD_H
#define SC_SCORE_KEYWORD_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

typedef struct sc_keyword_score {
    uint32_t n;        // keywords
    uint32_t found;    // as substrings
    uint32_t words;    // as whole words
    double share;      // found / n; 0 when n is 0
    double word_share; // words / n; 0 when n is 0
} sc_keyword_score;

/** Scores `text` against keyword[n]. Errors: SC_E_NOMEM */
sc_code sc_keyword_score_text(const sc_str *keyword, size_t n, sc_str text, sc_keyword_score *out,
                              sc_err *err) SC_CHECKED;

#endif
