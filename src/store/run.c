// SPDX-License-Identifier: MIT
#include "store/run.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_RUN_JSON = 256 << 20, ATTEMPTS = 64 };

void sc_run_drop(sc_run *r)
{
    sc_journal_close(r->journal);
    sc_free(r->dir);
    *r = (sc_run){0};
}

static sc_code open_journal(sc_run *r, sc_err *err)
{
    char *path = sc_path_join(r->dir, "samples.jsonl");
    if (!path)
        return sc_fail_nomem(err);
    const sc_code code = sc_journal_open(path, &r->journal, err);
    sc_free(path);
    return code;
}

sc_code sc_run_new(const char *parent, time_t now, sc_run *out, sc_err *err)
{
    SC_TRY(sc_file_make_dirs(parent, err));
    const sc_clock clock = sc_clock_real();
    SC_AUTO(sc_run) r = {0};
    struct tm t = {0};
    (void)localtime_r(&now, &t); // zeros for a time it cannot say
    char stamp[24];
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H-%M-%S", &t);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        const uint64_t draw = sc_rng_u64((uint64_t)getpid(), sc_clock_ns(&clock), i);
        (void)snprintf(r.id, sizeof r.id, "%s-%04x", stamp, (unsigned)(draw & 0xffff));
        sc_free(r.dir);
        r.dir = sc_path_join(parent, r.id);
        if (!r.dir)
            return sc_fail_nomem(err);
        if (mkdir(r.dir, 0777) == 0) {
            SC_TRY(open_journal(&r, err));
            *out = r;
            r = (sc_run){0};
            return SC_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return sc_fail_sys(err, SC_E_IO, errno, "%s", r.dir);
}

sc_code sc_run_open(const char *dir, sc_run *out, sc_err *err)
{
    SC_AUTO(sc_run) r = {0};
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    r.dir = sc_strndup(dir, n);
    if (!r.dir)
        return sc_fail_nomem(err);
    if (!sc_file_is_dir(r.dir))
        return sc_fail(err, SC_E_NOTFOUND, "%s: no such run folder", dir);
    (void)snprintf(r.id, sizeof r.id, "%s", sc_path_base(r.dir)); // cut: then it is not ours
    SC_TRY(open_journal(&r, err));
    *out = r;
    r = (sc_run){0};
    return SC_OK;
}

sc_code sc_run_write(const sc_run *r, const char *name, sc_str text, sc_err *err)
{
    char *path = sc_path_join(r->dir, name);
    if (!path)
        return sc_fail_nomem(err);
    const sc_code code = sc_file_write(path, text, err);
    sc_free(path);
    return code;
}

sc_code sc_run_read(const char *dir, json_t **out, sc_err *err)
{
    char *path = sc_path_join(dir, "run.json");
    if (!path)
        return sc_fail_nomem(err);
    const sc_code code = sc_json_read(path, MAX_RUN_JSON, out, err);
    sc_free(path);
    return code;
}

sc_code sc_run_samples(const char *dir, sc_records *out, sc_err *err)
{
    char *path = sc_path_join(dir, "samples.jsonl");
    if (!path)
        return sc_fail_nomem(err);
    bool torn = false; // the sample in flight when it was cut off: it is simply not there
    const sc_code code = sc_journal_read(path, out, &torn, err);
    sc_free(path);
    return code;
}
