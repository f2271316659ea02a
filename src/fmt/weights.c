// SPDX-License-Identifier: MIT
#include "fmt/weights.h"

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "fmt/folder.h"
#include "fmt/names.h"
#include "fmt/safetensors.h"
#include "fmt/torch.h"

#include <inttypes.h>

enum {
    MAX_TENSORS = 1 << 20,
    MAX_CONFIG = 16 << 20,
    GATHER_FACTOR = 4,       // views may make a model this much larger than its files,
    GATHER_SPARE = 64 << 20, // and by these bytes
};

/* One file of the model with its reader: exactly one of the last three is there. */
typedef struct part {
    sc_map *map;        // owned
    sc_safetensors *st; // owned
    sc_torch *pt;       // owned
    sc_gguf *gguf;      // owned
} part;

struct sc_weights {
    sc_weights_kind kind;
    sc_folder_plan *plan;  // owned: paths, and what an index says
    sc_weights_file *file; // owned, [n_files]; paths borrowed from plan
    part *part;            // owned, [n_files]
    size_t n_files;
    sc_tensor *tensor; // owned, [n_tensors]; names borrowed from the readers
    size_t n_tensors;
    sc_names names;
    void **gathered; // owned, [n_tensors]: NULL or pages of tensor[i].size bytes
    uint64_t gathered_size;
    uint64_t files_size;
    json_t *config;     // owned: config.json; NULL when there is none
    json_t *generation; // owned: generation_config.json; NULL when there is none
};

static sc_code parse_part(part *p, sc_weights_kind *kind, sc_err *err)
{
    size_t size = 0;
    const void *bytes = sc_map_bytes(p->map, &size);
    if (size == 0)
        return sc_fail(err, SC_E_FORMAT, "is empty");
    if (sc_gguf_is(bytes, size)) {
        *kind = SC_WEIGHTS_GGUF;
        return sc_gguf_parse(bytes, size, &p->gguf, err);
    }
    if (sc_torch_is(bytes, size)) {
        *kind = SC_WEIGHTS_TORCH;
        return sc_torch_parse(bytes, size, &p->pt, err);
    }
    if (sc_safetensors_is(bytes, size)) {
        *kind = SC_WEIGHTS_SAFETENSORS;
        return sc_safetensors_parse(bytes, size, &p->st, err);
    }
    return sc_fail_at(err, SC_E_FORMAT, 0, "is not a model: neither PyTorch, safetensors nor GGUF");
}

static const sc_tensor *part_tensors(const part *p, size_t *n)
{
    if (p->gguf)
        return sc_gguf_tensors(p->gguf, n);
    return p->pt ? sc_torch_tensors(p->pt, n) : sc_safetensors_tensors(p->st, n);
}

static sc_code open_part(sc_weights *w, size_t i, sc_err *err)
{
    part *p = &w->part[i];
    SC_TRY(sc_map_open(w->file[i].path, &p->map, err));
    size_t size = 0;
    (void)sc_map_bytes(p->map, &size);
    w->file[i].size = size;
    w->files_size += size; // files that are mapped at once: no wrap
    sc_weights_kind kind = w->kind;
    SC_TRY_IN(parse_part(p, &kind, err), err, "%s", w->file[i].path);
    if (i > 0 && kind != w->kind)
        return sc_fail(err, SC_E_FORMAT, "%s: another format than %s", w->file[i].path,
                       w->file[0].path);
    w->kind = kind;
    return SC_OK;
}

/* Whether two tensors of one name hold the same bytes, so that either will do. */
static bool same_tensor(const sc_weights *w, const sc_tensor *a, const sc_tensor *b)
{
    if (a->dtype != b->dtype || a->n_dims != b->n_dims || !a->dense || !b->dense ||
        memcmp(a->dims, b->dims, sizeof a->dims) != 0)
        return false;
    size_t size = 0;
    const char *x = sc_map_bytes(w->part[a->file].map, &size);
    const char *y = sc_map_bytes(w->part[b->file].map, &size);
    return memcmp(x + a->offset, y + b->offset, (size_t)a->size) == 0;
}

