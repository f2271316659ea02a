// SPDX-License-Identifier: MIT
#include "model/memory.h"

#include "base/str.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_SIZE = 8192 };

/* The beginning of a small file of the system; false when there is none. */
static bool read_text(const char *path, char text[TEXT_SIZE])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, TEXT_SIZE - 1);
    (void)close(fd); // opened for reading
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* The number that `text` begins with; false when it begins otherwise ("max"). */
static bool number(const char *text, uint64_t *out)
{
    while (*text == ' ')
        text++;
    if (*text < '0' || *text > '9')
        return false;
    uint64_t v = 0;
    for (; *text >= '0' && *text <= '9' && v < UINT64_MAX / 100; text++)
        v = v * 10 + (uint64_t)(*text - '0');
    *out = v;
    return true;
}

/* What the control group at `dir` (below the mount point) leaves; UINT64_MAX: no limit. */
static uint64_t group_leaves(const char *dir)
{
    char path[512], text[TEXT_SIZE];
    uint64_t most = 0, now = 0;
    (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", dir); // cut off: not found
    if (!read_text(path, text) || !number(text, &most))
        return UINT64_MAX;
    (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", dir);
    if (!read_text(path, text) || !number(text, &now))
        return most;
    // Page cache counts as used there but is given back on demand.
    uint64_t cache = 0;
    (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.stat", dir);
    if (read_text(path, text)) {
        const char *file = strstr(text, "\nfile ");
        if (file)
            (void)number(file + 6, &cache);
    }
    now = now > cache ? now - cache : 0;
    return most > now ? most - now : 0;
}

uint64_t sc_memory_available(void)
{
    char text[TEXT_SIZE];
    uint64_t kib = 0;
    if (!read_text("/proc/meminfo", text))
        return 0;
    const char *line = strstr(text, "MemAvailable:");
    if (!line || !number(line + strlen("MemAvailable:"), &kib))
        return 0;
    uint64_t bytes = kib * 1024;
    // The group of this process and every group above it.
    char group[TEXT_SIZE];
    if (read_text("/proc/self/cgroup", group)) {
        char *dir = strstr(group, "0::");
        dir = dir ? dir + 3 : group + strlen(group);
        dir[strcspn(dir, "\n")] = 0;
        for (;;) {
            const uint64_t left = group_leaves(strcmp(dir, "/") == 0 ? "" : dir);
            bytes = left < bytes ? left : bytes;
            char *slash = strrchr(dir, '/');
            if (!slash || slash == dir)
                break;
            *slash = 0;
        }
        const uint64_t left = group_leaves("");
        bytes = left < bytes ? left : bytes;
    }
    return bytes;
}
