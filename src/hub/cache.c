// SPDX-License-Identifier: MIT
#include "hub/cache.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MAX_FILES = 20000, MAX_DEPTH = 6, MAX_PATH = 4096, MAX_REF = 256 };

/* The files of a snapshot, with the memory behind their names. */
typedef struct files {
    sc_hub_file *at; // owned, [n]; sorted by path at the end
    char **name;     // owned, [n]: what the paths point at, in any order
    size_t n, cap, name_cap;
    char *broken; // owned: a link that leads nowhere; NULL: none
} files;

static void files_drop(files *f)
{
    for (size_t i = 0; i < f->n; i++)
        sc_free(f->name[i]);
    sc_free(f->name);
    sc_free(f->at);
    sc_free(f->broken);
}
SC_AUTO_DEFINE_VALUE(files, files_drop);

static void close_dir(DIR *d)
{
    if (d)
        (void)closedir(d); // opened for reading
}
SC_AUTO_DEFINE(DIR, close_dir);

/* The next entry but "." and "..", or NULL. */
static const char *next_name(DIR *d)
{
    for (;;) {
        const struct dirent *e = readdir(d); // NOLINT(concurrency-mt-unsafe): the stream is ours
        if (!e || (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0))
            return e ? e->d_name : NULL;
    }
}

static sc_code add_file(files *f, const char *name, uint64_t size, sc_err *err)
{
    if (f->n >= MAX_FILES)
        return sc_fail(err, SC_E_LIMIT, "more than %d files", MAX_FILES);
    if (!sc_grow(&f->at, &f->cap, f->n, MAX_FILES, sizeof *f->at) ||
        !sc_grow(&f->name, &f->name_cap, f->n, MAX_FILES, sizeof *f->name))
        return sc_fail_nomem(err);
    char *copy = sc_strdup(name);
    if (!copy)
        return sc_fail_nomem(err);
    f->name[f->n] = copy;
    f->at[f->n++] = (sc_hub_file){.path = sc_str_c(copy), .size = size};
    return SC_OK;
}

/* Appends "dir/name" to the empty `out`; one of them may be empty. */
static sc_code join(const char *dir, const char *name, sc_buf *out, sc_err *err)
{
    if (strlen(dir) + strlen(name) + 1 > MAX_PATH)
        return sc_fail(err, SC_E_LIMIT, "%s: a path longer than %d bytes", dir, MAX_PATH);
    sc_buf_addf(out, "%s%s%s", dir, *dir && *name ? "/" : "", name);
    return sc_buf_ok(out) ? SC_OK : sc_fail_nomem(err);
}

static sc_code scan(files *f, const char *root, const char *inner, unsigned depth, sc_err *err);

/* One entry: a file, a folder, or a link to one. `inner` is its path below the snapshot. */
static sc_code scan_entry(files *f, const char *root, const char *inner, unsigned depth,
                          sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    SC_TRY(join(root, inner, &path, err));
    struct stat st;
    if (stat(path.p, &st) != 0) {
        if (!f->broken && !(f->broken = sc_strdup(inner)))
            return sc_fail_nomem(err);
        return SC_OK;
    }
    if (S_ISREG(st.st_mode))
        return add_file(f, inner, (uint64_t)st.st_size, err);
    if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
        return scan(f, root, inner, depth + 1, err);
    return SC_OK;
}

static sc_code scan(files *f, const char *root, const char *inner, unsigned depth, sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    SC_TRY(join(root, inner, &path, err));
    SC_AUTO(DIR) *d = opendir(path.p);
    if (!d)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path.p);
    for (const char *name = NULL; (name = next_name(d)) != NULL;) {
        sc_buf_clear(&path);
        SC_TRY(join(inner, name, &path, err));
        if (!sc_hub_path_is_safe(sc_buf_str(&path)))
            continue; // no repository has such a name
        SC_TRY(scan_entry(f, root, path.p, depth, err));
    }
    return SC_OK;
}

static int by_path(const void *a, const void *b)
{
    const sc_hub_file *x = a, *y = b;
    return strcmp(x->path.p, y->path.p);
}

