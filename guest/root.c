// SPDX-License-Identifier: MIT
#include "guest/root.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_DEPTH = 64 };

#define STEP(err, call, what)                                                                      \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            return sc_fail_sys((err), SC_E_SANDBOX, errno, "%s: %s", (what), strerror(errno));     \
    } while (0)

/* Makes every folder of "a/b/c" below the current one. */
static sc_code make_folders(const char *path, sc_err *err)
{
    char part[512];
    for (size_t i = 1; i < sizeof part; i++) {
        const char c = path[i];
        if (c != '/' && c != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0755) && errno != EEXIST)
            return sc_fail_sys(err, SC_E_SANDBOX, errno, "mkdir %s: %s", part, strerror(errno));
        if (c == '\0')
            return SC_OK;
    }
    return sc_fail(err, SC_E_SANDBOX, "a path too long for a box: %.100s", path);
}

/* Binds the host's `from` (absolute) to the same place below the current folder. */
static sc_code bind(const char *from, bool file, bool writable, sc_err *err)
{
    const char *to = from + 1;
    struct stat st;
    if (stat(from, &st) && errno == ENOENT)
        return SC_OK;
    if (file) {
        const int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        STEP(err, fd, to);
        (void)close(fd); // an empty file
    } else {
        SC_TRY(make_folders(to, err));
    }
    STEP(err, mount(from, to, NULL, MS_BIND, NULL), from);
    // Flags that the outer namespace locked must be kept, or the change is refused.
    struct statvfs v;
    STEP(err, statvfs(to, &v), to);
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID;
    if (!writable)
        flags |= MS_RDONLY;
    if (!file)
        flags |= MS_NODEV;
    if (v.f_flag & ST_NODEV)
        flags |= MS_NODEV;
    if (v.f_flag & ST_NOEXEC)
        flags |= MS_NOEXEC;
    if (v.f_flag & ST_RDONLY)
        flags |= MS_RDONLY;
    if (v.f_flag & ST_NOATIME)
        flags |= MS_NOATIME;
    if (v.f_flag & ST_NODIRATIME)
        flags |= MS_NODIRATIME;
    if (v.f_flag & ST_RELATIME)
        flags |= MS_RELATIME;
    STEP(err, mount(NULL, to, NULL, flags, NULL), to);
    return SC_OK;
}

static sc_code put_file(const char *path, const char *text, sc_err *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    STEP(err, fd, path);
    const ssize_t n = write(fd, text, strlen(text));
    (void)close(fd); // memory
    STEP(err, n, path);
    return SC_OK;
}

static sc_code fill(const char *stdlib, const char *libs, bool tools, sc_err *err)
{
    SC_TRY(bind(stdlib, false, false, err));
    SC_TRY(bind(libs, false, false, err));
    SC_TRY(bind("/usr/share/zoneinfo", false, false, err));
    if (tools)
        SC_TRY(bind("/usr/lib/python3/dist-packages", false, false, err));
    SC_TRY(make_folders("tmp", err));
    SC_TRY(make_folders("dev", err));
    SC_TRY(make_folders("etc", err));
    SC_TRY(bind("/dev/null", true, true, err));
    SC_TRY(bind("/dev/zero", true, true, err));
    SC_TRY(bind("/dev/urandom", true, true, err));
    STEP(err, symlink("../tmp", "dev/shm"), "dev/shm");
    STEP(err, symlink("usr/lib", "lib"), "lib");
    return put_file("etc/passwd", "user:x:1000:1000::/tmp:/bin/false\n", err);
}

sc_code sc_root_mount(const char *stdlib, const char *libs, bool tools, sc_err *err)
{
    STEP(err, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make mounts private");
    STEP(err,
         mount("root", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=256,mode=0755"),
         "mount a root");
    STEP(err, chdir("/tmp"), "chdir");
    SC_TRY(fill(stdlib, libs, tools, err));
    STEP(err, (int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
    STEP(err, umount2(".", MNT_DETACH), "umount the old root");
    STEP(err, chdir("/"), "chdir");
    STEP(err, mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL),
         "make the root read-only");
    return SC_OK;
}

/* Removes everything below `dir`, whatever its kind; a link is removed, never followed. */
static bool empty_folder(int dir, unsigned depth)
{
    const int copy = dup(dir);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d) {
        if (copy >= 0)
            (void)close(copy); // nothing to lose
        return false;
    }
    bool good = true;
    rewinddir(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (!unlinkat(dir, e->d_name, 0))
            continue;
        // A folder; perhaps one that was made unreadable.
        const bool open_to_us = fchmodat(dir, e->d_name, 0700, 0) == 0;
        const int sub = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (!open_to_us || sub < 0 || depth >= MAX_DEPTH) {
            if (sub >= 0)
                (void)close(sub); // nothing to lose
            good = false;
            continue;
        }
        good &= empty_folder(sub, depth + 1);
        (void)close(sub); // nothing to lose
        good &= unlinkat(dir, e->d_name, AT_REMOVEDIR) == 0;
    }
    (void)closedir(d); // only read
    return good;
}

/* The exit status of a child that became `uid` (0: stays) and ran one of the steps below. */
static int as_user(uint32_t uid, const char *home, bool kill_all)
{
    const pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
            _exit(3);
        if (kill_all) // under one lock of the kernel: no fork slips through. It says 0 in any case.
            _exit(kill(-1, SIGKILL) == 0 || errno == ESRCH ? 0 : 3);
        (void)chmod(home, 0700); // open says whether it worked
        const int dir = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _exit(dir >= 0 && empty_folder(dir, 0) ? 0 : 1);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

sc_code sc_root_sweep(const char *home, uint32_t uid, sc_err *err)
{
    if (uid && as_user(uid, home, true) != 0)
        return sc_fail(err, SC_E_SANDBOX, "a sample left processes that cannot be ended");
    // What it left became our children. The checker is no child of this kind (jail.h), so when
    // there is none to wait for, nothing is left.
    while (uid && (waitpid(-1, NULL, 0) > 0 || errno == EINTR)) {
    }
    if (as_user(uid, home, false) != 0)
        return sc_fail(err, SC_E_SANDBOX, "a sample left files that cannot be removed");
    return SC_OK;
}
