// SPDX-License-Identifier: MIT
#include "cli/lists.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* One option that is being read. */
typedef struct reader {
    const char *name; // without dashes
    const char *text; // the value at hand
    uint32_t least, most;
    sc_list *out;
    sc_err *err;
} reader;

/* Reads digits at *p and moves behind them; false when there are none. A number that fits nowhere
 * becomes the largest of its type. */
static bool digits(const char **p, uint64_t *out)
{
    char *end = NULL;
    if (**p < '0' || **p > '9')
        return false;
    *out = strtoull(*p, &end, 10);
    *p = end;
    return true;
}

static sc_code add(const reader *r, uint64_t v)
{
    sc_list *l = r->out;
    if (v < r->least || v > r->most)
        return sc_fail(r->err, SC_E_USAGE, "--%s: %" PRIu64 " is outside %" PRIu32 " to %" PRIu32,
                       r->name, v, r->least, r->most);
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i] == v)
            return SC_OK;
    if (l->n == SC_LIST_MOST)
        return sc_fail(r->err, SC_E_USAGE, "--%s: '%s' is more than %d values", r->name, r->text,
                       SC_LIST_MOST);
    l->v[l->n++] = (uint32_t)v;
    return SC_OK;
}

static sc_code fail_form(const reader *r)
{
    return sc_fail(r->err, SC_E_USAGE,
                   "--%s: '%s' is not a list such as 64,512, 1-4, 64-1024*2 or 0-4096+512", r->name,
                   r->text);
}

/* Adds what the item at *p says, and moves behind it. */
static sc_code add_item(const reader *r, const char **p)
{
    uint64_t from = 0, to = 0, by = 1;
    bool times = false;
    if (!digits(p, &from))
        return fail_form(r);
    if (**p != '-')
        return add(r, from);
    (*p)++;
    if (!digits(p, &to) || to < from)
        return fail_form(r);
    if (**p == '*' || **p == '+') {
        times = **p == '*';
        (*p)++;
        if (!digits(p, &by) || by < (times ? 2u : 1u) || (times && from == 0))
            return fail_form(r);
    }
    if (to > r->most)
        return add(r, to); // fails; and below nothing wraps
    by = by > UINT32_MAX ? UINT32_MAX : by;
    for (uint64_t v = from; v <= to; v = times ? v * by : v + by)
        SC_TRY(add(r, v));
    return SC_OK;
}

static sc_code add_numbers(const reader *r)
{
    for (const char *p = r->text; *p;) {
        SC_TRY(add_item(r, &p));
        if (*p && *p != ',')
            return fail_form(r);
        p += *p == ',';
    }
    return SC_OK;
}

/* The i-th value of the option; the default stands in for none. NULL behind the last one. */
static const char *value_of(const sc_args *args, const char *key, unsigned i)
{
    const unsigned n = sc_args_count(args, key);
    return i < n ? sc_args_nth(args, key, i) : n == 0 && i == 0 ? sc_args_text(args, key) : NULL;
}

sc_code sc_list_numbers(const sc_args *args, const char *key, uint32_t least, uint32_t most,
                        sc_list *out, sc_err *err)
{
    reader r = {sc_opt_name(sc_opt_find(key)), NULL, least, most, out, err};
    out->n = 0;
    for (unsigned i = 0; (r.text = value_of(args, key, i)) != NULL; i++)
        SC_TRY(add_numbers(&r));
    return SC_OK;
}

/* The place of `word` among the choices, which bars separate; -1: none of them. */
static int place_of(const char *word, size_t n, const char *choices)
{
    for (int at = 0;; at++) {
        const size_t len = strcspn(choices, "|");
        if (len == n && memcmp(word, choices, n) == 0)
            return at;
        if (!choices[len])
            return -1;
        choices += len + 1;
    }
}

sc_code sc_list_words(const sc_args *args, const char *key, sc_list *out, sc_err *err)
{
    const sc_opt *o = sc_opt_find(key);
    reader r = {sc_opt_name(o), NULL, 0, UINT32_MAX, out, err};
    out->n = 0;
    for (unsigned i = 0; (r.text = value_of(args, key, i)) != NULL; i++)
        for (const char *p = r.text; *p;) {
            const size_t n = strcspn(p, ",");
            const int at = place_of(p, n, o->choices);
            if (at < 0)
                return sc_fail(err, SC_E_USAGE, "--%s: '%.*s' is none of %s", r.name,
                               n < 100 ? (int)n : 100, p, o->choices);
            SC_TRY(add(&r, (uint64_t)at));
            p += n + (p[n] == ',');
        }
    return SC_OK;
}