/* A tensor in two shards is tolerated when it is the same one; the first stays. */
static sc_code drop_twins(sc_weights *w, sc_err *err)
{
    const sc_names *s = &w->names;
    const sc_tensor *first = NULL;
    size_t dropped = 0;
    for (size_t i = 0; i < s->n; i++) {
        sc_tensor *t = &w->tensor[s->order[i]];
        if (!first || !sc_str_eq(first->name, t->name)) {
            first = t;
            continue;
        }
        if (first->file == t->file || !same_tensor(w, first, t))
            return sc_fail(err, SC_E_FORMAT, "%s: tensor %.*s is in %s too, and differs",
                           w->file[t->file].path, SC_STRF(t->name), w->file[first->file].path);
        t->n_dims = UINT32_MAX; // marked
        dropped++;
    }
    if (!dropped)
        return SC_OK;
    size_t kept = 0;
    for (size_t i = 0; i < w->n_tensors; i++)
        if (w->tensor[i].n_dims != UINT32_MAX)
            w->tensor[kept++] = w->tensor[i];
    w->n_tensors = kept;
    sc_names_drop(&w->names);
    return sc_names_init(&w->names, w->tensor, w->n_tensors, sizeof *w->tensor, err);
}

/* What the index promises is there, in the shard that it names. */
static sc_code check_index(const sc_weights *w, sc_err *err)
{
    size_t n = 0;
    const sc_folder_place *place = sc_folder_places(w->plan, &n);
    for (size_t i = 0; i < n; i++) {
        bool there = false;
        const size_t rank = sc_names_rank(&w->names, place[i].name);
        for (size_t k = rank; k < w->names.n && !there; k++) {
            const sc_tensor *t = &w->tensor[w->names.order[k]];
            if (!sc_str_eq(t->name, place[i].name))
                break;
            there = t->file == place[i].file;
        }
        if (!there)
            return sc_fail(err, SC_E_FORMAT, "%s: tensor %.*s is missing, the index has it here",
                           w->file[place[i].file].path, SC_STRF(place[i].name));
    }
    return SC_OK;
}

static sc_code collect_tensors(sc_weights *w, sc_err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < w->n_files; i++) {
        size_t n = 0;
        (void)part_tensors(&w->part[i], &n);
        total += n; // each at most a million
    }
    if (total > MAX_TENSORS)
        return sc_fail(err, SC_E_LIMIT, "%s: %zu tensors, at most %d expected", w->file[0].path,
                       total, MAX_TENSORS);
    w->tensor = sc_alloc(total, sizeof *w->tensor);
    w->gathered = sc_alloc(total, sizeof *w->gathered);
    if (!w->tensor || !w->gathered)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < w->n_files; i++) {
        size_t n = 0;
        const sc_tensor *t = part_tensors(&w->part[i], &n);
        for (size_t k = 0; k < n; k++) {
            w->tensor[w->n_tensors] = t[k];
            w->tensor[w->n_tensors++].file = (uint32_t)i;
        }
    }
    SC_TRY(sc_names_init(&w->names, w->tensor, w->n_tensors, sizeof *w->tensor, err));
    SC_TRY(check_index(w, err));
    return drop_twins(w, err);
}

