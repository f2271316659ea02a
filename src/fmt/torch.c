// SPDX-License-Identifier: MIT
#include "fmt/torch.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "fmt/names.h"
#include "fmt/pickle.h"
#include "fmt/torch_json.h"
#include "fmt/torch_tensor.h"
#include "fmt/zip.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_TENSORS = 1 << 20, MAX_STORAGES = 1 << 20, TAR_MAGIC_AT = 257 };

// The number 0x1950a86a20f9469cfc6c as a pickle writes it: how the old stream begins.
static const uint8_t old_magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                    0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

struct sc_torch {
    const uint8_t *bytes; // borrowed
    size_t size;
    sc_zip *zip;               // owned; NULL for the old stream
    sc_str folder;             // of the archive's members, with the '/' behind
    sc_pickle *pickle;         // owned
    sc_pickle *keys;           // owned; of the old stream
    sc_torch_storage *storage; // owned, [n_storages]; of the old stream
    size_t n_storages;
    sc_names storages; // of `storage`
    sc_tensor *tensor; // owned, [n_tensors]
    size_t n_tensors;
    json_t *config; // owned
    json_t *extra;  // owned
};

bool sc_torch_is(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    if (size >= 4 && memcmp(p, "PK\3\4", 4) == 0)
        return true;
    if (size >= 8 && memcmp(p, "PYTORCH1", 8) == 0)
        return true;
    if (size >= TAR_MAGIC_AT + 5 && memcmp(p + TAR_MAGIC_AT, "ustar", 5) == 0)
        return true;
    // Behind the protocol number, and behind a frame's length from protocol 4 on.
    return size >= 2 && p[0] == 0x80 &&
           memmem(p, size < 32 ? size : 32, old_magic, sizeof old_magic);
}

/* The member called `name` in the archive's folder, or NULL. */
static const sc_zip_member *member(const sc_torch *t, const char *name, sc_str rest)
{
    SC_AUTO(sc_buf) path = sc_buf_init(4096);
    sc_buf_add_str(&path, t->folder);
    sc_buf_add_c(&path, name);
    sc_buf_add_str(&path, rest);
    return sc_buf_ok(&path) ? sc_zip_find(t->zip, sc_buf_str(&path)) : NULL;
}

static sc_code check_archive(sc_torch *t, sc_err *err)
{
    size_t n = 0;
    const sc_zip_member *m = sc_zip_members(t->zip, &n);
    const char *slash = n && m[0].name.n ? memchr(m[0].name.p, '/', m[0].name.n) : NULL;
    if (!slash)
        return sc_fail(err, SC_E_FORMAT, "a ZIP archive, but not one of torch.save");
    t->folder = (sc_str){m[0].name.p, (size_t)(slash - m[0].name.p) + 1};
    if (member(t, "constants.pkl", SC_STR("")))
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "is TorchScript, a program; save the model's state_dict instead");
    const sc_zip_member *order = member(t, "byteorder", SC_STR(""));
    if (order && !(order->size == 6 && memcmp(t->bytes + order->at, "little", 6) == 0))
        return sc_fail_at(err, SC_E_UNSUPPORTED, order->at, "is not little-endian");
    return SC_OK;
}

static sc_code open_archive(sc_torch *t, sc_err *err)
{
    SC_TRY(sc_zip_parse(t->bytes, t->size, &t->zip, err));
    SC_TRY(check_archive(t, err));
    const sc_zip_member *m = member(t, "data.pkl", SC_STR(""));
    if (!m)
        return sc_fail(err, SC_E_FORMAT, "a ZIP archive without data.pkl: not one of torch.save");
    SC_TRY(sc_zip_check(t->zip, m, err));
    // Over the file up to the member's end, so that an error's offset is that of the file.
    sc_cur c = sc_cur_init(t->bytes, (size_t)(m->at + m->size));
    sc_cur_seek(&c, m->at);
    SC_TRY_IN(sc_pickle_parse(&c, &t->pickle, err), err, "data.pkl");
    return SC_OK;
}

