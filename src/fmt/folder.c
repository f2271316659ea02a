// SPDX-License-Identifier: MIT
#include "fmt/folder.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "fmt/tensor.h"

#include <dirent.h>
#include <errno.h>

enum { MAX_INDEX = 64 << 20, MAX_FILES = 4096, SPLIT_TAIL = sizeof "-00001-of-00002.gguf" - 1 };

struct sc_folder_plan {
    char **file; // owned, [n_files], each owned
    size_t n_files;
    size_t cap;
    json_t *index;          // owned; the names of `place` point into it
    sc_folder_place *place; // owned, [n_places]
    size_t n_places;
};

/* Takes `path` (NULL: memory was out) over. */
static sc_code add_file(sc_folder_plan *p, char *path, sc_err *err)
{
    if (p->n_files == MAX_FILES) {
        sc_free(path);
        return sc_fail(err, SC_E_LIMIT, "more than %d files", MAX_FILES);
    }
    if (!path || !sc_grow(&p->file, &p->cap, p->n_files, MAX_FILES, sizeof *p->file)) {
        sc_free(path);
        return sc_fail_nomem(err);
    }
    p->file[p->n_files++] = path;
    return SC_OK;
}

/* A plain name: an index must not lead out of its folder. */
static bool file_name_ok(sc_str name)
{
    return sc_tensor_name_ok(name) && name.p[0] != '.' && !memchr(name.p, '/', name.n) &&
           !memchr(name.p, '\\', name.n);
}

/* The shard of that name, a new one if need be. Few shards: a linear search will do. */
static sc_code place_file(sc_folder_plan *p, const char *dir, sc_str name, uint32_t *out,
                          sc_err *err)
{
    for (size_t i = p->n_files; i-- > 0;)
        if (sc_str_is(name, sc_path_base(p->file[i]))) {
            *out = (uint32_t)i;
            return SC_OK;
        }
    *out = (uint32_t)p->n_files;
    return add_file(p, sc_path_join(dir, name.p), err); // Jansson's strings end with a NUL
}

static sc_code read_places(sc_folder_plan *p, const char *dir, const json_t *map, sc_err *err)
{
    p->place = sc_alloc(json_object_size(map), sizeof *p->place);
    if (!p->place)
        return sc_fail_nomem(err);
    const char *key = NULL;
    const json_t *v = NULL;
    json_object_foreach((json_t *)(uintptr_t)map, key, v)
    {
        const sc_str file = sc_json_str(v);
        if (!sc_tensor_name_ok(sc_str_c(key)))
            return sc_fail(err, SC_E_FORMAT, "\"%.64s\" cannot be a tensor's name", key);
        if (!file_name_ok(file))
            return sc_fail(err, SC_E_FORMAT, "tensor %.200s: \"%.*s\" is not a file's name", key,
                           SC_STRF(file));
        sc_folder_place *place = &p->place[p->n_places];
        place->name = sc_str_c(key);
        SC_TRY(place_file(p, dir, file, &place->file, err));
        p->n_places++;
    }
    return SC_OK;
}

static sc_code read_index(sc_folder_plan *p, const char *path, sc_err *err)
{
    SC_TRY(sc_json_read(path, MAX_INDEX, &p->index, err));
    const json_t *map = json_object_get(p->index, "weight_map");
    if (!json_is_object(map) || json_object_size(map) == 0)
        return sc_fail(err, SC_E_FORMAT, "%s: no \"weight_map\" that says where the tensors are",
                       path);
    SC_AUTO(char) *dir = sc_path_dir(path);
    if (!dir)
        return sc_fail_nomem(err);
    SC_TRY_IN(read_places(p, dir, map, err), err, "%s", path);
    return SC_OK;
}

/* Five digits, or 0. */
static unsigned five_digits(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 5; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        v = v * 10 + (unsigned)(p[i] - '0');
    }
    return v;
}

/* The count of a name that ends in -0000I-of-0000N.gguf, or 0. */
static unsigned split_count(const char *path, unsigned *no)
{
    const sc_str name = sc_str_c(path);
    if (name.n < SPLIT_TAIL)
        return 0;
    const char *tail = path + name.n - SPLIT_TAIL; // "-00001-of-00002.gguf"
    if (tail[0] != '-' || memcmp(tail + 6, "-of-", 4) != 0 || memcmp(tail + 15, ".gguf", 5) != 0)
        return 0;
    const unsigned count = five_digits(tail + 10);
    *no = five_digits(tail + 1);
    return *no >= 1 && *no <= count ? count : 0;
}