/* The parts of a split GGUF model agree with what they say about each other. */
static sc_code check_splits(const sc_weights *w, sc_err *err)
{
    for (size_t i = 0; i < w->n_files && w->kind == SC_WEIGHTS_GGUF; i++) {
        const sc_gguf *g = w->part[i].gguf;
        int64_t count = 1;
        int64_t no = 0;
        int64_t tensors = (int64_t)w->n_tensors;
        SC_TRY_IN(sc_gguf_get_int(g, "split.count", 0, UINT16_MAX, &count, err), err, "%s",
                  w->file[i].path);
        SC_TRY_IN(sc_gguf_get_int(g, "split.no", 0, UINT16_MAX, &no, err), err, "%s",
                  w->file[i].path);
        SC_TRY_IN(sc_gguf_get_int(g, "split.tensors.count", 0, INT32_MAX, &tensors, err), err, "%s",
                  w->file[i].path);
        int64_t align = 32, first = 32; // what a file without the key has
        SC_TRY_IN(sc_gguf_get_int(g, "general.alignment", 0, INT32_MAX, &align, err), err, "%s",
                  w->file[i].path);
        SC_TRY(sc_gguf_get_int(w->part[0].gguf, "general.alignment", 0, INT32_MAX, &first, err));
        if (align != first) // some writers pad every part as the first one says
            return sc_fail(err, SC_E_UNSUPPORTED,
                           "%s: general.alignment: %" PRId64 ", the first part says %" PRId64,
                           w->file[i].path, align, first);
        if (count > 1 && (size_t)count != w->n_files)
            return sc_fail(err, SC_E_FORMAT, "%s: part of a model in %" PRId64 " files, %zu found",
                           w->file[i].path, count, w->n_files);
        if (w->n_files > 1 && (count < 2 || (size_t)no != i))
            return sc_fail(err, SC_E_FORMAT,
                           "%s: says it is part %" PRId64 " of %" PRId64 ", its name says %zu",
                           w->file[i].path, no + 1, count, i + 1);
        if (w->n_files > 1 && (size_t)tensors != w->n_tensors)
            return sc_fail(err, SC_E_FORMAT,
                           "%s: %" PRId64 " tensors promised, %zu in all its files",
                           w->file[i].path, tensors, w->n_tensors);
    }
    return SC_OK;
}

/* The object in the file `name` beside the weights; *out stays NULL when there is none. */
static sc_code read_beside(const sc_weights *w, const char *name, json_t **out, sc_err *err)
{
    SC_AUTO(char) *dir = sc_path_dir(w->file[0].path);
    SC_AUTO(char) *path = dir ? sc_path_join(dir, name) : NULL;
    if (!path)
        return sc_fail_nomem(err);
    if (!sc_file_is_file(path))
        return SC_OK;
    SC_TRY(sc_json_read(path, MAX_CONFIG, out, err));
    if (!json_is_object(*out))
        return sc_fail(err, SC_E_FORMAT, "%s: is not a JSON object", path);
    return SC_OK;
}

/* config.json beside the weights; a checkpoint's own config goes first, a GGUF file needs none. */
static sc_code read_config(sc_weights *w, sc_err *err)
{
    if (w->kind == SC_WEIGHTS_GGUF || sc_weights_config(w))
        return SC_OK;
    SC_TRY(read_beside(w, "config.json", &w->config, err));
    return w->config ? read_beside(w, "generation_config.json", &w->generation, err) : SC_OK;
}

sc_code sc_weights_open(const char *path, sc_weights **out, sc_err *err)
{
    SC_AUTO(sc_weights) *w = sc_new(sc_weights);
    if (!w)
        return sc_fail_nomem(err);
    SC_TRY(sc_folder_plan_open(path, &w->plan, err));
    w->n_files = sc_folder_n_files(w->plan);
    w->file = sc_alloc(w->n_files, sizeof *w->file);
    w->part = sc_alloc(w->n_files, sizeof *w->part);
    if (!w->file || !w->part)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < w->n_files; i++) {
        w->file[i].path = sc_folder_file(w->plan, i);
        SC_TRY(open_part(w, i, err));
    }
    SC_TRY(collect_tensors(w, err));
    SC_TRY(check_splits(w, err));
    SC_TRY(read_config(w, err));
    *out = sc_take(w);
    return SC_OK;
}

void sc_weights_close(sc_weights *w)
{
    if (!w)
        return;
    for (size_t i = 0; w->gathered && i < w->n_tensors; i++)
        sc_free_pages(w->gathered[i], (size_t)w->tensor[i].size);
    sc_free(w->gathered);
    sc_names_drop(&w->names);
    sc_free(w->tensor);
    for (size_t i = 0; w->part && i < w->n_files; i++) {
        sc_safetensors_free(w->part[i].st);
        sc_torch_free(w->part[i].pt);
        sc_gguf_free(w->part[i].gguf);
        sc_map_close(w->part[i].map);
    }
    sc_free(w->part);
    sc_free(w->file);
    sc_folder_plan_close(w->plan);
    json_decref(w->config);
    json_decref(w->generation);
    sc_free(w);
}

