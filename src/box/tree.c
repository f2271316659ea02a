// SPDX-License-Identifier: MIT
#include "box/tree.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WALK_PAUSE = 8 }; // times as long as a walk took, until the next

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

/* Memory of one process or of several, in KiB: all of it, and what is no file's and nobody's shared
 * memory. */
typedef struct size {
    uint64_t all, anon;
} size;

static size size_of(pid_t pid)
{
    char path[64], text[128];
    (void)snprintf(path, sizeof path, "/proc/%d/statm", pid); // short enough
    if (!read_small(path, text, sizeof text))
        return (size){0};
    char *p = NULL;
    (void)strtoul(text, &p, 10); // the reserved size
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE) / 1024, all = strtoul(p, &p, 10);
    const uint64_t shared = strtoul(p, NULL, 10);
    return (size){all * page, (all > shared ? all - shared : 0) * page};
}

/* Its share of memory, shared pages divided by those who share them; 0: may not be read. */
static size share_of(pid_t pid)
{
    char path[64], text[2048];
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid); // short enough
    if (!read_small(path, text, sizeof text))
        return (size){0};
    const char *all = strstr(text, "\nPss:"),
               *anon = strstr(text, "\nPss_Anon:"); // since Linux 5.9
    return (size){all ? strtoul(all + 5, NULL, 10) : 0, anon ? strtoul(anon + 10, NULL, 10) : 0};
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

/* Whether it was there at the last walk. */
static bool note(sc_tree *t, pid_t pid, uint64_t cpu_ns)
{
    size_t dead = SC_TREE_MAX;
    for (size_t i = 0; i < t->n; i++) {
        if (t->seen[i].pid == pid && cpu_ns >= t->seen[i].cpu_ns) {
            t->seen[i].alive = true;
            t->seen[i].cpu_ns = cpu_ns;
            return t->seen[i].walked;
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
        return false; // more at once than a limit of tasks allows
    }
    t->seen[at].pid = pid;
    t->seen[at].alive = true;
    t->seen[at].walked = false;
    t->seen[at].cpu_ns = cpu_ns;
    return false;
}

/* Asks the kernel for what the processes have together; 0: it does not say. */
static uint64_t walk(sc_tree *t, const pid_t *pid, size_t n, size sum)
{
    const sc_clock clock = sc_clock_real();
    const uint64_t start = sc_clock_ns(&clock);
    size share = {0};
    for (size_t i = 0; i < n; i++) {
        const size s = share_of(pid[i]);
        share.all += s.all;
        share.anon += s.anon;
    }
    t->walk.end_ns = sc_clock_ns(&clock);
    t->walk.took_ns = t->walk.end_ns - start;
    t->walk.twice_kib = sum.all > share.all ? sum.all - share.all : 0;
    t->walk.anon_twice_kib = sum.anon > share.anon ? sum.anon - share.anon : 0;
    for (size_t i = 0; i < t->n; i++)
        t->seen[i].walked = t->seen[i].alive;
    return share.all;
}

/*
 * `sum`: of all processes; `known`: of those that were there at the last walk. Memory that is no
 * file's comes to be shared by fork alone: what `known` has of it, without what was shared then, is
 * no more than the truth.
 */
static void measure(sc_tree *t, const pid_t *pid, size_t n, size sum, size known,
                    uint64_t limit_kib)
{
    bool sure = true;
    t->rss_kib = sum.all;
    if (t->alive > 1 && sum.all > limit_kib / 2) {
        const uint64_t twice = t->walk.twice_kib, anon_twice = t->walk.anon_twice_kib;
        const uint64_t least = known.anon > anon_twice ? known.anon - anon_twice : 0;
        const uint64_t likely = sum.all > twice ? sum.all - twice : 0;
        const sc_clock clock = sc_clock_real();
        const uint64_t due_ns = t->walk.end_ns + WALK_PAUSE * t->walk.took_ns;
        if (least > limit_kib) {
            t->rss_kib = least;
        } else if (likely > limit_kib || sc_clock_ns(&clock) >= due_ns) {
            const uint64_t share = walk(t, pid, n, sum);
            t->rss_kib = share ? share : sum.all;
        } else {
            t->rss_kib = likely;
            sure = false;
        }
    }
    if (sure && t->rss_kib > t->peak_kib)
        t->peak_kib = t->rss_kib;
}

void sc_tree_look(sc_tree *t, uint64_t limit_kib)
{
    pid_t pid[SC_TREE_MAX] = {t->root};
    size_t n = 1;
    for (size_t i = 0; i < n && n < SC_TREE_MAX; i++)
        n += sc_tree_children(pid[i], pid + n, SC_TREE_MAX - n);
    for (size_t i = 0; i < t->n; i++)
        t->seen[i].alive = false;
    size sum = {0}, known = {0};
    t->alive = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t cpu = cpu_of(pid[i]);
        if (!cpu)
            continue;
        const bool walked = note(t, pid[i], cpu);
        const size s = size_of(pid[i]);
        sum.all += s.all;
        sum.anon += s.anon;
        known.anon += walked ? s.anon : 0;
        t->alive++;
    }
    measure(t, pid, n, sum, known, limit_kib);
    const uint64_t delay = delay_of(t->root);
    if (delay > t->delay_ns)
        t->delay_ns = delay;
    uint64_t used = t->gone_ns;
    for (size_t i = 0; i < t->n; i++)
        used += t->seen[i].cpu_ns;
    const uint64_t waited = waited_ns(t->root);
    t->cpu_ns = waited > used ? waited : used;
}
