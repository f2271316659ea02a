// SPDX-License-Identifier: MIT
#include "eval/plan.h"

#include "base/file.h"
#include "base/mem.h"

#include <fnmatch.h>
#include <stdlib.h>

enum { MAX_SUITES = 64 };

struct sc_plan {
    sc_suite *suite[MAX_SUITES]; // owned
    size_t n_suites;
    sc_plan_task *task; // owned, [n_tasks]
    size_t n_tasks, cap_tasks;
};

void sc_plan_close(sc_plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_suites; i++)
        sc_suite_close(p->suite[i]);
    sc_free(p->task);
    sc_free(p);
}

static sc_code add_suite(sc_plan *p, const char *name, const char *dir, sc_err *err)
{
    if (p->n_suites == MAX_SUITES)
        return sc_fail(err, SC_E_LIMIT, "more than %d suites", MAX_SUITES);
    SC_AUTO(sc_suite) *s = NULL;
    SC_TRY(sc_suite_open_in(name, dir, &s, err));
    for (size_t i = 0; i < p->n_suites; i++)
        if (strcmp(sc_suite_name(p->suite[i]), sc_suite_name(s)) == 0)
            return sc_fail(err, SC_E_USAGE, "the suite '%s' is named twice", sc_suite_name(s));
    p->suite[p->n_suites++] = sc_take(s);
    return SC_OK;
}

/* "core,mine.jsonl"; a file whose name has a comma is taken as it is. */
static sc_code add_suites(sc_plan *p, const char *names, const char *dir, sc_err *err)
{
    if (!strchr(names, ',') || sc_file_is_file(names))
        return add_suite(p, names, dir, err);
    for (const char *at = names; *at;) {
        const size_t n = strcspn(at, ",");
        char *name = sc_strndup(at, n);
        if (!name)
            return sc_fail_nomem(err);
        const sc_code code = n ? add_suite(p, name, dir, err) : SC_OK;
        sc_free(name);
        SC_TRY(code);
        at += n + (at[n] == ',');
    }
    return SC_OK;
}

static sc_code add_task(sc_plan *p, const sc_suite *suite, const sc_task *task, sc_err *err)
{
    for (size_t i = 0; i < p->n_suites && p->suite[i] != suite; i++)
        if (sc_suite_find(p->suite[i], task->name))
            return sc_fail(err, SC_E_USAGE, "the task \"%.*s\" is in the suites %s and %s",
                           SC_STRF(task->name), sc_suite_name(p->suite[i]), sc_suite_name(suite));
    if (!sc_grow(&p->task, &p->cap_tasks, p->n_tasks, SIZE_MAX / sizeof *p->task, sizeof *p->task))
        return sc_fail_nomem(err);
    sc_plan_task t = {.task = task, .suite = suite};
    SC_TRY(sc_sha256_bytes(task->prompt.p, task->prompt.n, t.prompt_sha, err));
    char start[17];
    memcpy(start, t.prompt_sha, 16);
    start[16] = '\0';
    t.hash = strtoull(start, NULL, 16);
    p->task[p->n_tasks++] = t;
    return SC_OK;
}

static bool fits(sc_str name, const char *pattern)
{
    if (!pattern)
        return true;
    char text[SC_SUITE_MAX_NAME + 1];
    memcpy(text, name.p, name.n); // the reader holds the limit
    text[name.n] = '\0';
    return fnmatch(pattern, text, 0) == 0;
}

static sc_code apply_limit(sc_plan *p, const char *limit, sc_err *err)
{
    if (!limit)
        return SC_OK;
    char *end = NULL;
    const double v = strtod(limit, &end);
    const bool percent = end != limit && strcmp(end, "%") == 0;
    if (end == limit || (*end && !percent) || !(v > 0) || (percent && v > 100) || v > 1e9)
        return sc_fail(err, SC_E_USAGE, "--limit: '%s' is neither a count nor a percentage", limit);
    // At least one task of a percentage that is not nothing.
    const double want = percent ? (double)p->n_tasks * v / 100 : v;
    const size_t n = want < 1 ? 1 : (size_t)want;
    if (n < p->n_tasks)
        p->n_tasks = n;
    return SC_OK;
}

sc_code sc_plan_open(const sc_plan_opts *opts, sc_plan **out, sc_err *err)
{
    SC_AUTO(sc_plan) *p = sc_new(sc_plan);
    if (!p)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < opts->n_suites; i++)
        SC_TRY(add_suites(p, opts->suites[i], opts->data_dir, err));
    for (size_t i = 0; i < p->n_suites; i++) {
        size_t n = 0;
        const sc_task *t = sc_suite_tasks(p->suite[i], &n);
        for (size_t k = 0; k < n; k++)
            if (fits(t[k].name, opts->ids))
                SC_TRY(add_task(p, p->suite[i], &t[k], err));
    }
    SC_TRY(apply_limit(p, opts->limit, err));
    if (p->n_tasks == 0)
        return sc_fail(err, SC_E_NOTFOUND, "no task matches%s%s", opts->ids ? " " : "",
                       opts->ids ? opts->ids : "");
    *out = sc_take(p);
    return SC_OK;
}

const sc_plan_task *sc_plan_tasks(const sc_plan *p, size_t *n)
{
    *n = p->n_tasks;
    return p->task;
}

/* The tasks of one suite: [{task_id, description, category}]. */
static json_t *list_json(const sc_plan *p, const sc_suite *suite)
{
    json_t *list = json_array();
    for (size_t k = 0; list && k < p->n_tasks; k++) {
        const sc_task *t = p->task[k].task;
        if (p->task[k].suite != suite)
            continue;
        json_t *o = json_pack("{s:o, s:o, s:o}", "task_id", sc_json_text(t->name), "description",
                              sc_json_text(t->description), "category", sc_json_text(t->category));
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *sc_plan_json(const sc_plan *p)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < p->n_suites; i++) {
        json_t *tasks = list_json(p, p->suite[i]);
        const char *path = sc_suite_path(p->suite[i]);
        json_t *o = json_pack("{s:o, s:o, s:s, s:I, s:o}", "name",
                              sc_json_text(sc_str_c(sc_suite_name(p->suite[i]))), "path",
                              path ? sc_json_text(sc_str_c(path)) : json_null(), "sha256",
                              sc_suite_sha256(p->suite[i]), "tasks",
                              (json_int_t)json_array_size(tasks), "list", tasks);
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
