// SPDX-License-Identifier: MIT
#include "score/clean.h"

#include "base/json.h"
#include "base/mem.h"
#include "score/program.h"

static const double tools_cpu_s = 10;

bool sc_clean_needs_tools(sc_clean_rule rule)
{
    return rule == SC_CLEAN_SPAN;
}

static bool is_blank(sc_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!memchr(" \t\r\n", s.p[i], 4))
            return false;
    return true;
}

/* The next place of `what` from `from` on, or s.n. */
static size_t find(sc_str s, const char *what, size_t from)
{
    const char *at = from <= s.n ? memmem(s.p + from, s.n - from, what, strlen(what)) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & '\x80');
}

/* ```(?:\w+)?\n?(.*?)\n?``` : the first match's group; false when there is none. */
static bool find_block(sc_str s, sc_str *out)
{
    const size_t open = find(s, "```", 0);
    if (open == s.n)
        return false;
    size_t at = open + 3;
    while (at < s.n && is_word(s.p[at]))
        at++;
    if (at < s.n && s.p[at] == '\n')
        at++;
    const size_t close = find(s, "```", at);
    if (close == s.n)
        return false;
    const size_t end = close > at && s.p[close - 1] == '\n' ? close - 1 : close;
    *out = (sc_str){s.p + at, end - at};
    return true;
}

/* A fence is put in front, because the prompt opened one; the answer's first word is taken for its
 * language then, as there. Without a match, the answer alone. */
static sc_str block_of(sc_str answer, sc_buf *scratch)
{
    sc_str found = {"", 0};
    sc_buf_clear(scratch);
    sc_buf_add_c(scratch, "```");
    sc_buf_add_str(scratch, answer);
    if (!find_block(sc_buf_str(scratch), &found))
        (void)find_block(answer, &found); // without a match nothing is run
    return found;
}

/* The lines between the first two that have a fence anywhere; empty when there are fewer. */
static sc_str lines_of(sc_str s)
{
    const size_t first = find(s, "```", 0);
    const char *start = first < s.n ? memchr(s.p + first, '\n', s.n - first) : NULL;
    if (!start)
        return (sc_str){s.p, 0};
    const size_t from = (size_t)(start + 1 - s.p), second = find(s, "```", from);
    if (second == s.n)
        return (sc_str){s.p, 0};
    size_t end = second; // of the line before
    while (end > from && s.p[end - 1] != '\n')
        end--;
    return (sc_str){s.p + from, end > from ? end - 1 - from : 0};
}

static void add_untabbed(sc_buf *out, sc_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\t')
            sc_buf_add_c(out, "    ");
        else
            sc_buf_add_char(out, s.p[i]);
    }
}

/* Asks the tools for what the entry point needs of `program`; *good is false when they cannot. */
static sc_code reduce(sc_box *tools, sc_str entry, sc_buf *program, bool *good, sc_err *err)
{
    SC_AUTO_JSON *request =
        json_pack("{s:s, s:o, s:o}", "op", "span", "code", sc_json_text(sc_buf_str(program)),
                  "entry", sc_json_text(entry));
    SC_AUTO(sc_buf) text = sc_buf_init(program->max);
    sc_json_format(request, 0, &text);
    if (!request || !sc_buf_ok(&text))
        return sc_fail_nomem(err);
    char *answer = NULL;
    size_t n = 0;
    const sc_code code = sc_box_tool(tools, sc_buf_str(&text), tools_cpu_s, &answer, &n, err);
    *good = false;
    if (code == SC_E_LIMIT)
        return SC_OK;
    SC_TRY(code);
    json_t *o = NULL;
    const sc_code parsed = sc_json_parse((sc_str){answer, n}, &o, err);
    sc_free(answer);
    SC_TRY(parsed);
    const json_t *got = json_object_get(o, "text");
    if (json_is_string(got)) {
        sc_buf_clear(program);
        sc_buf_add_str(program, sc_json_str(got));
        *good = true;
    }
    json_decref(o);
    return SC_OK;
}

static void join(const sc_form *form, const sc_task *t, sc_str asked, sc_buf *program)
{
    if (form->join == SC_JOIN_PROMPT)
        sc_buf_add_str(program, t->prompt);
    else if (form->join == SC_JOIN_ASKED)
        sc_buf_add_str(program, asked);
}

/* The extractor decides what stands before the code. */
static void clean_scbench(const sc_task *t, sc_str answer, bool broken_off, sc_buf *scratch,
                          sc_buf *program, sc_clean_note *note)
{
    const sc_cleaned c = sc_program_clean(t, answer, broken_off, scratch);
    const bool alone = c.whole || t->whole;
    if (!alone)
        sc_buf_add_str(program, t->prompt);
    sc_buf_add_str(program, c.text);
    *note = (sc_clean_note){
        .how = c.how == SC_EXTRACT_RAW && c.text.n < answer.n ? "cut" : sc_extract_name(c.how),
        .changed = !sc_str_eq(c.text, answer) || alone != t->whole,
        .none = c.none};
}

sc_code sc_clean(const sc_form *form, const sc_task *t, sc_str asked, sc_str answer,
                 bool broken_off, sc_box *tools, sc_buf *program, sc_clean_note *note, sc_err *err)
{
    sc_buf_clear(program);
    *note = (sc_clean_note){.how = "raw", .none = is_blank(answer)};
    SC_AUTO(sc_buf) scratch = sc_buf_init(program->max);
    bool good = true;
    switch (form->clean) {
    case SC_CLEAN_NONE:
        join(form, t, asked, program);
        sc_buf_add_str(program, answer);
        break;
    case SC_CLEAN_SCBENCH:
        clean_scbench(t, answer, broken_off, &scratch, program, note);
        break;
    case SC_CLEAN_FENCE:
        join(form, t, asked, program);
        sc_buf_add_str(program, (sc_str){answer.p, find(answer, "```", 0)});
        note->changed = find(answer, "```", 0) < answer.n;
        note->how = note->changed ? "fence" : "raw";
        break;
    case SC_CLEAN_BLOCK:
        join(form, t, asked, program);
        sc_buf_add_str(program, block_of(answer, &scratch));
        note->how = "fence";
        note->changed = true;
        note->none = !program->n;
        break;
    case SC_CLEAN_LINES:
        join(form, t, asked, program);
        sc_buf_add_str(program, lines_of(answer));
        note->how = "fence";
        note->changed = true;
        note->none = !program->n;
        break;
    case SC_CLEAN_SPAN:
        join(form, t, asked, program);
        add_untabbed(program, answer);
        join(form, t, asked, &scratch); // as it came, to compare with
        sc_buf_add_str(&scratch, answer);
        SC_TRY(reduce(tools, t->entry_point, program, &good, err));
        note->changed = !sc_str_eq(sc_buf_str(program), sc_buf_str(&scratch));
        note->how = !good ? "as-is" : note->changed ? "span" : "raw";
        break;
    }
    if (!sc_buf_ok(program) || !sc_buf_ok(&scratch))
        return sc_fail_nomem(err);
    return SC_OK;
}
