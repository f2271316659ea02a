// SPDX-License-Identifier: MIT
#include "box/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void sc_tree_init(sc_tree *t, pid_t root)
{
    *t = (sc_tree){.root = root};
}

/* Reads a small file of /proc into `text`; false when the process is gone. */
static bool read_small(const char *path, char *text, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, size - 1);
    (void)close(fd); // only read
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static size_t children_of_thread(pid_t pid, const char *tid, pid_t *out, size_t max)
{
    char path[96], text[8192];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", pid, tid); // short enough
    if (!read_small(path, text, sizeof text))
        return 0;
    size_t n = 0;
    for (char *p = text; n < max;) {
        char *end = NULL;
        const long v = strtol(p, &end, 10);
        if (end == p || v <= 0)
            break;
        out[n++] = (pid_t)v;
        p = end;
    }
    return n;
}

size_t sc_tree_children(pid_t pid, pid_t *out, size_t max)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", pid); // short enough
    DIR *d = opendir(path);
    if (!d)
        return 0;
    size_t n = 0;
    for (struct dirent *e = readdir(d); e && n < max; e = readdir(d))
        if (e->d_name[0] != '.')
            n += children_of_thread(pid, e->d_name, out + n, max - n);
    (void)closedir(d); // only read
    return n;
}

int sc_tree_open_children(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid); // short enough
    return open(path, O_RDONLY | O_CLOEXEC);
}

size_t sc_tree_count_children(int fd)
{
    char text[4096];
    const ssize_t n = pread(fd, text, sizeof text, 0);
    size_t count = 0;
    for (ssize_t i = 0; i < n; i++)
        count += text[i] == ' '; // behind each
    return count;
}

pid_t sc_tree_pid_of(int pidfd)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd); // short enough
    if (!read_small(path, text, sizeof text))
        return -1;
    const char *p = strstr(text, "\nPid:");
    const long pid = p ? strtol(p + 5, NULL, 10) : -1;
    return pid > 0 ? (pid_t)pid : -1;
}

static uint64_t cpu_of(pid_t pid)
{
    clockid_t clock = 0;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t rss_of(pid_t pid)
{
    char path[64], text[128];
    (void)snprintf(path, sizeof path, "/proc/%d/statm", pid); // short enough
    if (!read_small(path, text, sizeof text))
        return 0;
    char *p = NULL;
    (void)strtoul(text, &p, 10); // the reserved size
    return strtoul(p, NULL, 10) * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}

/* Its share of memory, shared pages divided by those who share them; 0: may not be read. */
static uint64_t share_of(pid_t pid)
{
    char path[64], text[2048];
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid); // short enough
    if (!read_small(path, text, sizeof text))
        return 0;
    const char *p = strstr(text, "\nPss:");
    return p ? strtoul(p + 5, NULL, 10) : 0;
}

/* What the root's children had used when it waited for them. */
static uint64_t waited_ns(pid_t pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid); // short enough
    if (!read_small(path, text, sizeof text))
        return 0;
    const char *p = strrchr(text, ')'); // the name may hold anything
    unsigned long v[4] = {0};
    if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &v[0],
                     &v[1], &v[2], &v[3]) != 4)
        return 0;
    return (v[0] + v[1] + v[2] + v[3]) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* How long its first thread stood in the queue for a CPU; 0 where the kernel does not say. */
static uint64_t delay_of(pid_t pid)
{
    char path[64], text[128];
    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", pid); // short enough
    if (!read_small(path, text, sizeof text))
        return 0;
    char *p = NULL;
    (void)strtoull(text, &p, 10); // the time it ran
    return strtoull(p, NULL, 10);
}

static void note(sc_tree *t, pid_t pid, uint64_t cpu_ns)
{
    size_t dead = SC_TREE_MAX;
    for (size_t i = 0; i < t->n; i++) {
        if (t->seen[i].pid == pid && cpu_ns >= t->seen[i].cpu_ns) {
            t->seen[i].alive = true;
            t->seen[i].cpu_ns = cpu_ns;
            return;
        }
        if (!t->seen[i].alive)
            dead = i;
    }
    size_t at = t->n;
    if (at < SC_TREE_MAX) {
        t->n++;
    } else if (dead < SC_TREE_MAX) {
        at = dead;
        t->gone_ns += t->seen[at].cpu_ns;
    } else {
        return; // more at once than a limit of tasks allows
    }
    t->seen[at].pid = pid;
    t->seen[at].alive = true;
    t->seen[at].cpu_ns = cpu_ns;
}

void sc_tree_look(sc_tree *t, uint64_t limit_kib)
{
    pid_t pid[SC_TREE_MAX] = {t->root};
    size_t n = 1;
    for (size_t i = 0; i < n && n < SC_TREE_MAX; i++)
        n += sc_tree_children(pid[i], pid + n, SC_TREE_MAX - n);
    for (size_t i = 0; i < t->n; i++)
        t->seen[i].alive = false;
    uint64_t rss = 0;
    t->alive = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t cpu = cpu_of(pid[i]);
        if (!cpu)
            continue;
        note(t, pid[i], cpu);
        rss += rss_of(pid[i]);
        t->alive++;
    }
    // Forked processes share most of what they show; asked for only where it matters.
    if (t->alive > 1 && rss > limit_kib / 2) {
        uint64_t share = 0;
        for (size_t i = 0; i < n; i++)
            share += share_of(pid[i]);
        if (share)
            rss = share;
    }
    t->rss_kib = rss;
    if (rss > t->peak_kib)
        t->peak_kib = rss;
    const uint64_t delay = delay_of(t->root);
    if (delay > t->delay_ns)
        t->delay_ns = delay;
    uint64_t sum = t->gone_ns;
    for (size_t i = 0; i < t->n; i++)
        sum += t->seen[i].cpu_ns;
    const uint64_t waited = waited_ns(t->root);
    t->cpu_ns = waited > sum ? waited : sum;
}
