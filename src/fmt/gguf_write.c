// SPDX-License-Identifier: MIT
#include "fmt/gguf_write.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { VERSION = 3, ALIGN = 32, MAX_TENSORS = 1 << 20, MAX_DIMS = 4, MAX_NAME = 63 };

struct sc_gguf_writer {
    sc_buf kv;
    uint64_t n_kvs;
    sc_buf infos;
    uint64_t *size; // owned, [n_tensors]
    size_t n_tensors;
    size_t cap;
    uint64_t next; // offset of the next tensor's data
    int fd;        // -1: not begun
    char *path;    // owned
    char *temp;    // owned; NULL: nothing to remove
    size_t at;     // tensor that is being written
    uint64_t done; // its bytes so far
};

sc_code sc_gguf_writer_new(sc_gguf_writer **out, sc_err *err)
{
    sc_gguf_writer *w = sc_new(sc_gguf_writer);
    if (!w)
        return sc_fail_nomem(err);
    w->kv = sc_buf_init(1u << 30);
    w->infos = sc_buf_init(1u << 28);
    w->fd = -1;
    *out = w;
    return SC_OK;
}

void sc_gguf_writer_free(sc_gguf_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        (void)close(w->fd); // given up: the file is removed
    if (w->temp)
        (void)unlink(w->temp); // as well as we can
    sc_buf_drop(&w->kv);
    sc_buf_drop(&w->infos);
    sc_free(w->size);
    sc_free(w->path);
    sc_free(w->temp);
    sc_free(w);
}

static void put_uint(sc_buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        sc_buf_add_char(b, (char)(v >> (8 * i) & 0xff));
}

static void put_text(sc_buf *b, sc_str s)
{
    put_uint(b, s.n, 8);
    sc_buf_add_str(b, s);
}