sc_weights_kind sc_weights_kind_of(const sc_weights *w)
{
    return w->kind;
}

const sc_tensor *sc_weights_tensors(const sc_weights *w, size_t *n)
{
    *n = w->n_tensors;
    return w->tensor;
}

const sc_tensor *sc_weights_find(const sc_weights *w, sc_str name)
{
    const size_t i = sc_names_find(&w->names, name);
    return i == SIZE_MAX ? NULL : &w->tensor[i];
}

/* What a pointer to one element must be a multiple of. */
static size_t element_align(sc_dtype dtype)
{
    const sc_dtype_facts *f = sc_dtype_info(dtype);
    if (f->block > 1)
        return 2; // blocks begin with a half, or hold single bytes
    return f->size;
}

/* Copies the elements of a view side by side. */
static void gather(const sc_tensor *t, const char *from, char *to)
{
    const size_t size = sc_dtype_info(t->dtype)->size;
    uint64_t index[SC_TENSOR_MAX_DIMS] = {0};
    uint64_t at = 0; // elements
    for (uint64_t i = 0; i < t->count; i++) {
        memcpy(to + i * size, from + at * size, size);
        for (uint32_t d = t->n_dims; d-- > 0;) {
            at += t->stride[d];
            if (++index[d] < t->dims[d])
                break;
            at -= t->stride[d] * t->dims[d];
            index[d] = 0;
        }
    }
}

sc_code sc_weights_data(sc_weights *w, const sc_tensor *t, const void **out, sc_err *err)
{
    const size_t i = (size_t)(t - w->tensor);
    size_t file_size = 0;
    const char *from = sc_map_bytes(w->part[t->file].map, &file_size);
    from += t->size ? t->offset : 0;
    if (t->dense && (uintptr_t)from % element_align(t->dtype) == 0) {
        *out = from;
        return SC_OK;
    }
    if (!w->gathered[i]) {
        const uint64_t limit = w->files_size * GATHER_FACTOR + GATHER_SPARE;
        if (t->size > limit - w->gathered_size)
            return sc_fail(err, SC_E_LIMIT,
                           "%s: tensor %.*s is a view of %" PRIu64 " bytes, too many for the file",
                           w->file[t->file].path, SC_STRF(t->name), t->size);
        char *to = sc_alloc_pages((size_t)t->size);
        if (!to)
            return sc_fail_nomem(err);
        if (t->dense)
            memcpy(to, from, (size_t)t->size);
        else
            gather(t, from, to);
        w->gathered[i] = to;
        w->gathered_size += t->size;
    }
    *out = w->gathered[i];
    return SC_OK;
}

bool sc_weights_in_file(const sc_weights *w, const void *first, const void *last)
{
    for (size_t i = 0; i < w->n_files; i++) {
        size_t size = 0;
        const uintptr_t from = (uintptr_t)sc_map_bytes(w->part[i].map, &size);
        if ((uintptr_t)first >= from && first <= last && (uintptr_t)last - from < size)
            return true;
    }
    return false;
}

void sc_weights_forget(sc_weights *w, const sc_tensor *t)
{
    const size_t i = (size_t)(t - w->tensor);
    if (w->gathered[i]) {
        sc_free_pages(w->gathered[i], (size_t)t->size);
        w->gathered[i] = NULL;
        w->gathered_size -= t->size;
    }
    if (t->dense)
        sc_map_forget(w->part[t->file].map, (size_t)t->offset, (size_t)t->size);
}

uint64_t sc_weights_gathered(const sc_weights *w)
{
    return w->gathered_size;
}

const json_t *sc_weights_config(const sc_weights *w)
{
    const sc_torch *pt = w->n_files == 1 ? w->part[0].pt : NULL;
    const json_t *own = pt ? sc_torch_config(pt) : NULL;
    return own ? own : w->config;
}

const json_t *sc_weights_generation(const sc_weights *w)
{
    return w->generation;
}

const sc_gguf *sc_weights_gguf(const sc_weights *w)
{
    return w->part[0].gguf;
}

const sc_weights_file *sc_weights_files(const sc_weights *w, size_t *n)
{
    *n = w->n_files;
    return w->file;
}
