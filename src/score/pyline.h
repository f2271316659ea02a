/**
 * pyline.h - what one line of a text says about Python, without a parser.
 *
 * The extractor asks these about answers in which prose and code are mixed. They are certain in one
 * direction: what sc_py_prose calls prose, no Python interpreter compiles at the margin.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_PYLINE_H
#define SC_SCORE_PYLINE_H

#include "base/str.h"

#include <stdbool.h>

/** The next line of *rest with its line break; empty at the end. */
sc_str sc_py_line(sc_str *rest);

/** Nothing but white space. */
bool sc_py_blank(sc_str s);

/** The line begins with white space and has more than that. */
bool sc_py_indented(sc_str line);

/** Whether `line` is "def NAME(", "class NAME" or "NAME =". */
bool sc_py_defines(sc_str line, sc_str name);

/** The next name that a line of `def`, `class` or `import` binds; *at is 0 at first. */
bool sc_py_bound(sc_str line, size_t *at, sc_str *name);

/** `word` stands in `s`, not as a part of a longer name. */
bool sc_py_uses(sc_str s, sc_str word);

/** The line begins an import, a decorator, a definition or an assignment, and is no prose. */
bool sc_py_begins(sc_str line);

/**
 * Whether a line at the margin may stand before the code of a program: a comment, a string, a
 * closing bracket, what begins with a keyword, or what sc_py_begins says; and no prose.
 */
bool sc_py_opens(sc_str line);

/** The line is a `return` statement at the margin. */
bool sc_py_returns(sc_str line);

/**
 * Whether the line is prose: at the margin, outside of strings, it has two names in a row, a
 * backtick, an apostrophe behind a name, or it is one name and a colon, or begins with "**".
 *
 * *in is the quote of the string of several lines that goes on here, 0 outside; it is carried to
 * the next line.
 */
bool sc_py_prose(sc_str line, char *in);

#endif
