// SPDX-License-Identifier: MIT
#include "score/pyline.h"

#include "base/attr.h"

sc_str sc_py_line(sc_str *rest)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    const sc_str line = {rest->p, end ? (size_t)(end - rest->p) + 1 : rest->n};
    *rest = sc_str_skip(*rest, line.n);
    return line;
}

bool sc_py_blank(sc_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!memchr(" \t\r\n", s.p[i], 4))
            return false;
    return true;
}

bool sc_py_indented(sc_str line)
{
    return line.n && (line.p[0] == ' ' || line.p[0] == '\t') && !sc_py_blank(line);
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & '\x80');
}

/* The name at `at`, empty when there is none. */
static sc_str name_at(sc_str s, size_t at)
{
    size_t end = at;
    while (end < s.n && is_name(s.p[end]))
        end++;
    return (sc_str){s.p + at, end - at};
}

static bool is_keyword(sc_str word)
{
    static const char *const list[] = {
        "False",  "None",    "True",  "and",      "as",     "assert", "async",  "await",
        "break",  "case",    "class", "continue", "def",    "del",    "elif",   "else",
        "except", "finally", "for",   "from",     "global", "if",     "import", "in",
        "is",     "lambda",  "match", "nonlocal", "not",    "or",     "pass",   "raise",
        "return", "try",     "type",  "while",    "with",   "yield"};
    for (size_t i = 0; i < SC_LEN(list); i++)
        if (sc_str_is(word, list[i]))
            return true;
    return false;
}

static sc_str skip_spaces(sc_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = sc_str_skip(s, 1);
    return s;
}

/* What stands behind "def " and the like; false when the line does not begin so. */
static bool behind_definition(sc_str line, sc_str *rest)
{
    static const char *const word[] = {"async def ", "def ", "class "};
    for (size_t i = 0; i < SC_LEN(word); i++)
        if (sc_str_starts(line, sc_str_c(word[i]))) {
            *rest = sc_str_skip(line, strlen(word[i]));
            return true;
        }
    return false;
}

/* `rest` is "= ..." and no comparison. */
static bool assigns(sc_str rest)
{
    rest = skip_spaces(rest);
    return rest.n > 1 && rest.p[0] == '=' && rest.p[1] != '=';
}

bool sc_py_defines(sc_str line, sc_str name)
{
    sc_str rest = {0};
    if (behind_definition(line, &rest))
        return sc_str_starts(rest, name) &&
               (rest.n == name.n || !name.n || !is_name(rest.p[name.n]));
    return name.n && sc_str_starts(line, name) && assigns(sc_str_skip(line, name.n));
}

/* Where the names of an import begin; 0 when the line is none. */
static size_t imports(sc_str line)
{
    if (sc_str_starts(line, SC_STR("import ")))
        return 7;
    if (!sc_str_starts(line, SC_STR("from ")))
        return 0;
    const char *at = memmem(line.p, line.n, " import ", 8);
    return at ? (size_t)(at - line.p) + 8 : 0;
}

bool sc_py_bound(sc_str line, size_t *at, sc_str *name)
{
    sc_str rest = {0};
    if (behind_definition(line, &rest)) {
        const size_t start = line.n - rest.n;
        *name = name_at(line, start);
        const bool first = *at < start;
        *at = start;
        return first && name->n;
    }
    if (*at == 0)
        *at = imports(line);
    if (*at == 0)
        return false;
    do {
        while (*at < line.n && line.p[*at] != '#' && !is_name(line.p[*at]))
            ++*at;
        *name = name_at(line, *at);
        *at += name->n;
    } while (sc_str_is(*name, "as"));
    return name->n;
}

bool sc_py_uses(sc_str s, sc_str word)
{
    size_t from = 0;
    while (word.n && from < s.n) {
        const char *p = memmem(s.p + from, s.n - from, word.p, word.n);
        if (!p)
            return false;
        const size_t at = (size_t)(p - s.p), end = at + word.n;
        if ((at == 0 || !is_name(s.p[at - 1])) && (end == s.n || !is_name(s.p[end])))
            return true;
        from = end;
    }
    return false;
}

bool sc_py_begins(sc_str line)
{
    sc_str rest = {0};
    char in = 0;
    const sc_str name = name_at(line, 0);
    if (!sc_str_starts(line, SC_STR("@")) && !behind_definition(line, &rest) && !imports(line) &&
        !(name.n && assigns(sc_str_skip(line, name.n))))
        return false;
    return !sc_py_prose(line, &in);
}

bool sc_py_opens(sc_str line)
{
    char in = 0;
    if (line.n && memchr("#\"')]}", line.p[0], 6))
        return true;
    return sc_py_begins(line) || (is_keyword(name_at(line, 0)) && !sc_py_prose(line, &in));
}

bool sc_py_returns(sc_str line)
{
    char in = 0;
    return sc_str_is(name_at(line, 0), "return") && !sc_py_prose(line, &in);
}

/* Behind the string that begins at `at`, or the line's end with *in set or not closed. */
static size_t skip_string(sc_str line, size_t at, char *in)
{
    const char quote = line.p[at];
    if (at + 2 < line.n && line.p[at + 1] == quote && line.p[at + 2] == quote) {
        *in = quote;
        return at + 3;
    }
    for (at++; at < line.n && line.p[at] != quote; at++)
        if (line.p[at] == '\\')
            at++;
    return at < line.n ? at + 1 : line.n;
}

/* Goes on in a string of several lines; behind its end, or the line's end. */
static size_t go_on(sc_str line, size_t at, char *in)
{
    for (; at < line.n; at++) {
        if (line.p[at] == '\\') {
            at++;
        } else if (line.p[at] == *in && at + 2 < line.n && line.p[at + 1] == *in &&
                   line.p[at + 2] == *in) {
            *in = 0;
            return at + 3;
        }
    }
    return line.n;
}

/* "f", "Rb" and the like. */
static bool is_prefix(sc_str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!memchr("rbfuRBFU", word.p[i], 8))
            return false;
    return word.n <= 2;
}

bool sc_py_prose(sc_str line, char *in)
{
    const bool margin = !*in && line.n && !memchr(" \t\r\n", line.p[0], 4);
    bool prose = margin && sc_str_starts(line, SC_STR("**"));
    sc_str before = {0}; // the name before, with nothing but spaces since
    for (size_t i = 0; i < line.n;) {
        const char c = line.p[i];
        if (*in) {
            i = go_on(line, i, in);
        } else if (c == '#') {
            break;
        } else if (is_name(c)) {
            const sc_str word = name_at(line, i);
            prose |= before.n && !is_keyword(before) && !is_keyword(word);
            before = word;
            i += word.n;
            const bool alone = word.p == line.p && i < line.n && line.p[i] == ':';
            prose |= alone && !is_keyword(word) && sc_py_blank(sc_str_skip(line, i + 1));
            continue;
        } else if (c == '"' || c == '\'') {
            const bool glued = before.n && before.p + before.n == line.p + i;
            prose |= glued && c == '\'' && !is_prefix(before) && !is_keyword(before);
            if (margin && prose)
                break;
            i = skip_string(line, i, in);
        } else {
            prose |= c == '`';
            i++;
            if (c == ' ' || c == '\t')
                continue;
        }
        before = (sc_str){0};
    }
    return margin && prose;
}