static sc_code scan_snapshot(files *f, const char *root, sc_err *err)
{
    SC_TRY(scan(f, root, "", 0, err));
    if (f->n)
        qsort(f->at, f->n, sizeof *f->at, by_path);
    return SC_OK;
}

/* The commit that refs/<revision> holds; SC_E_NOTFOUND when there is no such file. */
static sc_code read_ref(const char *repo_dir, sc_str revision, sc_buf *commit, sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/refs/%.*s", repo_dir, (int)revision.n, revision.p);
    if (!sc_buf_ok(&path))
        return sc_fail_nomem(err);
    if (!sc_file_is_file(path.p))
        return sc_fail(err, SC_E_NOTFOUND, "revision %.*s is not there", SC_STRF(revision));
    SC_TRY(sc_file_read(path.p, MAX_REF, commit, err));
    while (commit->n && strchr(" \r\n\t", commit->p[commit->n - 1]))
        commit->p[--commit->n] = '\0';
    if (!sc_hub_is_commit(sc_buf_str(commit)))
        return sc_fail(err, SC_E_FORMAT, "%s: holds no commit", path.p);
    return SC_OK;
}

/* Turns a revision into the snapshot folder's path. */
static sc_code find_snapshot(const char *repo_dir, sc_str revision, sc_buf *out, sc_err *err)
{
    SC_AUTO(sc_buf) commit = sc_buf_init(MAX_REF);
    if (sc_hub_is_commit(revision))
        sc_buf_add_str(&commit, revision);
    else
        SC_TRY(read_ref(repo_dir, revision, &commit, err));
    sc_buf_addf(out, "%s/snapshots/%s", repo_dir, sc_buf_text(&commit));
    if (!sc_buf_ok(out) || !sc_buf_ok(&commit))
        return sc_fail_nomem(err);
    if (!sc_file_is_dir(out->p))
        return sc_fail(err, SC_E_NOTFOUND, "commit %s is not there", sc_buf_text(&commit));
    return SC_OK;
}

sc_code sc_hub_cache_find(const sc_hub_places *places, const sc_hub_name *name, sc_hub_want want,
                          char **path, sc_err *err)
{
    SC_AUTO(sc_buf) dir = sc_buf_init(MAX_PATH);
    sc_buf_addf(&dir, "%s/", places->cache);
    sc_hub_name_folder(name->repo, &dir);
    if (!sc_buf_ok(&dir))
        return sc_fail_nomem(err);
    if (!sc_file_is_dir(dir.p))
        return sc_fail(err, SC_E_NOTFOUND, "not there");
    SC_AUTO(sc_buf) snapshot = sc_buf_init(MAX_PATH);
    SC_TRY(find_snapshot(dir.p, name->revision, &snapshot, err));
    SC_AUTO(files) f = {0};
    SC_TRY(scan_snapshot(&f, snapshot.p, err));
    size_t single = SC_HUB_FOLDER;
    const sc_code code = sc_hub_choose(f.at, f.n, want, name->pattern, &single, err);
    if (code == SC_E_NOTFOUND && f.broken)
        return sc_fail(err, SC_E_NOTFOUND, "%s/%s leads to a file that is gone", snapshot.p,
                       f.broken);
    SC_TRY_IN(code, err, "incomplete");
    if (single != SC_HUB_FOLDER)
        sc_buf_addf(&snapshot, "/%s", f.at[single].path.p);
    char *found = sc_buf_take(&snapshot);
    if (!found)
        return sc_fail_nomem(err);
    *path = found;
    return SC_OK;
}

void sc_hub_cached_list_drop(sc_hub_cached_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        sc_free(l->at[i].repo);
        sc_free(l->at[i].commit);
        sc_free(l->at[i].revision);
        sc_free(l->at[i].path);
        sc_free(l->at[i].lacks);
    }
    sc_free(l->at);
    *l = (sc_hub_cached_list){0};
}

/* "models--org--name" to "org/name"; NULL for another folder or without memory. */
static char *repo_of_folder(const char *folder)
{
    static const char front[] = "models--";
    if (strncmp(folder, front, sizeof front - 1) != 0)
        return NULL;
    folder += sizeof front - 1;
    const char *gap = strstr(folder, "--");
    SC_AUTO(sc_buf) b = sc_buf_init(256);
    if (gap)
        sc_buf_addf(&b, "%.*s/%s", (int)(gap - folder), folder, gap + 2);
    else
        sc_buf_add_c(&b, folder);
    return sc_buf_take(&b);
}

