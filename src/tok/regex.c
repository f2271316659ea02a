// SPDX-License-Identifier: MIT
#include "tok/regex.h"

#include "base/mem.h"
#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    MAX_PATTERN = 1 << 16,
    MAX_TRANSLATED = 1 << 22,
    MATCH_LIMIT = 20 * 1000 * 1000,
    HEAP_LIMIT_KIB = 64 * 1024,
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 8 * 1024 * 1024,
};

struct sc_regex {
    pcre2_code *code; // owned
    bool jit;
};

static void *take(PCRE2_SIZE n, void *unused)
{
    (void)unused;
    return sc_alloc(n, 1);
}

static void give(void *p, void *unused)
{
    (void)unused;
    sc_free(p);
}

/* Compiles what is PCRE2 text by now. */
static sc_code compile(sc_str text, uint32_t options, sc_regex *re, sc_err *err)
{
    pcre2_general_context *memory = pcre2_general_context_create(take, give, NULL);
    pcre2_compile_context *how = memory ? pcre2_compile_context_create(memory) : NULL;
    if (!how) {
        pcre2_general_context_free(memory);
        return sc_fail_nomem(err);
    }
    (void)pcre2_set_newline(how, PCRE2_NEWLINE_LF); // a known value cannot be refused
    (void)pcre2_set_parens_nest_limit(how, 200);    // always succeeds
    int code = 0;
    PCRE2_SIZE at = 0;
    re->code = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &code, &at, how);
    pcre2_compile_context_free(how);
    pcre2_general_context_free(memory);
    if (re->code)
        return SC_OK;
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
        return sc_fail_nomem(err);
    char why[128] = "";
    (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why); // a cut text is fine
    return sc_fail(err, SC_E_UNSUPPORTED, "pattern: %s", why);
}

sc_code sc_regex_new(sc_str pattern, bool literal, sc_regex **out, sc_err *err)
{
    if (pattern.n > MAX_PATTERN)
        return sc_fail(err, SC_E_LIMIT, "a pattern of %zu bytes, at most %d are read", pattern.n,
                       MAX_PATTERN);
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_TRANSLATED);
    if (literal)
        sc_buf_add_str(&text, pattern);
    else
        SC_TRY(sc_regex_translate(pattern, &text, err));
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    SC_AUTO(sc_regex) *re = sc_new(sc_regex);
    if (!re)
        return sc_fail_nomem(err);
    // UCP last: PCRE2 refuses nearly every option beside LITERAL.
    const uint32_t options =
        PCRE2_UTF | PCRE2_NO_UTF_CHECK | (literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_MULTILINE);
    SC_TRY(compile(sc_buf_str(&text), options, re, err));
    // Without executable memory the interpreter does it, more slowly.
    re->jit = pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0;
    *out = sc_take(re);
    return SC_OK;
}

void sc_regex_free(sc_regex *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    sc_free(re);
}

void sc_regex_run_drop(sc_regex_run *run)
{
    pcre2_match_data_free(run->data);
    pcre2_match_context_free(run->limit);
    pcre2_jit_stack_free(run->stack);
    *run = (sc_regex_run){0};
}

static sc_code init_run(sc_regex_run *run, sc_err *err)
{
    if (run->data)
        return SC_OK;
    pcre2_general_context *memory = pcre2_general_context_create(take, give, NULL);
    if (!memory)
        return sc_fail_nomem(err);
    run->limit = pcre2_match_context_create(memory);
    run->stack = run->limit ? pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, memory) : NULL;
    run->data = run->limit ? pcre2_match_data_create(1, memory) : NULL;
    pcre2_general_context_free(memory);
    if (!run->data) {
        sc_regex_run_drop(run);
        return sc_fail_nomem(err);
    }
    (void)pcre2_set_match_limit(run->limit, MATCH_LIMIT); // these three always succeed
    (void)pcre2_set_depth_limit(run->limit, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(run->limit, HEAP_LIMIT_KIB);
    if (run->stack)
        pcre2_jit_stack_assign(run->limit, NULL, run->stack);
    return SC_OK;
}

/* The next match at or behind it->from. */
static sc_code search(sc_regex_iter *it, bool *hit, sc_err *err)
{
    sc_regex_run *run = it->run;
    PCRE2_SPTR text = (PCRE2_SPTR)it->text.p;
    int n = PCRE2_ERROR_JIT_BADOPTION;
    if (it->re->jit)
        n = pcre2_jit_match(it->re->code, text, it->text.n, it->from, 0, run->data, run->limit);
    if (n == PCRE2_ERROR_JIT_BADOPTION || n == PCRE2_ERROR_JIT_STACKLIMIT)
        n = pcre2_match(it->re->code, text, it->text.n, it->from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                        run->data, run->limit);
    *hit = n >= 0;
    if (n == PCRE2_ERROR_NOMATCH)
        return SC_OK;
    if (n == PCRE2_ERROR_NOMEMORY)
        return sc_fail_nomem(err);
    if (n < 0)
        return sc_fail(err, SC_E_LIMIT,
                       "a pattern of the tokenizer needs too many steps on this text (PCRE2 %d)",
                       n);
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(run->data);
    it->start = at[0];
    it->end = at[1] < at[0] ? at[0] : at[1]; // \K in a look-ahead can turn them round
    return SC_OK;
}

sc_code sc_regex_next(sc_regex_iter *it, bool *hit, sc_err *err)
{
    SC_TRY(init_run(it->run, err));
    for (;;) {
        *hit = false;
        if (it->from > it->text.n)
            return SC_OK;
        SC_TRY(search(it, hit, err));
        if (!*hit)
            return SC_OK;
        if (it->start != it->end || it->last_end != it->end)
            break;
        // An empty match right behind the last one: on by one character.
        uint32_t point = 0;
        it->from +=
            it->from < it->text.n ? sc_utf8_decode(sc_str_skip(it->text, it->from), &point) : 1;
    }
    it->from = it->end;
    it->last_end = it->end;
    return SC_OK;
}
