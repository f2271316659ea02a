/**
 * unicode.h - what a character is, as the tokenizers library has it.
 *
 * That library mixes several versions of Unicode (its regex engine, its normalizers and its
 * pre-tokenizers disagree), so the tables hold what it does. They are made by
 * tools/make_unicode.py.
 *
 * Threads: immutable.
 * Source:  asked of huggingface/tokenizers 0.22, character by character; Unicode Standard Annex 15
 *          for the normal forms.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_UNICODE_H
#define SC_TOK_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sets of characters; a character's flags are the sets it is in. */
enum {
    SC_UNI_L = 1 << 0, // \p{L} of the regex engine
    SC_UNI_N = 1 << 1,
    SC_UNI_P = 1 << 2,
    SC_UNI_M = 1 << 3,
    SC_UNI_SPACE = 1 << 4, // \s, which is also every trimming step's white space
    SC_UNI_WORD = 1 << 5,  // \w of the regex engine
    SC_UNI_DIGIT = 1 << 6, // of the Digits step
    SC_UNI_PUNCT = 1 << 7, // of the Punctuation and Bert steps
    SC_UNI_WORD2 = 1 << 8, // \w of the Whitespace step and of single_word
    SC_UNI_LU = 1 << 9,
    SC_UNI_LL = 1 << 10,
    SC_UNI_LT = 1 << 11,
    SC_UNI_LM = 1 << 12,
    SC_UNI_LO = 1 << 13,
    SC_UNI_ND = 1 << 14,
    SC_UNI_HAN = 1 << 15,
};

extern const uint16_t sc_uni_index[];
extern const uint16_t sc_uni_block[];

/** The sets of `c`; none for a number above U+10FFFF. */
static inline unsigned sc_uni_flags(uint32_t c)
{
    return c < 0x110000 ? sc_uni_block[(size_t)sc_uni_index[c >> 7] * 128 + (c & 127)] : 0u;
}

typedef struct sc_uni_range {
    uint32_t low;
    uint32_t high; // inclusive
} sc_uni_range;

typedef struct sc_uni_script_range {
    uint32_t low;
    uint32_t high;
    uint32_t value;
} sc_uni_script_range;

/** Whether `c` is in one of the `n` sorted ranges. */
bool sc_uni_in(const sc_uni_range *r, size_t n, uint32_t c);

/** Is `c` in the table `name`? */
#define sc_uni_is(name, c) sc_uni_in((name), (name##_n), (c))

// What the library's regex engine has in a class and PCRE2 with Unicode 14 lacks.
extern const sc_uni_range sc_uni_added_L[], sc_uni_added_N[], sc_uni_added_P[], sc_uni_added_M[],
    sc_uni_added_Lu[], sc_uni_added_Ll[], sc_uni_added_Lt[], sc_uni_added_Lm[], sc_uni_added_Lo[],
    sc_uni_added_Nd[];
extern const size_t sc_uni_added_L_n, sc_uni_added_N_n, sc_uni_added_P_n, sc_uni_added_M_n,
    sc_uni_added_Lu_n, sc_uni_added_Ll_n, sc_uni_added_Lt_n, sc_uni_added_Lm_n, sc_uni_added_Lo_n,
    sc_uni_added_Nd_n;
extern const sc_uni_range sc_uni_added_w[]; // to [\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}]
extern const size_t sc_uni_added_w_n;

/** A named class of the regex engine, whole: `n` ranges of the pool. Made by tools/make_classes.py.
 */
typedef struct sc_uni_class {
    const char *name; // lower case without '_'; "[:word:]" and "[:punct:]" begin with a colon
    uint32_t at;
    uint32_t n;
} sc_uni_class;

extern const sc_uni_range sc_uni_class_pool[];
extern const sc_uni_class sc_uni_classes[];
extern const size_t sc_uni_classes_n;

extern const sc_uni_range sc_uni_accents[]; // what StripAccents removes
extern const size_t sc_uni_accents_n;
extern const sc_uni_range sc_uni_bert_removes[], sc_uni_bert_space[], sc_uni_bert_wide[],
    sc_uni_bert_accents[];
extern const size_t sc_uni_bert_removes_n, sc_uni_bert_space_n, sc_uni_bert_wide_n,
    sc_uni_bert_accents_n;
extern const sc_uni_range sc_uni_nmt_removes[], sc_uni_nmt_space[];
extern const size_t sc_uni_nmt_removes_n, sc_uni_nmt_space_n;

extern const sc_uni_script_range sc_uni_scripts[];
extern const size_t sc_uni_scripts_n;
extern const sc_uni_script_range sc_uni_combining[];
extern const size_t sc_uni_combining_n;

/** The script of `c` as the UnicodeScripts step has it: a number, -1 for "any". */
int sc_uni_script(uint32_t c);

/** The canonical combining class of `c`. */
unsigned sc_uni_combining_class(uint32_t c);

/** A map from a character to a few: at[i] is 32 * (place in pool) + count. */
typedef struct sc_uni_map {
    const uint32_t *key; // sorted
    const uint32_t *at;
    const uint32_t *pool;
    size_t n;
} sc_uni_map;

extern const sc_uni_map sc_uni_nfd;
extern const sc_uni_map sc_uni_nfkd; // where it differs from sc_uni_nfd
extern const sc_uni_map sc_uni_lower;

/** What `c` maps to, *n characters; NULL when it stays itself. */
const uint32_t *sc_uni_map_find(const sc_uni_map *m, uint32_t c, size_t *n);

enum { SC_UNI_MAX_FORM = 18 }; // characters that one character decomposes to

/** Writes the full decomposition of `c` (Hangul included), returns its length. */
size_t sc_uni_decompose(uint32_t c, bool compat, uint32_t out[SC_UNI_MAX_FORM]);

typedef struct sc_uni_pair {
    uint32_t first;
    uint32_t second;
    uint32_t both;
} sc_uni_pair;

extern const sc_uni_pair sc_uni_pairs[];
extern const size_t sc_uni_pairs_n;

/** The character that `a` and `b` compose to (Hangul included), or 0. */
uint32_t sc_uni_compose(uint32_t a, uint32_t b);

#endif
