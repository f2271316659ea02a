// SPDX-License-Identifier: MIT
#include "hub/store.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_PATH = 4096, LOCK_STEP_MS = 200, LOCK_MAX_MS = 3600 * 1000 };

static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                          "# This file is a cache directory tag created by scbench.\n"
                          "# For information about cache directory tags see "
                          "https://bford.info/cachedir/\n";

/* The folder above `path`, made. */
static sc_code make_parent(const char *path, sc_err *err)
{
    char *dir = sc_path_dir(path);
    if (!dir)
        return sc_fail_nomem(err);
    const sc_code code = sc_file_make_dirs(dir, err);
    sc_free(dir);
    return code;
}

sc_code sc_hub_store_prepare(const sc_hub_places *places, const char *repo_dir, sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/blobs", repo_dir);
    if (!sc_buf_ok(&path))
        return sc_fail_nomem(err);
    SC_TRY(sc_file_make_dirs(path.p, err));
    sc_buf_clear(&path);
    sc_buf_addf(&path, "%s/CACHEDIR.TAG", places->cache);
    if (!sc_buf_ok(&path))
        return sc_fail_nomem(err);
    if (access(path.p, F_OK) == 0)
        return SC_OK;
    return sc_file_write(path.p, sc_str_c(tag), err);
}

sc_code sc_hub_store_lock(sc_hub_session *s, const char *path, int *fd, sc_err *err)
{
    SC_TRY(make_parent(path, err));
    const int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    for (unsigned waited_ms = 0; flock(f, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_STEP_MS) {
        const int why = errno;
        sc_code code = SC_OK;
        if (why != EWOULDBLOCK && why != EINTR)
            code = sc_fail_sys(err, SC_E_IO, why, "%s", path);
        else if (waited_ms >= LOCK_MAX_MS)
            code = sc_fail(err, SC_E_LIMIT, "%s: another process holds it for an hour", path);
        else
            code = sc_hub_wait(s, LOCK_STEP_MS, "another process downloads this file", err);
        if (code != SC_OK) {
            (void)close(f); // nothing was written
            return code;
        }
    }
    *fd = f;
    return SC_OK;
}

void sc_hub_store_unlock(int fd)
{
    (void)close(fd); // gives the lock back; the file stays, as huggingface_hub's do
}

/* A file of its own with the blob's content: the same inode where that works, else a copy. */
static sc_code put_file(const char *blob, const char *to, sc_err *err)
{
    if (link(blob, to) == 0)
        return SC_OK;
    const int in = open(blob, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", blob);
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int why = out < 0 ? errno : 0;
    ssize_t n = 1;
    while (!why && n > 0) {
        n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 26, 0);
        why = n < 0 && errno != EINTR ? errno : 0;
    }
    if (out >= 0 && close(out) != 0 && !why)
        why = errno;
    (void)close(in); // opened for reading
    return why ? sc_fail_sys(err, SC_E_IO, why, "%s", to) : SC_OK;
}

/* From snapshots/<commit>/<path> up to blobs/. */
static void add_relative(sc_buf *b, const char *path, const char *blob)
{
    sc_buf_add_c(b, "../../");
    for (const char *p = path; *p; p++)
        if (*p == '/')
            sc_buf_add_c(b, "../");
    sc_buf_addf(b, "blobs/%s", blob);
}

sc_code sc_hub_store_link(const sc_hub_places *places, const char *repo_dir, const char *commit,
                          const char *path, const char *blob, sc_err *err)
{
    SC_AUTO(sc_buf) at = sc_buf_init(MAX_PATH);
    SC_AUTO(sc_buf) temp = sc_buf_init(MAX_PATH);
    SC_AUTO(sc_buf) from = sc_buf_init(MAX_PATH);
    SC_AUTO(sc_buf) relative = sc_buf_init(MAX_PATH);
    sc_buf_addf(&at, "%s/snapshots/%s/%s", repo_dir, commit, path);
    sc_buf_addf(&temp, "%s.tmp-%ld", sc_buf_text(&at), (long)getpid());
    sc_buf_addf(&from, "%s/blobs/%s", repo_dir, blob);
    add_relative(&relative, path, blob);
    if (!sc_buf_ok(&at) || !sc_buf_ok(&temp) || !sc_buf_ok(&from) || !sc_buf_ok(&relative))
        return sc_fail_nomem(err);
    SC_TRY(make_parent(at.p, err));
    (void)unlink(temp.p); // what a process of our number left behind
    if (places->no_symlinks || symlink(relative.p, temp.p) != 0)
        SC_TRY(put_file(from.p, temp.p, err));
    if (rename(temp.p, at.p) != 0) {
        const int why = errno;
        (void)unlink(temp.p); // the first error is the one to report
        return sc_fail_sys(err, SC_E_IO, why, "%s", at.p);
    }
    return SC_OK;
}

sc_code sc_hub_store_ref(const char *repo_dir, sc_str revision, const char *commit, sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/refs/%.*s", repo_dir, (int)revision.n, revision.p);
    if (!sc_buf_ok(&path))
        return sc_fail_nomem(err);
    SC_TRY(make_parent(path.p, err));
    return sc_file_write(path.p, sc_str_c(commit), err);
}
