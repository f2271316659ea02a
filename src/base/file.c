// SPDX-License-Identifier: MIT
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static sc_code read_fd(int fd, const char *path, size_t max, sc_buf *out, sc_err *err)
{
    char block[65536];
    for (;;) {
        const ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
        if (n == 0)
            return SC_OK;
        if ((size_t)n > max - out->n)
            return sc_fail(err, SC_E_LIMIT, "%s: longer than %zu bytes", path, max);
        sc_buf_add(out, block, (size_t)n);
        if (!sc_buf_ok(out))
            return sc_fail_nomem(err);
    }
}

sc_code sc_file_read(const char *path, size_t max, sc_buf *out, sc_err *err)
{
    sc_buf_clear(out);
    out->max = max;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    struct stat st;
    sc_code code = SC_OK;
    if (fstat(fd, &st) != 0)
        code = sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    else if (!S_ISREG(st.st_mode))
        code = sc_fail(err, SC_E_FORMAT, "%s: is not a regular file", path);
    else
        code = read_fd(fd, path, max, out, err);
    (void)close(fd); // opened for reading: nothing to lose
    return code;
}

static sc_code write_all(int fd, sc_str s, const char *path, sc_err *err)
{
    while (s.n) {
        const ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
        s = sc_str_skip(s, (size_t)n);
    }
    if (fsync(fd) != 0 && errno != EINVAL) // EINVAL: the file system cannot, as for a pipe
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    return SC_OK;
}

sc_code sc_file_write(const char *path, sc_str bytes, sc_err *err)
{
    SC_AUTO(sc_buf) temp = sc_buf_init(4096 + 64);
    sc_buf_addf(&temp, "%s.tmp-%ld", path, (long)getpid());
    if (!sc_buf_ok(&temp))
        return sc_fail(err, SC_E_LIMIT, "%s: the path is too long", path);
    const int fd = open(temp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    sc_code code = write_all(fd, bytes, path, err);
    if (close(fd) != 0 && code == SC_OK)
        code = sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    if (code == SC_OK && rename(temp.p, path) != 0)
        code = sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    if (code != SC_OK)
        (void)unlink(temp.p); // the first error is the one to report
    return code;
}

sc_code sc_file_make_dirs(const char *path, sc_err *err)
{
    SC_AUTO(sc_buf) part = sc_buf_init(4096);
    sc_buf_add_c(&part, path);
    if (!sc_buf_ok(&part))
        return sc_fail(err, SC_E_LIMIT, "%s: the path is too long", path);
    for (size_t i = 1; i <= part.n; i++) {
        if (part.p[i] != '/' && part.p[i] != '\0')
            continue;
        const char kept = part.p[i];
        part.p[i] = '\0';
        if (mkdir(part.p, 0777) != 0 && errno != EEXIST)
            return sc_fail_sys(err, SC_E_IO, errno, "%s", part.p);
        part.p[i] = kept;
    }
    if (!sc_file_is_dir(path))
        return sc_fail_sys(err, SC_E_IO, ENOTDIR, "%s", path);
    return SC_OK;
}

bool sc_file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool sc_file_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *sc_path_join(const char *dir, const char *name)
{
    SC_AUTO(sc_buf) b = sc_buf_init(1 << 16);
    sc_buf_add_c(&b, dir);
    if (b.n && b.p[b.n - 1] != '/')
        sc_buf_add_char(&b, '/');
    sc_buf_add_c(&b, name);
    return sc_buf_take(&b);
}

const char *sc_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *sc_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return sc_strdup(".");
    return sc_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}
