// SPDX-License-Identifier: MIT
#include "box/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONG_PATH = 1024, MAX_DEPTH = 32 };

static sc_code fail(const char *path, sc_err *err)
{
    return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
}

sc_code sc_copy_make_dirs(const char *path, sc_err *err)
{
    char part[LONG_PATH];
    for (size_t i = 1; i < sizeof part; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0755) && errno != EEXIST)
            return fail(part, err);
        if (path[i] == '\0')
            return SC_OK;
    }
    return sc_fail(err, SC_E_SANDBOX, "a path too long: %.100s", path);
}

sc_code sc_copy_file(const char *from, const char *to, sc_err *err)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return errno == ENOENT ? SC_OK : fail(from, err);
    struct stat st;
    const int out = fstat(in, &st) ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ssize_t n = out < 0 ? -1 : 1;
    while (n > 0)
        n = sendfile(out, in, NULL, 1 << 20);
    const int e = errno;
    (void)close(in); // only read
    if (out >= 0 && close(out) && n == 0)
        return fail(to, err);
    errno = e;
    return n < 0 ? fail(to, err) : SC_OK;
}

static bool is_left_out(const char *name, const char *const *without)
{
    if (!strcmp(name, ".") || !strcmp(name, "..") || !strncmp(name, "config-", 7))
        return true;
    for (size_t i = 0; without && without[i]; i++)
        if (!strcmp(name, without[i]))
            return true;
    return false;
}

static sc_code copy_tree(const char *from, const char *to, const char *const *without, bool same,
                         unsigned depth, sc_err *err);

static sc_code copy_entry(const char *from, const char *to, const char *const *without, bool same,
                          unsigned depth, sc_err *err)
{
    struct stat st;
    if (stat(from, &st))
        return SC_OK; // a link to nowhere
    if (S_ISDIR(st.st_mode))
        return copy_tree(from, to, without, same, depth + 1, err);
    if (!S_ISREG(st.st_mode))
        return SC_OK;
    if (!same)
        return sc_copy_file(from, to, err);
    return link(from, to) ? fail(to, err) : SC_OK;
}

static sc_code copy_tree(const char *from, const char *to, const char *const *without, bool same,
                         unsigned depth, sc_err *err)
{
    if (depth > MAX_DEPTH)
        return sc_fail(err, SC_E_SANDBOX, "%s: folders too deep", from);
    SC_TRY(sc_copy_make_dirs(to, err));
    DIR *d = opendir(from);
    if (!d)
        return errno == ENOENT ? SC_OK : fail(from, err);
    sc_code code = SC_OK;
    for (struct dirent *e = readdir(d); e && code == SC_OK; e = readdir(d)) {
        if (is_left_out(e->d_name, without))
            continue;
        char a[LONG_PATH], b[LONG_PATH];
        if ((size_t)snprintf(a, sizeof a, "%s/%s", from, e->d_name) >= sizeof a ||
            (size_t)snprintf(b, sizeof b, "%s/%s", to, e->d_name) >= sizeof b)
            code = sc_fail(err, SC_E_SANDBOX, "a path too long: %.100s", from);
        else
            code = copy_entry(a, b, without, same, depth, err);
    }
    (void)closedir(d); // only read
    return code;
}

sc_code sc_copy_tree(const char *from, const char *to, const char *const *without, bool same,
                     sc_err *err)
{
    return copy_tree(from, to, without, same, 0, err);
}

static bool remove_below(int dir, unsigned depth)
{
    DIR *d = fdopendir(dir); // owns it from here on
    if (!d) {
        (void)close(dir); // nothing to lose
        return false;
    }
    bool good = true;
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (!unlinkat(dirfd(d), e->d_name, 0))
            continue;
        const int sub =
            openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        good &= sub >= 0 && depth < 2 * MAX_DEPTH && remove_below(sub, depth + 1);
        good &= unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == 0;
    }
    (void)closedir(d); // only read
    return good;
}

bool sc_copy_remove(const char *path)
{
    const int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT;
    const bool good = remove_below(dir, 0);
    return rmdir(path) == 0 && good;
}
