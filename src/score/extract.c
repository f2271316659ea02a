// SPDX-License-Identifier: MIT
#include "score/extract.h"

#include "base/attr.h"

const char *sc_extract_name(sc_extract_how how)
{
    static const char *const name[] = {"raw", "thought", "fence", "prose", "none"};
    return name[how];
}

/* The next line of *rest with its line break; empty at the end. */
static sc_str take_line(sc_str *rest)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    const sc_str line = {rest->p, end ? (size_t)(end - rest->p) + 1 : rest->n};
    *rest = sc_str_skip(*rest, line.n);
    return line;
}

static bool is_blank(sc_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
            return false;
    return true;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & '\x80');
}

/* Whether `line` is "def NAME(", "class NAME" or "NAME =" for the name; any name when it is empty.
 */
static bool defines_name(sc_str line, sc_str name)
{
    static const char *const word[] = {"async def ", "def ", "class "};
    for (size_t i = 0; i < SC_LEN(word); i++)
        if (sc_str_starts(line, sc_str_c(word[i]))) {
            const sc_str rest = sc_str_skip(line, strlen(word[i]));
            return sc_str_starts(rest, name) &&
                   (rest.n == name.n || !name.n || !is_name(rest.p[name.n]));
        }
    if (!name.n || !sc_str_starts(line, name))
        return false;
    sc_str rest = sc_str_skip(line, name.n);
    while (rest.n && rest.p[0] == ' ')
        rest = sc_str_skip(rest, 1);
    return rest.n > 1 && rest.p[0] == '=' && rest.p[1] != '=';
}

static bool defines(sc_str code, sc_str name)
{
    while (code.n)
        if (defines_name(take_line(&code), name))
            return true;
    return false;
}

/* The last place where `mark` stands in `s`, or s.n. */
static size_t find_last(sc_str s, sc_str mark)
{
    for (size_t at = s.n >= mark.n ? s.n - mark.n + 1 : 0; at-- > 0;)
        if (memcmp(s.p + at, mark.p, mark.n) == 0)
            return at;
    return s.n;
}

/* Drops the thinking; false when it has no end. */
static bool drop_thinking(sc_str *s, bool *dropped)
{
    static const struct {
        const char *open, *close;
    } mark[] = {{"<think>", "</think>"},
                {"<thinking>", "</thinking>"},
                {"<|begin_of_thought|>", "<|end_of_thought|>"}};
    for (size_t i = 0; i < SC_LEN(mark); i++) {
        const sc_str close = sc_str_c(mark[i].close), open = sc_str_c(mark[i].open);
        const size_t end = find_last(*s, close), start = find_last(*s, open);
        if (start < s->n && (end == s->n || end < start))
            return false;
        if (end < s->n) {
            *s = sc_str_skip(*s, end + close.n);
            *dropped = true;
        }
    }
    return true;
}

/* The length of a fence at the start of `line` (0: none); *info is what stands behind it. */
static size_t fence(sc_str line, char *kind, sc_str *info)
{
    size_t at = 0;
    while (at < line.n && at < 3 && line.p[at] == ' ')
        at++;
    const size_t first = at;
    while (at < line.n && (line.p[at] == '`' || line.p[at] == '~') && line.p[at] == line.p[first])
        at++;
    if (at - first < 3)
        return 0;
    *kind = line.p[first];
    *info = sc_str_skip(line, at);
    // "``` code ```" on one line is no fence.
    if (*kind == '`' && memchr(info->p, '`', info->n))
        return 0;
    return at - first;
}

static bool is_python(sc_str info)
{
    while (info.n && info.p[0] == ' ')
        info = sc_str_skip(info, 1);
    size_t n = 0;
    while (n < info.n && is_name(info.p[n]))
        n++;
    const sc_str word = {info.p, n};
    static const char *const name[] = {"", "python", "py", "python3", "Python", "PYTHON"};
    for (size_t i = 0; i < SC_LEN(name); i++)
        if (sc_str_is(word, name[i]))
            return true;
    return false;
}

/* The block that rule 2 names; false when the text has no fence. */
static bool find_block(sc_str text, sc_str entry, sc_str *out)
{
    sc_str best = {0}, first = {0}, any = {0};
    while (text.n) {
        char kind = 0, end_kind = 0;
        sc_str info = {0}, rest_of_line = {0};
        const size_t length = fence(take_line(&text), &kind, &info);
        if (!length)
            continue;
        sc_str code = {text.p, 0};
        while (text.n) {
            const sc_str line = take_line(&text);
            const size_t closing = fence(line, &end_kind, &rest_of_line);
            if (closing >= length && end_kind == kind && is_blank(rest_of_line))
                break;
            code.n += line.n;
        }
        if (!any.p)
            any = code;
        if (!first.p && is_python(info) && !is_blank(code))
            first = code;
        if (entry.n && defines(code, entry))
            best = code;
    }
    if (!any.p)
        return false;
    *out = best.p ? best : first.p ? first : any;
    return true;
}

static bool begins_code(sc_str line)
{
    static const char *const word[] = {"import ", "from ", "def ", "async def ", "class ", "@"};
    for (size_t i = 0; i < SC_LEN(word); i++)
        if (sc_str_starts(line, sc_str_c(word[i])))
            return true;
    return false;
}

/* What stands from the first line of code on. */
static sc_str drop_prose(sc_str text)
{
    sc_str rest = text;
    while (rest.n) {
        const sc_str here = rest;
        const sc_str line = take_line(&rest);
        // "from the list ..." is prose, "from x import y" is not.
        const bool from = sc_str_starts(line, SC_STR("from "));
        bool import = false;
        for (size_t i = 5; from && i + 8 <= line.n; i++)
            import |= memcmp(line.p + i, " import ", 8) == 0;
        if (begins_code(line) && (!from || import))
            return here;
    }
    return text;
}

sc_extracted sc_extract(sc_str answer, sc_str entry_point)
{
    sc_extracted x = {.code = answer};
    bool thought = false;
    if (!drop_thinking(&x.code, &thought) || is_blank(x.code))
        return (sc_extracted){.code = {answer.p, 0}, .how = SC_EXTRACT_NONE};
    x.how = thought ? SC_EXTRACT_THOUGHT : SC_EXTRACT_RAW;
    if (find_block(x.code, entry_point, &x.code)) {
        x.how = SC_EXTRACT_FENCE;
    } else if (entry_point.n && defines(x.code, entry_point)) {
        const sc_str code = drop_prose(x.code);
        if (code.n != x.code.n)
            x.how = SC_EXTRACT_PROSE;
        x.code = code;
    }
    if (is_blank(x.code))
        return (sc_extracted){.code = {answer.p, 0}, .how = SC_EXTRACT_NONE};
    x.defines = entry_point.n && defines(x.code, entry_point);
    return x;
}