static uint32_t float_bits(float v)
{
    uint32_t bits = 0;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static void put_key(sc_gguf_writer *w, sc_str key, sc_gguf_type type)
{
    put_text(&w->kv, key);
    put_uint(&w->kv, type, 4);
    w->n_kvs++;
}

void sc_gguf_put_u32(sc_gguf_writer *w, const char *key, uint32_t v)
{
    put_key(w, sc_str_c(key), SC_GGUF_U32);
    put_uint(&w->kv, v, 4);
}

void sc_gguf_put_i32(sc_gguf_writer *w, const char *key, int32_t v)
{
    put_key(w, sc_str_c(key), SC_GGUF_I32);
    put_uint(&w->kv, (uint32_t)v, 4);
}

void sc_gguf_put_f32(sc_gguf_writer *w, const char *key, float v)
{
    put_key(w, sc_str_c(key), SC_GGUF_F32);
    put_uint(&w->kv, float_bits(v), 4);
}

void sc_gguf_put_bool(sc_gguf_writer *w, const char *key, bool v)
{
    put_key(w, sc_str_c(key), SC_GGUF_BOOL);
    put_uint(&w->kv, v, 1);
}

void sc_gguf_put_str(sc_gguf_writer *w, const char *key, sc_str v)
{
    put_key(w, sc_str_c(key), SC_GGUF_STR);
    put_text(&w->kv, v);
}

void sc_gguf_put_kv(sc_gguf_writer *w, const sc_gguf_kv *kv)
{
    put_key(w, kv->key, kv->is_array ? SC_GGUF_ARRAY : kv->type);
    if (kv->is_array) {
        put_uint(&w->kv, kv->type, 4);
        put_uint(&w->kv, kv->n, 8);
    }
    sc_buf_add(&w->kv, kv->data, kv->size);
}

void sc_gguf_put_array(sc_gguf_writer *w, const char *key, sc_gguf_type type, uint64_t n)
{
    put_key(w, sc_str_c(key), SC_GGUF_ARRAY);
    put_uint(&w->kv, type, 4);
    put_uint(&w->kv, n, 8);
}

void sc_gguf_item_str(sc_gguf_writer *w, sc_str v)
{
    put_text(&w->kv, v);
}

void sc_gguf_item_i32(sc_gguf_writer *w, int32_t v)
{
    put_uint(&w->kv, (uint32_t)v, 4);
}

void sc_gguf_item_f32(sc_gguf_writer *w, float v)
{
    put_uint(&w->kv, float_bits(v), 4);
}

/* How many bytes of padding follow `size` bytes. */
static unsigned padding(uint64_t size)
{
    return (unsigned)((ALIGN - size % ALIGN) % ALIGN);
}

sc_code sc_gguf_writer_add(sc_gguf_writer *w, const char *name, sc_dtype dtype, uint32_t n_dims,
                           const uint64_t *dims, sc_err *err)
{
    const int type = sc_gguf_type_of(dtype);
    if (type < 0 || n_dims > MAX_DIMS || strlen(name) > MAX_NAME ||
        !sc_tensor_name_ok(sc_str_c(name)))
        return sc_fail(err, SC_E_USAGE, "tensor %s: GGUF has no such name, type or shape", name);
    sc_tensor t = {.dtype = dtype, .n_dims = n_dims};
    for (uint32_t d = 0; d < n_dims; d++)
        t.dims[d] = dims[d];
    SC_TRY_IN(sc_tensor_measure(&t, err), err, "tensor %s", name);
    if (!sc_grow(&w->size, &w->cap, w->n_tensors, MAX_TENSORS, sizeof *w->size))
        return sc_fail_nomem(err);
    put_text(&w->infos, sc_str_c(name));
    put_uint(&w->infos, n_dims, 4);
    for (uint32_t d = n_dims; d-- > 0;)
        put_uint(&w->infos, dims[d], 8);
    put_uint(&w->infos, (uint64_t)type, 4);
    put_uint(&w->infos, w->next, 8);
    w->size[w->n_tensors++] = t.size;
    if (__builtin_add_overflow(w->next, t.size + padding(t.size), &w->next))
        return sc_fail(err, SC_E_USAGE, "tensor %s: the file grows too large", name);
    return SC_OK;
}

sc_code sc_gguf_writer_head(const sc_gguf_writer *w, sc_buf *out, sc_err *err)
{
    sc_buf_add_c(out, "GGUF");
    put_uint(out, VERSION, 4);
    put_uint(out, w->n_tensors, 8);
    put_uint(out, w->n_kvs, 8);
    sc_buf_add_str(out, sc_buf_str(&w->kv));
    sc_buf_add_str(out, sc_buf_str(&w->infos));
    for (unsigned i = padding(out->n); i > 0; i--)
        sc_buf_add_char(out, '\0');
    return sc_buf_ok(&w->kv) && sc_buf_ok(&w->infos) && sc_buf_ok(out) ? SC_OK : sc_fail_nomem(err);
}

static sc_code write_all(const sc_gguf_writer *w, const void *bytes, size_t n, sc_err *err)
{
    const char *p = bytes;
    while (n) {
        const ssize_t k = write(w->fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return sc_fail_sys(err, SC_E_IO, errno, "%s", w->path);
        p += k;
        n -= (size_t)k;
    }
    return SC_OK;
}

/* Steps over tensors without data. */
static void skip_empty(sc_gguf_writer *w)
{
    while (w->at < w->n_tensors && w->size[w->at] == 0)
        w->at++;
}

sc_code sc_gguf_writer_begin(sc_gguf_writer *w, const char *path, sc_err *err)
{
    SC_AUTO(sc_buf) head = sc_buf_init(SIZE_MAX / 4);
    SC_TRY(sc_gguf_writer_head(w, &head, err));
    SC_AUTO(sc_buf) temp = sc_buf_init(strlen(path) + 32);
    sc_buf_addf(&temp, "%s.tmp-%ld", path, (long)getpid());
    w->path = sc_strdup(path);
    char *name = sc_buf_take(&temp);
    if (!w->path || !name) {
        sc_free(name);
        return sc_fail_nomem(err);
    }
    w->fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        sc_free(name);
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    }
    w->temp = name;
    skip_empty(w);
    return write_all(w, sc_buf_text(&head), head.n, err);
}

sc_code sc_gguf_writer_data(sc_gguf_writer *w, const void *bytes, size_t n, sc_err *err)
{
    static const char zeros[ALIGN] = {0};
    if (n == 0)
        return SC_OK;
    if (w->at == w->n_tensors || n > w->size[w->at] - w->done)
        return sc_fail(err, SC_E_USAGE, "%s: more data than its tensors have", w->path);
    SC_TRY(write_all(w, bytes, n, err));
    w->done += n;
    if (w->done < w->size[w->at])
        return SC_OK;
    SC_TRY(write_all(w, zeros, padding(w->done), err));
    w->done = 0;
    w->at++;
    skip_empty(w);
    return SC_OK;
}

sc_code sc_gguf_writer_finish(sc_gguf_writer *w, sc_err *err)
{
    if (w->at != w->n_tensors)
        return sc_fail(err, SC_E_USAGE, "%s: data is missing", w->path);
    const int fd = w->fd;
    w->fd = -1;
    sc_code code = SC_OK;
    if (fsync(fd) != 0 && errno != EINVAL) // EINVAL: the file system cannot
        code = sc_fail_sys(err, SC_E_IO, errno, "%s", w->path);
    if (close(fd) != 0 && code == SC_OK)
        code = sc_fail_sys(err, SC_E_IO, errno, "%s", w->path);
    SC_TRY(code);
    if (rename(w->temp, w->path) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", w->path);
    sc_free(w->temp);
    w->temp = NULL;
    return SC_OK;
}