static sc_code place_in_archive(const void *ctx, sc_torch_storage *s, sc_err *err)
{
    const sc_torch *t = ctx;
    const sc_zip_member *m = member(t, "data/", s->key);
    if (!m)
        return sc_fail(err, SC_E_FORMAT, "storage %.*s is not in the archive", SC_STRF(s->key));
    s->at = m->at;
    s->size = m->size;
    return SC_OK;
}

static sc_code place_in_stream(const void *ctx, sc_torch_storage *s, sc_err *err)
{
    const sc_torch *t = ctx;
    const size_t i = sc_names_find(&t->storages, s->key);
    if (i == SIZE_MAX || t->storage[i].size == UINT64_MAX)
        return sc_fail(err, SC_E_FORMAT, "storage %.*s is not in the file", SC_STRF(s->key));
    s->at = t->storage[i].at;
    s->size = t->storage[i].size;
    return SC_OK;
}

/* The old stream's first three pickles: magic number, version, what machine wrote it. */
static sc_code read_preamble(sc_cur *c, sc_err *err)
{
    for (unsigned i = 0; i < 3; i++) {
        SC_AUTO(sc_pickle) *p = NULL;
        SC_TRY(sc_pickle_parse(c, &p, err));
        sc_pkl little = 0;
        if (i == 2 && sc_pickle_find(p, sc_pickle_root(p), "little_endian", &little) &&
            sc_pickle_kind(p, little) == SC_PKL_BOOL && sc_pickle_int(p, little) == 0)
            return sc_fail(err, SC_E_UNSUPPORTED, "is not little-endian");
    }
    return SC_OK;
}

/* Every storage that the pickle names, each once: their sizes say where the next one begins. */
static sc_code collect_storages(sc_torch *t, sc_err *err)
{
    const size_t n = sc_pickle_n_values(t->pickle);
    size_t cap = 0;
    for (size_t v = 0; v < n; v++) {
        if (sc_pickle_kind(t->pickle, (sc_pkl)v) != SC_PKL_PERSID)
            continue;
        if (!sc_grow(&t->storage, &cap, t->n_storages, MAX_STORAGES, sizeof *t->storage))
            return cap == MAX_STORAGES ? sc_fail(err, SC_E_LIMIT, "too many storages")
                                       : sc_fail_nomem(err);
        sc_torch_storage s = {.size = UINT64_MAX};
        SC_TRY(sc_torch_storage_of(t->pickle, (sc_pkl)v, &s, err));
        t->storage[t->n_storages++] = s;
    }
    return sc_names_init(&t->storages, t->storage, t->n_storages, sizeof *t->storage, err);
}

/* Walks over the raw data: for each key a count of elements, then the elements. */
static sc_code locate_storages(sc_torch *t, sc_cur *c, sc_err *err)
{
    const sc_pkl list = sc_pickle_root(t->keys);
    if (sc_pickle_kind(t->keys, list) != SC_PKL_LIST)
        return sc_fail_at(err, SC_E_FORMAT, c->pos, "the list of storages is missing");
    for (size_t i = 0; i < sc_pickle_n_items(t->keys, list); i++) {
        const sc_str key = sc_pickle_str(t->keys, sc_pickle_item(t->keys, list, i));
        const size_t rank = sc_names_rank(&t->storages, key);
        if (rank == SIZE_MAX)
            return sc_fail_at(err, SC_E_FORMAT, c->pos, "storage %.*s belongs to no tensor",
                              SC_STRF(key));
        const sc_torch_storage *first = &t->storage[t->storages.order[rank]];
        const uint64_t element = first->untyped ? 1 : sc_dtype_info(first->dtype)->size;
        const uint64_t count = sc_cur_u64(c);
        const uint64_t at = c->pos;
        uint64_t size = 0;
        if (__builtin_mul_overflow(count, element, &size) || !sc_cur_take(c, size))
            return sc_fail_at(err, SC_E_FORMAT, at,
                              "storage %.*s: truncated, %" PRIu64 " elements promised",
                              SC_STRF(key), count);
        for (size_t k = rank; k < t->storages.n; k++) {
            sc_torch_storage *s = &t->storage[t->storages.order[k]];
            if (!sc_str_eq(s->key, key))
                break;
            s->at = at;
            s->size = size;
        }
    }
    return SC_OK;
}

