/**
 * regex.h - the patterns of a tokenizer.json: Oniguruma's language (Ruby syntax) on PCRE2.
 *
 * A pattern is rewritten: classes get the characters that Oniguruma's newer Unicode has and PCRE2's
 * lacks, \s \w \d \h \b and class intersections mean what they mean there. What cannot be rewritten
 * faithfully is refused. One known difference stays: a case-blind "ss" does not match a sharp s.
 *
 * Threads: a sc_regex is immutable; a sc_regex_run belongs to one thread.
 * Source:  Oniguruma doc/RE; pcre2pattern(3).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TOK_REGEX_H
#define SC_TOK_REGEX_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sc_regex sc_regex;

/** Rewrites `pattern` for PCRE2. Errors: SC_E_UNSUPPORTED, SC_E_FORMAT, SC_E_NOMEM */
sc_code sc_regex_translate(sc_str pattern, sc_buf *out, sc_err *err) SC_CHECKED;

/**
 * Compiles a pattern; with `literal` it stands for itself.
 *
 * Owns:   the caller frees *out with sc_regex_free.
 * Errors: SC_E_UNSUPPORTED naming the construct, SC_E_FORMAT, SC_E_LIMIT, SC_E_NOMEM
 */
sc_code sc_regex_new(sc_str pattern, bool literal, sc_regex **out, sc_err *err) SC_CHECKED;
void sc_regex_free(sc_regex *re);

/** What matching needs of memory; all-zero is ready. */
typedef struct sc_regex_run {
    void *data;  // owned
    void *limit; // owned
    void *stack; // owned
} sc_regex_run;

void sc_regex_run_drop(sc_regex_run *run);

/** Walks through the matches of one text. */
typedef struct sc_regex_iter {
    const sc_regex *re; // borrowed
    sc_regex_run *run;  // borrowed
    sc_str text;
    size_t from;     // where the next search begins
    size_t last_end; // of the match before, or SIZE_MAX
    size_t start;    // the match
    size_t end;
} sc_regex_iter;

static inline sc_regex_iter sc_regex_over(const sc_regex *re, sc_regex_run *run, sc_str text)
{
    return (sc_regex_iter){.re = re, .run = run, .text = text, .last_end = SIZE_MAX};
}

/**
 * Steps to the next match, it->start to it->end; *hit is false when there is none. An empty match
 * directly behind the match before does not count.
 *
 * Needs:  it->text is UTF-8
 * Errors: SC_E_LIMIT when the pattern needs too many steps on this text, SC_E_NOMEM
 */
sc_code sc_regex_next(sc_regex_iter *it, bool *hit, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_regex, sc_regex_free);

#endif
