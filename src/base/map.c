// SPDX-License-Identifier: MIT
#include "base/map.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct sc_map {
    void *bytes; // mapping; NULL for an empty file
    size_t size;
};

static sc_code map_fd(int fd, const char *path, sc_map *m, sc_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return sc_fail(err, SC_E_FORMAT, "%s: %s", path,
                       S_ISDIR(st.st_mode) ? "is a folder, a file was expected"
                                           : "is not a regular file");
    m->size = (size_t)st.st_size;
    if (m->size == 0)
        return SC_OK;
    void *p = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return sc_fail_sys(err, SC_E_IO, errno, "%s: cannot map", path);
    m->bytes = p;
    return SC_OK;
}

sc_code sc_map_open(const char *path, sc_map **out, sc_err *err)
{
    SC_AUTO(sc_map) *m = sc_new(sc_map);
    if (!m)
        return sc_fail_nomem(err);
    // O_NONBLOCK: a FIFO must not hang us; for a regular file it means nothing.
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    const sc_code code = map_fd(fd, path, m, err);
    (void)close(fd); // opened for reading: nothing to lose
    SC_TRY(code);
    *out = sc_take(m);
    return SC_OK;
}

const void *sc_map_bytes(const sc_map *m, size_t *size)
{
    *size = m->size;
    return m->bytes ? m->bytes : "";
}

void sc_map_forget(const sc_map *m, size_t at, size_t size)
{
    if (!m->bytes || at >= m->size)
        return;
    // Only pages that lie in the range whole: the neighbours may still be in use.
    const size_t page = 4096;
    const size_t from = (at + page - 1) / page * page;
    const size_t end = size > m->size - at ? m->size : at + size;
    const size_t to = end / page * page;
    if (from < to)
        (void)madvise((char *)m->bytes + from, to - from, MADV_DONTNEED); // a wish
}

void sc_map_leave(const void *from, size_t size)
{
    const uintptr_t page = 4096, low = (uintptr_t)from / page * page;
    const uintptr_t high = ((uintptr_t)from + size) / page * page;
    if (low < high)
        (void)madvise((void *)low, high - low, MADV_DONTNEED); // a wish
}

void sc_map_close(sc_map *m)
{
    if (!m)
        return;
    if (m->bytes)
        (void)munmap(m->bytes, m->size);
    sc_free(m);
}