/* One file; of a split GGUF model all of them, whichever part was named. */
static sc_code add_model(sc_folder_plan *p, const char *path, sc_err *err)
{
    unsigned no = 0;
    const unsigned count = split_count(path, &no);
    if (count < 2)
        return add_file(p, sc_strdup(path), err);
    const size_t stem = strlen(path) - SPLIT_TAIL;
    for (unsigned i = 1; i <= count; i++) {
        SC_AUTO(sc_buf) name = sc_buf_init(stem + SPLIT_TAIL + 1);
        sc_buf_add(&name, path, stem);
        sc_buf_addf(&name, "-%05u-of-%05u.gguf", i, count);
        SC_TRY(add_file(p, sc_buf_take(&name), err));
    }
    return SC_OK;
}

/* Whether the file `name` of the folder exists; *path is then the caller's. */
static sc_code find_file(const char *dir, const char *name, char **path, sc_err *err)
{
    SC_AUTO(char) *joined = sc_path_join(dir, name);
    if (!joined)
        return sc_fail_nomem(err);
    if (sc_file_is_file(joined))
        *path = sc_take(joined);
    return SC_OK;
}

/* Of a split model only the first part counts, so that the model counts once. */
static bool counts(const char *name, const char *const *suffix)
{
    unsigned no = 0;
    if (name[0] == '.' || (split_count(name, &no) > 1 && no != 1))
        return false;
    for (; *suffix; suffix++)
        if (sc_str_ends(sc_str_c(name), sc_str_c(*suffix)))
            return true;
    return false;
}

/* The only file with one of the suffixes: *name is the caller's, NULL when there is none. */
static sc_code find_only(const char *dir, const char *const *suffix, char **name, sc_err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", dir);
    SC_AUTO(char) *found = NULL;
    sc_code code = SC_OK;
    for (const struct dirent *e = NULL; code == SC_OK && (e = readdir(d)) != NULL;) {
        if (!counts(e->d_name, suffix))
            continue;
        if (found)
            code = sc_fail(err, SC_E_NOTFOUND, "%s: several models, name one: %s, %s, ...", dir,
                           found, e->d_name);
        else if (!(found = sc_strdup(e->d_name)))
            code = sc_fail_nomem(err);
    }
    (void)closedir(d); // opened for reading
    SC_TRY(code);
    *name = sc_take(found);
    return SC_OK;
}

static sc_code plan_folder(sc_folder_plan *p, const char *dir, sc_err *err)
{
    static const struct {
        const char *name;
        bool is_index;
    } known[] = {
        {"model.safetensors", false},
        {"model.safetensors.index.json", true},
        {"pytorch_model.bin", false},
        {"pytorch_model.bin.index.json", true},
    };
    for (size_t i = 0; i < SC_LEN(known); i++) {
        SC_AUTO(char) *path = NULL;
        SC_TRY(find_file(dir, known[i].name, &path, err));
        if (path && known[i].is_index)
            return read_index(p, path, err);
        if (path)
            return add_file(p, sc_take(path), err);
    }
    static const char *const suffixes[][3] = {{".gguf"}, {".pt", ".pth"}, {".safetensors"}};
    for (size_t i = 0; i < SC_LEN(suffixes); i++) {
        SC_AUTO(char) *name = NULL;
        SC_TRY(find_only(dir, suffixes[i], &name, err));
        if (!name)
            continue;
        SC_AUTO(char) *path = sc_path_join(dir, name);
        if (!path)
            return sc_fail_nomem(err);
        return add_model(p, path, err);
    }
    return sc_fail(err, SC_E_NOTFOUND,
                   "%s: no model here: no *.safetensors, pytorch_model.bin, *.gguf or *.pt", dir);
}

sc_code sc_folder_plan_open(const char *path, sc_folder_plan **out, sc_err *err)
{
    SC_AUTO(sc_folder_plan) *p = sc_new(sc_folder_plan);
    if (!p)
        return sc_fail_nomem(err);
    if (sc_file_is_dir(path))
        SC_TRY(plan_folder(p, path, err));
    else if (sc_str_ends(sc_str_c(path), SC_STR(".index.json")))
        SC_TRY(read_index(p, path, err));
    else
        SC_TRY(add_model(p, path, err));
    *out = sc_take(p);
    return SC_OK;
}

void sc_folder_plan_close(sc_folder_plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_files; i++)
        sc_free(p->file[i]);
    sc_free(p->file);
    sc_free(p->place);
    json_decref(p->index);
    sc_free(p);
}

size_t sc_folder_n_files(const sc_folder_plan *p)
{
    return p->n_files;
}

const char *sc_folder_file(const sc_folder_plan *p, size_t i)
{
    return p->file[i];
}

const sc_folder_place *sc_folder_places(const sc_folder_plan *p, size_t *n)
{
    *n = p->n_places;
    return p->place;
}