/* The name of a ref that holds `commit`, or NULL; looks at plain refs, not into refs/refs/. */
static sc_code ref_of(const char *repo_dir, const char *commit, char **out, sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/refs", repo_dir);
    SC_AUTO(DIR) *d = sc_buf_ok(&path) ? opendir(path.p) : NULL;
    if (!d)
        return SC_OK;
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_REF);
    for (const char *name = NULL; !*out && (name = next_name(d)) != NULL;) {
        sc_err why = {0}; // a folder or a bad ref is simply not the one
        sc_buf_clear(&text);
        if (name[0] == '.' || read_ref(repo_dir, sc_str_c(name), &text, &why) != SC_OK ||
            strcmp(text.p, commit) != 0)
            continue;
        *out = sc_strdup(name);
        if (!*out)
            return sc_fail_nomem(err);
    }
    return SC_OK;
}

/* Fills the entry, of which repo, commit and path are set. */
static sc_code describe(sc_hub_cached *c, const char *repo_dir, sc_err *err)
{
    if (!c->repo || !c->commit || !c->path)
        return sc_fail_nomem(err);
    SC_AUTO(files) f = {0};
    SC_TRY(scan_snapshot(&f, c->path, err));
    c->n_files = f.n;
    for (size_t i = 0; i < f.n; i++)
        c->size += f.at[i].size;
    SC_TRY(ref_of(repo_dir, c->commit, &c->revision, err));
    sc_err why = {0};
    size_t single = 0;
    const sc_code code = sc_hub_choose(f.at, f.n, SC_HUB_MODEL, SC_STR(""), &single, &why);
    if (code == SC_OK || code == SC_E_USAGE) // several GGUF files: usable, with a pattern
        return SC_OK;
    c->lacks = sc_strdup(why.msg);
    return c->lacks ? SC_OK : sc_fail_nomem(err);
}

static sc_code list_repo(sc_hub_cached_list *l, const char *cache, const char *folder, sc_err *err)
{
    SC_AUTO(sc_buf) dir = sc_buf_init(MAX_PATH);
    sc_buf_addf(&dir, "%s/%s", cache, folder);
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/snapshots", sc_buf_text(&dir));
    SC_AUTO(DIR) *d = sc_buf_ok(&path) ? opendir(path.p) : NULL;
    if (!d)
        return SC_OK;
    for (const char *name = NULL; (name = next_name(d)) != NULL;) {
        sc_buf_clear(&path);
        sc_buf_addf(&path, "%s/snapshots/%s", dir.p, name);
        if (!sc_hub_is_commit(sc_str_c(name)) || !sc_buf_ok(&path) || !sc_file_is_dir(path.p))
            continue;
        if (!sc_grow(&l->at, &l->cap, l->n, MAX_FILES, sizeof *l->at))
            return sc_fail_nomem(err);
        sc_hub_cached *c = &l->at[l->n++];
        *c = (sc_hub_cached){
            .repo = repo_of_folder(folder), .commit = sc_strdup(name), .path = sc_strdup(path.p)};
        SC_TRY(describe(c, dir.p, err));
    }
    return SC_OK;
}

static int by_repo(const void *a, const void *b)
{
    const sc_hub_cached *x = a, *y = b;
    const int order = strcmp(x->repo, y->repo);
    return order ? order : strcmp(x->commit, y->commit);
}

sc_code sc_hub_cache_list(const sc_hub_places *places, sc_hub_cached_list *out, sc_err *err)
{
    SC_AUTO(sc_hub_cached_list) l = {0};
    SC_AUTO(DIR) *d = opendir(places->cache);
    if (!d && errno != ENOENT)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", places->cache);
    for (const char *name = NULL; d && (name = next_name(d)) != NULL;)
        if (strncmp(name, "models--", 8) == 0)
            SC_TRY(list_repo(&l, places->cache, name, err));
    if (l.n)
        qsort(l.at, l.n, sizeof *l.at, by_repo);
    *out = l;
    l = (sc_hub_cached_list){0};
    return SC_OK;
}
