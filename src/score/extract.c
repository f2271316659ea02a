// SPDX-License-Identifier: MIT
#include "score/extract.h"

#include "base/attr.h"
#include "score/pyline.h"

enum {
    MAX_BLOCKS = 16,       // that are remembered for joining
    MAX_NAMES = 64,        // of a block that are looked for
    MAX_JOINED = 256 << 10 // bytes of a text whose blocks are joined
};

typedef struct fence {
    char kind;
    size_t length;
    sc_str lead, info; // the white space before it, what stands behind it
} fence;

typedef struct block {
    sc_str text;
    size_t strip; // bytes of white space that each line loses
    bool python;  // marked so, or not marked
    bool defines; // the entry point
} block;

typedef struct blocks {
    block at[MAX_BLOCKS];
    size_t n;
    block best, first, any; // the last that defines, the first of Python, the first; text.p NULL
} blocks;

const char *sc_extract_name(sc_extract_how how)
{
    static const char *const name[] = {"raw", "cut", "thought", "fence", "prose", "indent", "none"};
    return name[how];
}

/* The line without up to n bytes of white space at its start. */
static sc_str strip(sc_str line, size_t n)
{
    while (n-- && line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        line = sc_str_skip(line, 1);
    return line;
}

static bool defines(sc_str code, sc_str name, size_t n_strip)
{
    while (name.n && code.n)
        if (sc_py_defines(strip(sc_py_line(&code), n_strip), name))
            return true;
    return false;
}

static sc_str first_line(sc_str s)
{
    sc_str line = {0};
    while (s.n && sc_py_blank(line))
        line = sc_py_line(&s);
    return line;
}

/* By more than the one space that some models begin every text with. */
static bool begins_indented(sc_str s)
{
    const sc_str line = first_line(s);
    return sc_py_indented(line) && (line.p[0] == '\t' || sc_py_indented(sc_str_skip(line, 1)));
}

// ---- what stands at the ends

static const char *const end_mark[] = {"<|im_end|>", "<|endoftext|>", "<|eot_id|>",
                                       "<|end|>",    "</s>",          "</answer>"};

static sc_str drop_end_marks(sc_str s)
{
    for (bool found = true; found;) {
        sc_str t = s;
        while (t.n && memchr(" \t\r\n", t.p[t.n - 1], 4))
            t.n--;
        found = false;
        for (size_t i = 0; !found && i < SC_LEN(end_mark); i++) {
            found = sc_str_ends(t, sc_str_c(end_mark[i]));
            if (found)
                s.n = t.n - strlen(end_mark[i]);
        }
    }
    return s;
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

// ---- fences

static size_t columns(sc_str white)
{
    size_t n = 0;
    for (size_t i = 0; i < white.n; i++)
        n = white.p[i] == '\t' ? n / 4 * 4 + 4 : n + 1;
    return n;
}

/* The fence that begins at `at`; false when none does. */
static bool fence_at(sc_str line, size_t at, fence *f)
{
    size_t end = at;
    while (end < line.n && (line.p[end] == '`' || line.p[end] == '~') && line.p[end] == line.p[at])
        end++;
    if (end - at < 3)
        return false;
    *f = (fence){.kind = line.p[at], .length = end - at, .info = sc_str_skip(line, end)};
    // "``` code ```" on one line is no fence.
    return f->kind != '`' || !memchr(f->info.p, '`', f->info.n);
}

/* The fence at the start of the line, behind white space only. */
static bool fence_in(sc_str line, fence *f)
{
    size_t at = 0;
    while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
        at++;
    const bool found = fence_at(line, at, f);
    f->lead = (sc_str){line.p, at};
    return found;
}

/* The word behind an opening fence: Python or none; *marked: there is one. */
static bool is_python(sc_str info, bool *marked)
{
    while (info.n && info.p[0] == ' ')
        info = sc_str_skip(info, 1);
    size_t n = 0;
    while (n < info.n && !memchr(" \t\r\n,:;{}[]()=.\"'", info.p[n], 17))
        n++;
    *marked = n > 0;
    static const char *const name[] = {"", "python", "py", "python3", "Python", "PYTHON"};
    for (size_t i = 0; i < SC_LEN(name); i++)
        if (sc_str_is((sc_str){info.p, n}, name[i]))
            return true;
    return false;
}

/* A fence that opens a block; `anywhere`: also deep in the line or behind text. */
static bool opens(sc_str line, bool anywhere, fence *f)
{
    if (fence_in(line, f) && (anywhere || columns(f->lead) <= 3))
        return true;
    const char *p = anywhere ? memmem(line.p, line.n, "```", 3) : NULL;
    bool marked = false;
    if (!p || !fence_at(line, (size_t)(p - line.p), f))
        return false;
    f->lead = (sc_str){line.p, 0};
    return is_python(f->info, &marked);
}

/* Nothing more, or a mark that a turn ends. */
static bool ends_turn(sc_str rest)
{
    bool marked = false;
    for (size_t i = 0; i < SC_LEN(end_mark); i++)
        marked |= sc_str_starts(rest, sc_str_c(end_mark[i]));
    return marked || sc_py_blank(rest);
}

static bool closes(sc_str line, const fence *opening)
{
    fence f = {0};
    return fence_in(line, &f) && f.kind == opening->kind && f.length >= opening->length &&
           columns(f.lead) <= columns(opening->lead) + 3 && ends_turn(f.info);
}

/* Where a fence stands at the end of a line of code, outside of comments and of strings of several
 * lines (*in: pyline.h); line.n when there is none. */
static size_t glued_fence(sc_str line, const fence *opening, char *in)
{
    (void)sc_py_prose(line, in);
    size_t end = line.n;
    while (end && memchr(" \t\r\n", line.p[end - 1], 4))
        end--;
    size_t at = end;
    while (at && line.p[at - 1] == opening->kind)
        at--;
    const sc_str before = {line.p, at};
    const bool only = !*in && end - at >= opening->length && !sc_py_blank(before) &&
                      !memchr(before.p, '#', before.n) &&
                      !memmem(before.p, before.n, opening->kind == '`' ? "```" : "~~~", 3);
    return only ? at : line.n;
}

/* An opening fence that says Python at the start of a line inside a block that says nothing. */
static bool reopens(sc_str line, const fence *opening)
{
    fence f = {0};
    bool marked = false;
    return opens(line, false, &f) && f.kind == opening->kind && f.length >= opening->length &&
           is_python(f.info, &marked) && marked;
}

/* How much of the fence's white space all lines have. */
static size_t common_lead(sc_str text, sc_str lead)
{
    while (text.n && lead.n) {
        const sc_str line = sc_py_line(&text);
        size_t n = 0;
        while (n < lead.n && n < line.n && line.p[n] == lead.p[n])
            n++;
        if (!sc_py_blank(line))
            lead.n = n;
    }
    return lead.n;
}

/* The block behind the fence; *text goes on behind it, or at its end when one that is not closed
 * would have to `go_back` for that. False: the fence was no opening one. */
static bool read_block(sc_str *text, const fence *f, bool go_back, block *out)
{
    char in = 0;
    const sc_str start = *text;
    bool marked = false, closed = false;
    *out = (block){.text = {start.p, 0}, .python = is_python(f->info, &marked)};
    size_t glued = start.n, behind = 0;
    while (text->n && !closed) {
        const sc_str here = *text, line = sc_py_line(text);
        const size_t at = glued_fence(line, f, &in);
        if (!marked && reopens(line, f)) {
            *text = here;
            return false;
        }
        closed = closes(line, f);
        if (!closed && glued == start.n && at < line.n) {
            glued = out->text.n + at;
            behind = out->text.n + line.n;
        }
        out->text.n += closed ? 0 : line.n;
    }
    if (!closed && glued < start.n) {
        out->text.n = glued;
        *text = go_back ? sc_str_skip(start, behind) : *text;
    }
    out->strip = common_lead(out->text, f->lead);
    return true;
}

static void find_blocks(sc_str text, sc_str entry, bool anywhere, blocks *out)
{
    *out = (blocks){.n = 0};
    while (text.n) {
        fence f = {0};
        block b = {0};
        // Going back any number of times would take the square of the text's length.
        if (!opens(sc_py_line(&text), anywhere, &f) ||
            !read_block(&text, &f, out->n < MAX_BLOCKS, &b))
            continue;
        b.defines = defines(b.text, entry, b.strip);
        if (out->n < MAX_BLOCKS)
            out->at[out->n] = b;
        out->n++;
        if (!out->any.text.p)
            out->any = b;
        if (!out->first.text.p && b.python && !sc_py_blank(b.text))
            out->first = b;
        if (b.defines)
            out->best = b;
    }
}

/* What stands before the first fence, where that closes what nothing opened. */
static bool before_fence(sc_str text, sc_str entry, sc_str *out)
{
    const fence plain = {.kind = '`', .length = 3};
    fence f = plain;
    bool found = false;
    char in = 0;
    *out = (sc_str){text.p, 0};
    while (text.n && !found) {
        const bool inside = in;
        const sc_str line = sc_py_line(&text);
        const size_t at = glued_fence(line, &plain, &in);
        found = at < line.n || (!inside && opens(line, false, &f));
        out->n += at < line.n ? at : found ? 0 : line.n;
    }
    return found && ends_turn(f.info) && (begins_indented(*out) || defines(*out, entry, 0));
}

// ---- blocks that belong together

static bool binds(sc_str code, sc_str name)
{
    while (code.n) {
        const sc_str line = strip(sc_py_line(&code), SIZE_MAX);
        sc_str one = {0};
        for (size_t at = 0; sc_py_bound(line, &at, &one);)
            if (sc_str_eq(one, name))
                return true;
    }
    return false;
}

/* Whether the blocks that are taken use a name of `b` that none of them binds. */
static bool needs(const blocks *all, const bool taken[MAX_BLOCKS], const block *b)
{
    sc_str rest = b->text;
    for (size_t names = 0; rest.n;) {
        const sc_str line = strip(sc_py_line(&rest), b->strip);
        sc_str name = {0};
        for (size_t at = 0; names < MAX_NAMES && sc_py_bound(line, &at, &name); names++) {
            bool used = false, bound = false;
            for (size_t i = 0; i < all->n; i++)
                if (taken[i]) {
                    used |= sc_py_uses(all->at[i].text, name);
                    bound |= used && binds(all->at[i].text, name);
                }
            if (used && !bound)
                return true;
        }
    }
    return false;
}

static void add_block(const block *b, sc_buf *out)
{
    sc_str rest = b->text;
    while (rest.n)
        sc_buf_add_str(out, strip(sc_py_line(&rest), b->strip));
}

/* The block, and those before it that step 5 names. */
static sc_str join(sc_str text, const blocks *all, const block *best, sc_str entry, sc_buf *made)
{
    bool taken[MAX_BLOCKS] = {false};
    size_t self = MAX_BLOCKS, n = 0;
    const bool small = text.n <= MAX_JOINED && all->n <= MAX_BLOCKS;
    for (size_t i = 0; small && i < all->n; i++)
        if (all->at[i].text.p == best->text.p)
            self = i;
    if (self < MAX_BLOCKS) {
        taken[self] = true;
        for (size_t i = all->n; i-- > 0;) {
            const block *b = &all->at[i];
            taken[i] |=
                b->python && !b->defines && !sc_py_uses(b->text, entry) && needs(all, taken, b);
        }
    }
    for (size_t i = 0; i < MAX_BLOCKS; i++)
        if (taken[i] && i != self) {
            add_block(&all->at[i], made);
            if (made->n && sc_buf_text(made)[made->n - 1] != '\n')
                sc_buf_add_char(made, '\n');
            n++;
        }
    if (!n && !best->strip)
        return best->text;
    add_block(best, made);
    return sc_buf_str(made);
}

/* Whether `text` goes on behind its piece. */
static bool goes_on(sc_str text, sc_str piece)
{
    return piece.p + piece.n < text.p + text.n;
}

/* Steps 3 and 4; *open: there is no block, or none but what stood before a fence: step 5 goes on.
 */
static bool take_block(sc_str text, sc_str entry, sc_buf *made, sc_extracted *x, bool *open)
{
    blocks strict, deep;
    *open = false;
    find_blocks(text, entry, false, &strict);
    const bool found = strict.best.text.p;
    if (!found)
        find_blocks(text, entry, true, &deep);
    const blocks *all = found ? &strict : &deep;
    if (all->best.text.p) {
        x->more |= goes_on(text, all->best.text);
        x->code = join(text, all, &all->best, entry, made);
        return true;
    }
    sc_str before = {0};
    *open = before_fence(text, entry, &before);
    if (*open) {
        x->more = true;
        x->code = before;
        return true;
    }
    if (!strict.any.text.p) {
        *open = true;
        return false;
    }
    const block *b = strict.first.text.p ? &strict.first : &strict.any;
    if (b->strip)
        add_block(b, made);
    x->more |= goes_on(text, b->text);
    x->code = b->strip ? sc_buf_str(made) : b->text;
    return true;
}

// ---- prose, and bodies without their indentation

/* A program from its first line on, with no prose anywhere. */
static bool is_program(sc_str text, sc_str entry)
{
    if (sc_py_indented(first_line(text)))
        return false;
    bool seen = false;
    char in = 0;
    while (text.n) {
        const bool inside = in;
        const sc_str line = sc_py_line(&text);
        const bool margin = !inside && !sc_py_blank(line) && !sc_py_indented(line);
        if (sc_py_prose(line, &in) || (margin && !seen && !sc_py_opens(line)))
            return false;
        seen |= margin && sc_py_defines(line, entry);
    }
    return seen && !in;
}

/* What stands from the first line of code on; all when what stands before it may be code. */
static sc_str drop_prose(sc_str text)
{
    bool prose = false;
    char in = 0;
    for (sc_str rest = text; rest.n;) {
        const bool inside = in;
        const sc_str here = rest, line = sc_py_line(&rest);
        const bool margin = !inside && !sc_py_blank(line) && !sc_py_indented(line);
        if (sc_py_begins(line) && (margin || prose))
            return prose ? here : text;
        prose |= sc_py_prose(line, &in) || (margin && !sc_py_opens(line));
    }
    return text;
}

/* The code up to the first line of prose behind the entry point, which a body is `seen` in. */
static sc_str drop_talk(sc_str code, sc_str entry, bool seen)
{
    char in = 0;
    for (sc_str rest = code; rest.n;) {
        const size_t at = code.n - rest.n;
        const sc_str line = sc_py_line(&rest);
        const bool prose = sc_py_prose(line, &in);
        if (seen && prose)
            return (sc_str){code.p, at};
        seen |= sc_py_defines(line, entry);
    }
    return code;
}

static bool is_closing(sc_str line)
{
    return line.n && memchr(")]}", line.p[0], 3);
}

/* The body whose statements stand at the margin, from behind the prose up to its return. */
static bool find_body(sc_str code, sc_str *out)
{
    char in = 0;
    const char *start = code.p, *end = NULL;
    while (code.n) {
        const bool inside = in;
        const sc_str line = sc_py_line(&code);
        const bool prose = sc_py_prose(line, &in);
        const bool margin = !inside && !sc_py_blank(line) && !sc_py_indented(line);
        if (end && margin && !is_closing(line))
            break;
        if (prose && !end)
            start = code.p;
        if (end || (margin && sc_py_returns(line)))
            end = line.p + line.n;
    }
    if (!end)
        return false;
    *out = (sc_str){start, (size_t)(end - start)};
    return !sc_py_indented(first_line(*out));
}

/* What stands behind the first line that is not blank. */
static sc_str behind_first(sc_str code, sc_str first)
{
    return sc_str_skip(code, (size_t)(first.p - code.p) + first.n);
}

/* The indentation of all lines but the first, when they return there; 0: not that shape. */
static size_t rest_lead(sc_str code)
{
    const sc_str first = first_line(code);
    char in = 0;
    size_t least = SIZE_MAX;
    bool returns = false;
    if (sc_py_blank(first) || sc_py_indented(first) || sc_py_prose(first, &in) || in ||
        sc_py_defines(first, (sc_str){"", 0}) || memchr("@#", first.p[0], 2))
        return 0;
    for (sc_str rest = behind_first(code, first); rest.n;) {
        const sc_str line = sc_py_line(&rest), text = strip(line, SIZE_MAX);
        const size_t n = line.n - text.n;
        if (sc_py_blank(line) || n > least)
            continue;
        returns = sc_py_returns(text) || (returns && n == least);
        least = n;
    }
    return returns ? least : 0;
}

static void add_indented(sc_str code, sc_buf *out)
{
    char in = 0;
    while (code.n) {
        const bool inside = in;
        const sc_str line = sc_py_line(&code);
        (void)sc_py_prose(line, &in);
        if (!inside && !sc_py_blank(line))
            sc_buf_add_c(out, "    ");
        sc_buf_add_str(out, line);
    }
}

/* Step 7; false when the code is not such a body. */
static bool indent_body(sc_str code, sc_buf *out, bool *more)
{
    sc_str body = {0};
    if (find_body(code, &body)) {
        *more |= goes_on(code, body);
        add_indented(body, out);
        return true;
    }
    const size_t lead = rest_lead(code);
    if (!lead)
        return false;
    const sc_str first = first_line(code), rest = behind_first(code, first);
    const sc_str next = first_line(rest);
    // "for x in y:" whose body follows has lost nothing that the others have.
    if (memchr(first.p, ':', first.n) && next.n - strip(next, SIZE_MAX).n == lead) {
        add_indented(code, out);
        return true;
    }
    sc_buf_add(out, next.p, lead);
    sc_buf_add_str(out, first);
    sc_buf_add_str(out, rest);
    return true;
}

sc_extracted sc_extract(sc_str answer, sc_str entry, sc_str prompt, sc_buf *made)
{
    const sc_extracted none = {.code = {answer.p, 0}, .how = SC_EXTRACT_NONE};
    sc_extracted x = {.code = answer};
    sc_buf_clear(made);
    if (sc_str_starts(x.code, SC_STR("\xef\xbb\xbf")))
        x.code = sc_str_skip(x.code, 3);
    const sc_str whole = x.code;
    x.code = drop_end_marks(x.code);
    x.more = goes_on(whole, x.code);
    bool thought = false, open = false;
    if (!drop_thinking(&x.code, &thought) || sc_py_blank(x.code))
        return none;
    x.how = thought ? SC_EXTRACT_THOUGHT : x.code.n < answer.n ? SC_EXTRACT_CUT : SC_EXTRACT_RAW;
    if (entry.n && is_program(x.code, entry)) {
        x.defines = true;
        return x;
    }
    if (take_block(x.code, entry, made, &x, &open))
        x.how = SC_EXTRACT_FENCE;
    const bool body_first = begins_indented(x.code);
    if (open && (body_first || defines(x.code, entry, 0))) {
        const sc_str code = body_first ? x.code : drop_prose(x.code);
        if (code.n != x.code.n)
            x.how = SC_EXTRACT_PROSE;
        x.code = drop_talk(code, entry, body_first);
        if (x.code.n != code.n && x.how == SC_EXTRACT_RAW)
            x.how = SC_EXTRACT_CUT;
        x.more |= x.code.n != code.n;
    }
    if (sc_py_blank(x.code))
        return none;
    x.defines = defines(x.code, entry, 0);
    x.alone = x.defines && (x.how == SC_EXTRACT_FENCE || x.how == SC_EXTRACT_PROSE) && !body_first;
    SC_AUTO(sc_buf) body = sc_buf_init(made->max);
    if (!x.defines && sc_str_ends(prompt, SC_STR("\n")) && indent_body(x.code, &body, &x.more)) {
        const sc_buf code = *made; // what x.code may stand in
        *made = body;
        body = code;
        x.code = sc_buf_str(made);
        x.how = SC_EXTRACT_INDENT;
    }
    return x;
}