static sc_code open_stream(sc_torch *t, sc_err *err)
{
    sc_cur c = sc_cur_init(t->bytes, t->size);
    SC_TRY(read_preamble(&c, err));
    SC_TRY(sc_pickle_parse(&c, &t->pickle, err));
    SC_TRY(sc_pickle_parse(&c, &t->keys, err));
    SC_TRY(collect_storages(t, err));
    return locate_storages(t, &c, err);
}

/* The dict of weights in the file's value. */
static sc_code find_model(const sc_torch *t, sc_pkl *out, bool *bare, sc_err *err)
{
    const sc_pickle *p = t->pickle;
    const sc_pkl root = sc_pickle_root(p);
    if (sc_pickle_kind(p, root) == SC_PKL_CALL)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "holds a whole Python object; save its state_dict instead");
    if (sc_pickle_kind(p, root) != SC_PKL_DICT)
        return sc_fail(err, SC_E_FORMAT, "holds no dict of weights");
    *bare = !sc_pickle_find(p, root, "model_state_dict", out) &&
            !sc_pickle_find(p, root, "state_dict", out);
    if (*bare)
        *out = root;
    if (sc_pickle_kind(p, *out) != SC_PKL_DICT)
        return sc_fail(err, SC_E_FORMAT, "model_state_dict is not a dict");
    return SC_OK;
}

/* One entry of the dict of weights; what is no tensor (a number, an extra state) is left out. */
static sc_code add_tensor(sc_torch *t, sc_pkl key, sc_pkl v, bool bare, sc_err *err)
{
    const sc_pickle *p = t->pickle;
    const sc_str name = sc_pickle_str(p, key);
    if (!sc_torch_is_tensor(p, v)) {
        if (!bare && sc_pickle_kind(p, v) == SC_PKL_CALL) {
            const sc_pkl f = sc_pickle_item(p, v, 0);
            const bool named = sc_pickle_kind(p, f) == SC_PKL_GLOBAL;
            return sc_fail(
                err, SC_E_UNSUPPORTED, "tensor %.*s is made by %.*s, which is not known",
                SC_STRF(name),
                SC_STRF(named ? sc_pickle_str(p, sc_pickle_item(p, f, 1)) : SC_STR("something")));
        }
        return SC_OK;
    }
    if (sc_pickle_kind(p, key) != SC_PKL_STR || !sc_tensor_name_ok(name))
        return sc_fail(err, SC_E_FORMAT, "tensor %zu has no proper name", t->n_tensors);
    sc_tensor *out = &t->tensor[t->n_tensors];
    out->name = name;
    SC_TRY_IN(sc_torch_tensor_of(p, v, t->zip ? place_in_archive : place_in_stream, t, out, err),
              err, "tensor %.*s", SC_STRF(name));
    t->n_tensors++;
    return SC_OK;
}

static sc_code read_tensors(sc_torch *t, sc_pkl model, bool bare, sc_err *err)
{
    const size_t n = sc_pickle_n_items(t->pickle, model) / 2;
    if (n > MAX_TENSORS)
        return sc_fail(err, SC_E_LIMIT, "%zu tensors, at most %d expected", n, MAX_TENSORS);
    t->tensor = sc_alloc(n, sizeof *t->tensor);
    if (!t->tensor)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        SC_TRY(add_tensor(t, sc_pickle_item(t->pickle, model, 2 * i),
                          sc_pickle_item(t->pickle, model, 2 * i + 1), bare, err));
    if (t->n_tensors == 0)
        return sc_fail(err, SC_E_FORMAT, "holds no tensor");
    sc_names names = {0};
    SC_TRY(sc_names_init(&names, t->tensor, t->n_tensors, sizeof *t->tensor, err));
    const size_t twin = sc_names_find_twin(&names);
    sc_names_drop(&names);
    if (twin != SIZE_MAX)
        return sc_fail(err, SC_E_FORMAT, "tensor %.*s stands there twice",
                       SC_STRF(t->tensor[twin].name));
    return SC_OK;
}

