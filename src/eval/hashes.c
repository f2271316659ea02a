// SPDX-License-Identifier: MIT
#include "eval/hashes.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CACHE = 1 << 22, MAX_ENTRIES = 4096, BLOCK = 1 << 20 };

struct sc_hashes {
    char *path;    // owned; NULL: nothing is remembered
    json_t *known; // owned: {"path": {size, mtime_ns, sha256}}
    bool changed;
};

void sc_hashes_free(sc_hashes *h)
{
    if (!h)
        return;
    json_decref(h->known);
    sc_free(h->path);
    sc_free(h);
}

sc_code sc_hashes_new(const char *cache_file, sc_hashes **out, sc_err *err)
{
    SC_AUTO(sc_hashes) *h = sc_new(sc_hashes);
    if (!h)
        return sc_fail_nomem(err);
    sc_err ignored = {0}; // a cache that cannot be read is an empty one
    if (cache_file) {
        h->path = sc_strdup(cache_file);
        if (!h->path)
            return sc_fail_nomem(err);
        if (sc_json_read(cache_file, MAX_CACHE, &h->known, &ignored) != SC_OK)
            h->known = NULL;
    }
    if (!json_is_object(h->known) || json_object_size(h->known) > MAX_ENTRIES) {
        json_decref(h->known);
        h->known = json_object();
    }
    if (!h->known)
        return sc_fail_nomem(err);
    *out = sc_take(h);
    return SC_OK;
}

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Whether the file is remembered as it is now. */
static bool recall(const sc_hashes *h, const char *path, const struct stat *st,
                   char hex[SC_SHA256_HEX])
{
    const json_t *o = json_object_get(h->known, path);
    const sc_str sha = sc_json_str(json_object_get(o, "sha256"));
    if (sha.n != SC_SHA256_HEX - 1 ||
        json_integer_value(json_object_get(o, "bytes")) != (json_int_t)st->st_size ||
        json_integer_value(json_object_get(o, "mtime_ns")) != (json_int_t)mtime_ns(st))
        return false;
    memcpy(hex, sha.p, SC_SHA256_HEX);
    return true;
}

static sc_code hash_fd(int fd, const char *path, const atomic_bool *stop, char hex[SC_SHA256_HEX],
                       sc_err *err)
{
    SC_AUTO(sc_sha256) *state = NULL;
    SC_TRY(sc_sha256_new(&state, err));
    char *bytes = sc_alloc(BLOCK, 1);
    if (!bytes)
        return sc_fail_nomem(err);
    sc_code code = SC_OK;
    for (;;) {
        const ssize_t n = read(fd, bytes, BLOCK);
        if (n < 0 && errno == EINTR && !(stop && atomic_load(stop)))
            continue;
        if (stop && atomic_load(stop))
            code = sc_fail(err, SC_E_INTERRUPTED, "stopped");
        else if (n < 0)
            code = sc_fail_sys(err, SC_E_IO, errno, "%s", path);
        if (n <= 0 || code != SC_OK)
            break;
        sc_sha256_add(state, bytes, (size_t)n);
    }
    sc_free(bytes);
    if (code == SC_OK)
        sc_sha256_hex(state, hex);
    return code;
}

sc_code sc_hashes_get(sc_hashes *h, const char *path, const atomic_bool *stop,
                      char hex[SC_SHA256_HEX], sc_err *err)
{
    char room[PATH_MAX];
    const char *full = realpath(path, room); // "nano.pt" is another file in another folder
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    sc_code code = SC_OK;
    if (fd < 0 || fstat(fd, &st) != 0)
        code = sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    else if (!full || !recall(h, full, &st, hex)) {
        code = hash_fd(fd, path, stop, hex, err);
        if (code == SC_OK && full) {
            json_t *o = json_pack("{s:I, s:I, s:s}", "bytes", (json_int_t)st.st_size, "mtime_ns",
                                  (json_int_t)mtime_ns(&st), "sha256", hex);
            h->changed = json_object_set_new(h->known, full, o) == 0 || h->changed;
        }
    }
    if (fd >= 0)
        (void)close(fd); // opened for reading
    return code;
}

void sc_hashes_save(sc_hashes *h)
{
    if (!h->path || !h->changed)
        return;
    sc_err ignored = {0}; // what is not remembered is hashed again
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_CACHE);
    sc_json_format(h->known, 1, &text);
    char *dir = sc_path_dir(h->path);
    if (dir && sc_buf_ok(&text) && sc_file_make_dirs(dir, &ignored) == SC_OK &&
        sc_file_write(h->path, sc_buf_str(&text), &ignored) == SC_OK)
        h->changed = false;
    sc_free(dir);
}
