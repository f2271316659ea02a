// SPDX-License-Identifier: MIT
#include "store/journal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINE = 256 << 20 };

static const uint64_t sync_every_ns = 1000000000u;

struct sc_journal {
    char *path; // owned
    int fd;     // owned
    uint64_t size;
    uint64_t synced_ns;
    bool dirty;
    sc_buf line;
};

void sc_journal_close(sc_journal *j)
{
    if (!j)
        return;
    sc_buf_drop(&j->line);
    if (j->fd >= 0)
        (void)close(j->fd); // sc_journal_sync reports what close could
    sc_free(j->path);
    sc_free(j);
}

/* Where the last whole line ends: what follows it was torn off by a crash. */
static sc_code find_end(const sc_journal *j, uint64_t size, uint64_t *end, sc_err *err)
{
    char block[4096];
    while (size > 0) {
        const uint64_t from = size > sizeof block ? size - sizeof block : 0;
        const ssize_t n = pread(j->fd, block, (size_t)(size - from), (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return sc_fail_sys(err, SC_E_IO, n < 0 ? errno : EIO, "%s", j->path);
        for (ssize_t i = n; i-- > 0;) {
            if (block[i] == '\n') {
                *end = from + (uint64_t)i + 1;
                return SC_OK;
            }
        }
        size = from;
    }
    *end = 0;
    return SC_OK;
}

sc_code sc_journal_open(const char *path, sc_journal **out, sc_err *err)
{
    SC_AUTO(sc_journal) *j = sc_new(sc_journal);
    if (!j)
        return sc_fail_nomem(err);
    j->fd = -1;
    j->line = sc_buf_init(MAX_LINE);
    j->path = sc_strdup(path);
    if (!j->path)
        return sc_fail_nomem(err);
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct stat st;
    if (j->fd < 0 || fstat(j->fd, &st) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return sc_fail(err, SC_E_USAGE, "%s: another process writes this run", path);
    SC_TRY(find_end(j, (uint64_t)st.st_size, &j->size, err));
    if (j->size != (uint64_t)st.st_size && ftruncate(j->fd, (off_t)j->size) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    *out = sc_take(j);
    return SC_OK;
}

sc_code sc_journal_sync(sc_journal *j, sc_err *err)
{
    if (j->dirty && fdatasync(j->fd) != 0 && errno != EINVAL) // EINVAL: it cannot, as for a pipe
        return sc_fail_sys(err, SC_E_IO, errno, "%s", j->path);
    j->dirty = false;
    const sc_clock clock = sc_clock_real();
    j->synced_ns = sc_clock_ns(&clock);
    return SC_OK;
}

static sc_code write_line(sc_journal *j, sc_err *err)
{
    size_t done = 0;
    while (done < j->line.n) {
        const ssize_t n =
            pwrite(j->fd, j->line.p + done, j->line.n - done, (off_t)(j->size + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            const int why = errno;
            if (ftruncate(j->fd, (off_t)j->size) != 0)
                return sc_fail_sys(err, SC_E_IO, why, "%s: its last line is torn", j->path);
            return sc_fail_sys(err, SC_E_IO, why, "%s", j->path);
        }
        done += (size_t)n;
    }
    j->size += done;
    j->dirty = true;
    return SC_OK;
}

sc_code sc_journal_add(sc_journal *j, const json_t *sample, sc_err *err)
{
    sc_buf_clear(&j->line);
    sc_json_format(sample, 0, &j->line);
    sc_buf_add_char(&j->line, '\n');
    if (!sc_buf_ok(&j->line))
        return sc_fail_nomem(err);
    SC_TRY(write_line(j, err));
    const sc_clock clock = sc_clock_real();
    if (sc_clock_ns(&clock) - j->synced_ns > sync_every_ns)
        return sc_journal_sync(j, err);
    return SC_OK;
}

static sc_code read_line(sc_str line, sc_records *out, sc_err *err)
{
    SC_AUTO_JSON *v = NULL;
    SC_TRY(sc_json_parse(line, &v, err));
    SC_AUTO(sc_record) s = {0};
    SC_TRY(sc_record_parse(v, &s, err));
    return sc_records_add(out, &s, err);
}

sc_code sc_journal_parse(sc_str text, sc_records *out, bool *torn, sc_err *err)
{
    unsigned number = 0;
    size_t at = 0;
    *torn = false;
    while (at < text.n) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        number++;
        if (!end) {
            *torn = true;
            return SC_OK;
        }
        const sc_str line = {text.p + at, (size_t)(end - text.p) - at};
        if (line.n > MAX_LINE)
            return sc_fail(err, SC_E_LIMIT, "line %u: longer than %d bytes", number, MAX_LINE);
        const sc_code code = read_line(line, out, err);
        if (code != SC_OK) {
            sc_within(err, "line %u", number);
            err->at = at + (err->at == SC_NOWHERE ? 0 : err->at); // of the file, not the line
            return code;
        }
        at += line.n + 1;
    }
    return SC_OK;
}

sc_code sc_journal_read(const char *path, sc_records *out, bool *torn, sc_err *err)
{
    SC_AUTO(sc_map) *map = NULL;
    SC_TRY(sc_map_open(path, &map, err));
    size_t size = 0;
    const char *bytes = sc_map_bytes(map, &size);
    SC_TRY_IN(sc_journal_parse((sc_str){bytes, size}, out, torn, err), err, "%s", path);
    return SC_OK;
}
