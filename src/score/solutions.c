// SPDX-License-Identifier: MIT
#include "score/solutions.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "score/samples.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 1 << 24, MAX_PROGRAM = 1 << 24 };

/* The entries of a folder, in the order of the numbers in their names. */
typedef struct entries {
    char **name; // owned, [n]
    size_t n, cap;
} entries;

static void entries_drop(entries *e)
{
    for (size_t i = 0; i < e->n; i++)
        sc_free(e->name[i]);
    sc_free(e->name);
}
SC_AUTO_DEFINE_VALUE(entries, entries_drop);

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static sc_code list(const char *dir, entries *out, sc_err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", dir);
    sc_code code = SC_OK;
    for (const struct dirent *e = NULL; code == SC_OK && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        char *name = sc_strdup(e->d_name);
        if (!name || !sc_grow(&out->name, &out->cap, out->n, MAX_ENTRIES, sizeof *out->name)) {
            sc_free(name);
            code = sc_fail_nomem(err);
        } else {
            out->name[out->n++] = name;
        }
    }
    (void)closedir(d); // opened for reading
    if (out->n)
        qsort(out->name, out->n, sizeof *out->name, compare);
    return code;
}

/* "HumanEval/0" of "HumanEval_0"; NULL: no memory, or no such name (then *other). */
static char *task_id(const char *name, bool *other)
{
    const char *bar = strrchr(name, '_');
    *other = !bar || bar == name || !bar[1] || bar[1 + strspn(bar + 1, "0123456789")];
    char *id = *other ? NULL : sc_strdup(name);
    if (id)
        id[bar - name] = '/';
    return id;
}

static bool is_python(const char *name)
{
    const size_t n = strlen(name);
    return n > 3 && strcmp(name + n - 3, ".py") == 0;
}

static sc_code add_program(const char *path, const char *below, const char *id, sc_buf *out,
                           sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_PROGRAM);
    SC_TRY(sc_file_read(path, MAX_PROGRAM, &text, err));
    size_t bad = 0;
    if (!sc_utf8_valid(sc_buf_str(&text), &bad))
        return sc_fail_at(err, SC_E_FORMAT, bad, "%s: not UTF-8 text", path);
    SC_AUTO_JSON *o =
        json_pack("{s:s, s:o, s:o}", "task_id", id, "solution", sc_json_text(sc_buf_str(&text)),
                  "path", sc_json_text(sc_str_c(below)));
    if (!o)
        return sc_fail_nomem(err);
    sc_json_format(o, 0, out);
    sc_buf_add_char(out, '\n');
    if (!sc_buf_ok(out))
        return sc_fail(err, SC_E_LIMIT, "more than %zu bytes of programs, or out of memory",
                       out->max);
    return SC_OK;
}

static sc_code add_task(const char *dir, const char *name, const sc_suite *suite, sc_buf *out,
                        sc_err *err)
{
    bool other = false;
    SC_AUTO(char) *id = task_id(name, &other);
    SC_AUTO(char) *folder = sc_path_join(dir, name);
    if (other)
        return SC_OK;
    if (!id || !folder)
        return sc_fail_nomem(err);
    if (!sc_file_is_dir(folder))
        return SC_OK;
    SC_AUTO(entries) file = {0};
    SC_TRY(list(folder, &file, err));
    for (size_t i = 0; i < file.n; i++) {
        if (!is_python(file.name[i]))
            continue;
        SC_AUTO(char) *below = sc_path_join(name, file.name[i]);
        SC_AUTO(char) *path = sc_path_join(folder, file.name[i]);
        if (!below || !path)
            return sc_fail_nomem(err);
        if (!sc_samples_know(suite, sc_str_c(id)))
            return sc_fail(err, SC_E_FORMAT, "%s: %s has no task \"%s\"", path,
                           sc_suite_name(suite), id);
        SC_TRY(add_program(path, below, id, out, err));
    }
    return SC_OK;
}

sc_code sc_solutions_read(const char *dir, const sc_suite *suite, sc_buf *out, sc_err *err)
{
    const size_t before = out->n;
    SC_AUTO(entries) task = {0};
    SC_TRY(list(dir, &task, err));
    for (size_t i = 0; i < task.n; i++)
        SC_TRY(add_task(dir, task.name[i], suite, out, err));
    if (out->n == before)
        return sc_fail(err, SC_E_FORMAT, "%s: no solution like HumanEval_0/0.py in this folder",
                       dir);
    return SC_OK;
}
