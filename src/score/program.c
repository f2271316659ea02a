// SPDX-License-Identifier: MIT
#include "score/program.h"

#include "score/pyline.h"

#include <string.h>

bool sc_program_has_tests(const sc_task *t)
{
    return t->test.n > 0 || t->cases;
}

/* Where the function begins that the code repeats; 0 when it goes on with the prompt's. */
static size_t start_of_block(sc_str s, sc_str entry)
{
    if (sc_py_indented(s))
        return 0;
    for (sc_str rest = s; rest.n;) {
        const size_t at = s.n - rest.n;
        if (sc_py_defines(sc_py_line(&rest), entry))
            return at;
    }
    return 0;
}

/* Where the code that continues a prompt ends: before the first later line at the margin. */
static size_t end_of_block(sc_str s, size_t from)
{
    for (size_t i = from; i + 1 < s.n; i++) {
        if (s.p[i] != '\n')
            continue;
        const char c = s.p[i + 1];
        // A closing bracket at the margin still belongs to what was opened.
        if (c != '\n' && c != '\r' && c != ' ' && c != '\t' && c != ')' && c != ']' && c != '}')
            return i + 1;
    }
    return s.n;
}

sc_cleaned sc_program_clean(const sc_task *t, sc_str completion, bool broken_off, sc_buf *made)
{
    const sc_str prompt = t->whole ? (sc_str){"", 0} : t->prompt;
    const sc_extracted x = sc_extract(completion, t->entry_point, prompt, made);
    sc_cleaned c = {.text = x.code, .how = x.how, .none = x.how == SC_EXTRACT_NONE};
    if (c.none)
        return c;
    // A prompt that compiles may stand before a whole function; another one may not.
    if (x.alone) {
        c.whole = !t->helpers;
        return c;
    }
    if (t->whole)
        return c;
    const size_t end = end_of_block(c.text, x.defines ? start_of_block(c.text, t->entry_point) : 0);
    c.cut = x.more || end < c.text.n;
    c.text.n = end;
    if (!c.cut && broken_off) {
        size_t last = c.text.n;
        while (last > 0 && c.text.p[last - 1] != '\n')
            last--;
        if (last > 0)
            c.text.n = last;
    }
    return c;
}

void sc_program_raise(const sc_task *t, sc_box_limits *l)
{
    if (t->cpu_s > l->cpu_s) {
        l->wall_s = l->cpu_s > 0 ? l->wall_s / l->cpu_s * t->cpu_s : 0; // in proportion
        l->cpu_s = t->cpu_s;
    }
    if (t->memory_mib > l->memory_mib)
        l->memory_mib = t->memory_mib;
}

sc_code sc_program_job(const sc_task *t, const sc_case_list *cases, sc_str completion, bool whole,
                       sc_buf *source, sc_job *out, sc_err *err)
{
    sc_buf_clear(source);
    sc_buf_add_str(source, t->setup);
    if (t->setup.n && t->setup.p[t->setup.n - 1] != '\n')
        sc_buf_add_char(source, '\n');
    if (!t->whole && !whole)
        sc_buf_add_str(source, t->prompt);
    sc_buf_add_str(source, completion);
    if (!sc_buf_ok(source))
        return sc_fail_nomem(err);
    // What the tests call besides the entry point is ours where the task says so.
    *out = (sc_job){.source = sc_buf_str(source),
                    .test = t->test,
                    .entry = t->entry_point,
                    .cases = *cases,
                    .names = t->names,
                    .context = t->helpers ? t->prompt
                               : t->whole ? t->setup
                                          : (sc_str){"", 0}};
    return SC_OK;
}

/* The last line of *s that is not blank, without the blanks at its end; *s loses it. */
static sc_str take_last_line(sc_str *s)
{
    while (s->n && strchr(" \t\r\n", s->p[s->n - 1]) && s->p[s->n - 1])
        s->n--;
    size_t start = s->n;
    while (start && s->p[start - 1] != '\n')
        start--;
    const sc_str line = {s->p + start, s->n - start};
    s->n = start;
    return line;
}

bool sc_program_reaches_end(sc_str program, sc_str completion)
{
    const sc_str last = take_last_line(&program);
    const sc_str half = take_last_line(&completion), before = take_last_line(&completion);
    // Half a line at the margin is no part of the block before it.
    const bool goes_on = half.n && (half.p[0] == ' ' || half.p[0] == '\t');
    return last.n && (sc_str_eq(last, half) || (goes_on && sc_str_eq(last, before)));
}
