// SPDX-License-Identifier: MIT
#include "score/references.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { MAX_CACHE = 16 << 20, MAX_SUITES = 64 };

// Generous: this asks whether a reference is right, not whether it is fast.
static const double cpu_s = 20, wall_s = 60;

/* {suite, interpreter and level: {task: CPU seconds}} */
typedef struct memory {
    json_t *known; // owned
    const char *path;
    char with[128]; // interpreter and level
    bool changed;
} memory;

static sc_code open_memory(const sc_box *box, const char *path, memory *m, sc_err *err)
{
    sc_err ignored = {0}; // a cache that cannot be read is an empty one
    m->path = path;
    (void)snprintf(m->with, sizeof m->with, "%.80s %s", sc_box_python(box),
                   sc_box_level_name(sc_box_level_of(box))); // fits
    if (!path || sc_json_read(path, MAX_CACHE, &m->known, &ignored) != SC_OK)
        m->known = NULL;
    // A few suites are used over and over; a file with many grew by accident.
    if (!json_is_object(m->known) || json_object_size(m->known) > MAX_SUITES) {
        json_decref(m->known);
        m->known = json_object();
    }
    return m->known ? SC_OK : sc_fail_nomem(err);
}

static void key_of(const memory *m, const sc_reference *r, char out[256])
{
    (void)snprintf(out, 256, "%.64s %s", r->suite_sha256, m->with); // fits
}

static bool recall(const memory *m, sc_reference *r)
{
    char key[256];
    key_of(m, r, key);
    const json_t *tasks = json_object_get(m->known, key);
    const json_t *v = json_object_getn(tasks, r->task->name.p, r->task->name.n);
    if (!json_is_number(v) || !(json_number_value(v) >= 0))
        return false;
    r->cpu_s = json_number_value(v);
    return true;
}

static void remember(memory *m, const sc_reference *r)
{
    char key[256];
    key_of(m, r, key);
    json_t *tasks = json_object_get(m->known, key);
    if (!json_is_object(tasks)) {
        tasks = json_object();
        if (json_object_set_new(m->known, key, tasks) != 0)
            return; // not remembered: it runs again the next time
    }
    m->changed |=
        json_object_setn_new(tasks, r->task->name.p, r->task->name.n, json_real(r->cpu_s)) == 0;
}

static void save(memory *m)
{
    if (!m->path || !m->changed)
        return;
    sc_err ignored = {0}; // as above
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_CACHE);
    sc_json_format(m->known, 1, &text);
    char *dir = sc_path_dir(m->path);
    if (dir && sc_buf_ok(&text) && sc_file_make_dirs(dir, &ignored) == SC_OK &&
        sc_file_write(m->path, sc_buf_str(&text), &ignored) == SC_OK)
        m->changed = false;
    sc_free(dir);
}

/* Takes the verdicts; the first that is no pass is the error. */
static sc_code look(sc_judged *ref, size_t n, memory *m, sc_err *err)
{
    sc_code code = SC_OK;
    size_t passed = 0;
    for (size_t i = 0; i < n; i++)
        passed += ref[i].verdict.kind == SC_BOX_PASSED;
    for (size_t i = 0; i < n; i++) {
        sc_reference *r = ref[i].tag;
        r->cpu_s = ref[i].verdict.cpu_s;
        if (ref[i].verdict.kind == SC_BOX_PASSED)
            remember(m, r);
        else if (code == SC_OK)
            code = sc_fail(err, SC_E_SANDBOX,
                           "%zu of %zu reference solutions pass; the first that does not is %.*s "
                           "(%s): the tests, the data or the sandbox are wrong",
                           passed, n, SC_STRF(ref[i].task->name),
                           sc_box_kind_name(ref[i].verdict.kind));
    }
    return code;
}

sc_code sc_references_run(sc_box *box, sc_reference *item, size_t n, const char *cache_file,
                          const atomic_bool *stop, sc_reference_count *out, sc_err *err)
{
    memory m = {0};
    SC_TRY(open_memory(box, cache_file, &m, err));
    sc_judged *ref = sc_alloc(n ? n : 1, sizeof *ref);
    if (!ref) {
        json_decref(m.known);
        return sc_fail_nomem(err);
    }
    *out = (sc_reference_count){0};
    size_t n_ref = 0;
    for (size_t i = 0; i < n; i++) {
        item[i].cpu_s = 0;
        if (!item[i].task->reference.n || !sc_program_has_tests(item[i].task))
            continue;
        out->n++;
        if (recall(&m, &item[i]))
            out->known++;
        else
            ref[n_ref++] =
                (sc_judged){.task = item[i].task, .text = item[i].task->reference, .tag = &item[i]};
    }
    const sc_judge_opts o = {
        .limits = {.cpu_s = cpu_s, .wall_s = wall_s}, .retry = true, .stop = stop};
    sc_judge_count c = {0};
    sc_code code = sc_judge_all(box, ref, n_ref, &o, &c, err);
    if (code == SC_OK)
        code = look(ref, n_ref, &m, err);
    save(&m);
    for (size_t i = 0; i < n_ref; i++)
        sc_verdict_drop(&ref[i].verdict);
    sc_free(ref);
    json_decref(m.known);
    return code;
}