/* Epoch, step, losses: every other plain value of the file's dict. */
static sc_code read_extra(sc_torch *t, sc_pkl model, sc_err *err)
{
    const sc_pickle *p = t->pickle;
    const sc_pkl root = sc_pickle_root(p);
    t->extra = json_object();
    if (!t->extra)
        return sc_fail_nomem(err);
    for (size_t i = 0; i + 1 < sc_pickle_n_items(p, root); i += 2) {
        const sc_str key = sc_pickle_str(p, sc_pickle_item(p, root, i));
        const sc_pkl v = sc_pickle_item(p, root, i + 1);
        if (v == model || sc_str_is(key, "config") || sc_str_starts(key, SC_STR("optimizer")) ||
            !sc_tensor_name_ok(key))
            continue;
        json_t *made = NULL;
        sc_err ignored = {0};
        // A value too large to be one of these is nobody's loss; running out of memory is.
        const sc_code code = sc_torch_json(p, v, &made, &ignored);
        if (code == SC_E_NOMEM || (made && json_object_setn_new(t->extra, key.p, key.n, made) != 0))
            return sc_fail_nomem(err);
    }
    return SC_OK;
}

static sc_code read_values(sc_torch *t, sc_err *err)
{
    sc_pkl model = 0;
    bool bare = false;
    SC_TRY(find_model(t, &model, &bare, err));
    SC_TRY(read_tensors(t, model, bare, err));
    if (bare)
        return SC_OK;
    sc_pkl config = 0;
    if (sc_pickle_find(t->pickle, sc_pickle_root(t->pickle), "config", &config)) {
        SC_TRY_IN(sc_torch_json(t->pickle, config, &t->config, err), err, "config");
        if (t->config && json_is_null(t->config)) {
            json_decref(t->config);
            t->config = NULL;
        }
        if (t->config && !json_is_object(t->config))
            return sc_fail(err, SC_E_FORMAT, "config is not a dict");
    }
    return read_extra(t, model, err);
}

sc_code sc_torch_parse(const void *bytes, size_t size, sc_torch **out, sc_err *err)
{
    const uint8_t *p = bytes;
    if (size >= 8 && memcmp(p, "PYTORCH1", 8) == 0)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "a preview form of PyTorch files that PyTorch gave up");
    if (size >= TAR_MAGIC_AT + 5 && memcmp(p + TAR_MAGIC_AT, "ustar", 5) == 0)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "a tar archive of PyTorch before 0.1.10; load and save it with a newer one");
    SC_AUTO(sc_torch) *t = sc_new(sc_torch);
    if (!t)
        return sc_fail_nomem(err);
    t->bytes = bytes;
    t->size = size;
    if (size >= 4 && memcmp(p, "PK\3\4", 4) == 0)
        SC_TRY(open_archive(t, err));
    else
        SC_TRY(open_stream(t, err));
    SC_TRY(read_values(t, err));
    *out = sc_take(t);
    return SC_OK;
}

void sc_torch_free(sc_torch *t)
{
    if (!t)
        return;
    sc_zip_free(t->zip);
    sc_pickle_free(t->pickle);
    sc_pickle_free(t->keys);
    sc_names_drop(&t->storages);
    sc_free(t->storage);
    sc_free(t->tensor);
    json_decref(t->config);
    json_decref(t->extra);
    sc_free(t);
}

const sc_tensor *sc_torch_tensors(const sc_torch *t, size_t *n)
{
    *n = t->n_tensors;
    return t->tensor;
}

const json_t *sc_torch_config(const sc_torch *t)
{
    return t->config;
}

const json_t *sc_torch_extra(const sc_torch *t)
{
    return t->extra;
}
