// SPDX-License-Identifier: MIT
#include "box/cgroup.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { TEXT = 4096, REMOVE_TRIES = 200 };

static const char *const needed[] = {"memory", "pids"};

/* A small file of a group as a text. */
static sc_code read_text(int dir, const char *group, const char *name, char out[TEXT], sc_err *err)
{
    const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, out, TEXT - 1);
    const int e = errno;
    if (fd >= 0)
        (void)close(fd); // only read
    if (n < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, e, "%s/%s: %s", group, name, strerror(e));
    out[n] = '\0';
    return SC_OK;
}

static sc_code write_text(int dir, const char *group, const char *name, const char *text,
                          sc_err *err)
{
    const int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
    const int e = errno;
    if (fd >= 0)
        (void)close(fd); // the write said it all
    if (n < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, e, "%s/%s: %s", group, name, strerror(e));
    return SC_OK;
}

/* Whether `word` stands in a list with blanks between. */
static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = strstr(list, word); p; p = strstr(p + 1, word))
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' ' || p[n] == '\n'))
            return true;
    return false;
}

static sc_code pass_on(int dir, const char *path, sc_err *err)
{
    char list[TEXT];
    SC_TRY(read_text(dir, path, "cgroup.subtree_control", list, err));
    for (size_t i = 0; i < SC_LEN(needed); i++) {
        if (has_word(list, needed[i]))
            continue;
        char text[32];
        (void)snprintf(text, sizeof text, "+%s", needed[i]); // fits
        const sc_code code = write_text(dir, path, "cgroup.subtree_control", text, err);
        if (code != SC_OK && err->sys == EBUSY)
            return sc_fail(err, SC_E_SANDBOX,
                           "%s: processes are in it, so no group below can have limits; move them "
                           "to a group below it or name another one",
                           path);
        SC_TRY(code);
    }
    return SC_OK;
}

sc_code sc_cgroup_prepare(const char *path, sc_err *err)
{
    struct statfs fs;
    const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    sc_code code = SC_OK;
    char list[TEXT];
    if (fstatfs(dir, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
        code = sc_fail(err, SC_E_SANDBOX, "%s: no control group of version 2", path);
    else
        code = read_text(dir, path, "cgroup.controllers", list, err);
    for (size_t i = 0; i < SC_LEN(needed) && code == SC_OK; i++)
        if (!has_word(list, needed[i]))
            code = sc_fail(err, SC_E_SANDBOX, "%s: has no controller %s (it has: %.*s)", path,
                           needed[i], (int)strcspn(list, "\n"), *list > ' ' ? list : "none");
    if (code == SC_OK)
        code = pass_on(dir, path, err);
    (void)close(dir); // only a directory
    return code;
}

sc_code sc_cgroup_open(char *path, sc_cgroup *out, sc_err *err)
{
    sc_cgroup g = {
        .path = path, .dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .procs = -1};
    if (g.dir >= 0)
        g.procs = openat(g.dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (g.procs < 0) {
        const int e = errno;
        (void)sc_fail_sys(err, SC_E_SANDBOX, e, "%s/cgroup.procs: %s", path, strerror(e));
        sc_cgroup_drop(&g);
        return SC_E_SANDBOX;
    }
    // Swap would only hide what is too much; without swap in the kernel there is no such file.
    sc_err none = {0};
    sc_code code = write_text(g.dir, path, "memory.swap.max", "0", &none);
    if (code != SC_OK && none.sys != ENOENT)
        *err = none;
    else // all of a program or nothing: half of one gives no verdict
        code = write_text(g.dir, path, "memory.oom.group", "1", err);
    if (code != SC_OK) {
        sc_cgroup_drop(&g);
        return code;
    }
    *out = g;
    return SC_OK;
}

sc_code sc_cgroup_make(const char *dir, unsigned slot, sc_cgroup *out, sc_err *err)
{
    const size_t size = strlen(dir) + 64;
    char *path = sc_alloc(size, 1);
    if (!path)
        return sc_fail_nomem(err);
    (void)snprintf(path, size, "%s/scbench-%d-%u", dir, getpid(), slot); // fits
    // One of that name is of a process that was killed and had our number.
    if (mkdir(path, 0755) && (errno != EEXIST || rmdir(path) || mkdir(path, 0755))) {
        (void)sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
        sc_free(path);
        return SC_E_SANDBOX;
    }
    return sc_cgroup_open(path, out, err);
}

sc_code sc_cgroup_limit(sc_cgroup *g, uint64_t memory, uint64_t tasks, sc_err *err)
{
    char text[32];
    if (memory != g->memory) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)memory); // fits
        SC_TRY(write_text(g->dir, g->path, "memory.max", text, err));
        g->memory = memory;
    }
    if (tasks != g->tasks) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)tasks); // fits
        SC_TRY(write_text(g->dir, g->path, "pids.max", text, err));
        g->tasks = tasks;
    }
    return SC_OK;
}

/* The number behind `key` in the file `name`. */
static sc_code read_number(const sc_cgroup *g, const char *name, const char *key, uint64_t *out,
                           sc_err *err)
{
    char text[TEXT];
    SC_TRY(read_text(g->dir, g->path, name, text, err));
    const size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (!strncmp(line, key, n) && line[n] == ' ' && line[n + 1] >= '0' && line[n + 1] <= '9') {
            *out = strtoull(line + n + 1, NULL, 10);
            return SC_OK;
        }
    return sc_fail(err, SC_E_SANDBOX, "%s/%s: has no %s", g->path, name, key);
}

sc_code sc_cgroup_look(const sc_cgroup *g, sc_cgroup_state *out, sc_err *err)
{
    sc_cgroup_state s = {0};
    uint64_t populated = 0;
    SC_TRY(read_number(g, "cpu.stat", "usage_usec", &s.cpu_us, err));
    SC_TRY(read_number(g, "memory.events", "oom_kill", &s.oom_kills, err));
    SC_TRY(read_number(g, "cgroup.events", "populated", &populated, err));
    s.populated = populated != 0;
    *out = s;
    return SC_OK;
}

void sc_cgroup_kill(const sc_cgroup *g)
{
    sc_err ignored = {0};
    if (g->path) // kernels before 5.14 have no such file; the namespace's end does it there
        (void)write_text(g->dir, g->path, "cgroup.kill", "1", &ignored);
}

void sc_cgroup_drop(sc_cgroup *g)
{
    if (!g->path)
        return;
    if (g->dir >= 0)
        sc_cgroup_kill(g);
    // What was killed takes a moment to leave.
    for (unsigned i = 0; i < REMOVE_TRIES && rmdir(g->path) && errno == EBUSY; i++)
        (void)poll(NULL, 0, 5); // only a pause
    if (g->procs >= 0)
        (void)close(g->procs); // nothing to lose
    if (g->dir >= 0)
        (void)close(g->dir); // as above
    sc_free(g->path);
    *g = (sc_cgroup){.dir = -1, .procs = -1};
}
