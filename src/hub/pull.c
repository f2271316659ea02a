// SPDX-License-Identifier: MIT
#include "hub/pull.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "hub/ask.h"
#include "hub/cache.h"
#include "hub/fetch.h"
#include "hub/listing.h"
#include "hub/store.h"
#include "net/url.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { MAX_PATH = 4096, MAX_PAGE = 32 << 20, MAX_PAGES = 1000, COMMIT_SIZE = 41 };

typedef struct job {
    sc_hub_session *session; // borrowed
    const sc_hub_name *name; // borrowed
    sc_buf repo_dir;
    sc_buf lock_dir;
    char commit[COMMIT_SIZE];
    sc_hub_listing listing;
    sc_hub_file *files; // owned, [listing.n]
} job;

static void job_drop(job *j)
{
    sc_buf_drop(&j->repo_dir);
    sc_buf_drop(&j->lock_dir);
    sc_hub_listing_drop(&j->listing);
    sc_free(j->files);
}
SC_AUTO_DEFINE_VALUE(job, job_drop);

static sc_code start_url(const job *j, const char *before, const char *behind, sc_buf *out,
                         sc_err *err)
{
    sc_buf_addf(out, "%s%s", j->session->places->endpoint, before);
    sc_url_escape(j->name->repo, "/", out);
    sc_buf_add_c(out, behind);
    return sc_buf_ok(out) ? SC_OK : sc_fail_nomem(err);
}

/* Asks which commit the revision is. */
static sc_code find_commit(job *j, sc_err *err)
{
    SC_AUTO(sc_buf) url = sc_buf_init(MAX_PATH);
    SC_TRY(start_url(j, "/api/models/", "/revision/", &url, err));
    sc_url_escape(j->name->revision, "", &url);
    if (!sc_buf_ok(&url))
        return sc_fail_nomem(err);
    SC_AUTO(sc_http_call) *c = NULL;
    SC_TRY(sc_hub_ask(j->session, "GET", url.p, MAX_PAGE, &c, err));
    SC_TRY_IN(sc_hub_listing_commit(sc_http_body(c), j->commit, err), err,
              "the hub's answer about the revision");
    return SC_OK;
}

/* Reads all pages of the listing of the commit. */
static sc_code list_files(job *j, sc_err *err)
{
    SC_AUTO(sc_buf) url = sc_buf_init(MAX_PATH);
    SC_TRY(start_url(j, "/api/models/", "/tree/", &url, err));
    sc_buf_addf(&url, "%s?recursive=true", j->commit);
    for (unsigned page = 1; page <= MAX_PAGES; page++) {
        if (!sc_buf_ok(&url))
            return sc_fail_nomem(err);
        SC_AUTO(sc_http_call) *c = NULL;
        SC_TRY(sc_hub_ask(j->session, "GET", url.p, MAX_PAGE, &c, err));
        SC_TRY_IN(sc_hub_listing_add(&j->listing, sc_http_body(c), err), err,
                  "the hub's listing, page %u", page);
        const char *link = sc_http_header(c, "link");
        const sc_str next = sc_hub_link_next(link ? sc_str_c(link) : SC_STR(""));
        if (next.n == 0)
            return SC_OK;
        char *to = NULL;
        SC_TRY_IN(sc_url_join(sc_http_url(c), next, &to, err), err, "the link to page %u",
                  page + 1);
        const bool same = sc_url_is_same_origin(to, j->session->places->endpoint);
        sc_buf_clear(&url);
        sc_buf_add_c(&url, to);
        sc_free(to);
        if (!same) // the token would go along
            return sc_fail(err, SC_E_FORMAT, "the link to page %u leads to another host", page + 1);
    }
    return sc_fail(err, SC_E_LIMIT, "a listing of more than %d pages", MAX_PAGES);
}

static sc_code choose(job *j, sc_hub_want want, sc_err *err)
{
    size_t single = 0;
    j->files = sc_alloc(j->listing.n, sizeof *j->files);
    if (!j->files)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < j->listing.n; i++)
        j->files[i] =
            (sc_hub_file){.path = sc_str_c(j->listing.at[i].path), .size = j->listing.at[i].size};
    return sc_hub_choose(j->files, j->listing.n, want, j->name->pattern, &single, err);
}

/* The size of a regular file, following links; 0 when there is none. */
static bool has_size(const char *path, uint64_t size)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

static bool is_in_snapshot(const job *j, const sc_hub_entry *e)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/snapshots/%s/%s", j->repo_dir.p, j->commit, e->path);
    return sc_buf_ok(&path) && has_size(path.p, e->size);
}

/* Bytes of the entry that an earlier download left. */
static uint64_t part_size(const job *j, const sc_hub_entry *e)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    struct stat st;
    sc_buf_addf(&path, "%s/blobs/%s.incomplete", j->repo_dir.p, e->hash);
    if (!sc_buf_ok(&path) || stat(path.p, &st) != 0 || (uint64_t)st.st_size > e->size)
        return 0;
    return (uint64_t)st.st_size;
}

static uint64_t ask_free(void *ctx, const char *dir)
{
    (void)ctx; // the real file system
    struct statvfs v;
    if (statvfs(dir, &v) != 0)
        return UINT64_MAX; // not known: the write will say it
    return (uint64_t)v.f_bavail * v.f_frsize;
}

/* Counts what is to do; refuses what would not fit before a byte is loaded. */
static sc_code plan(job *j, sc_err *err)
{
    const sc_hub_pull_opts *o = j->session->opts;
    sc_hub_progress *p = &j->session->progress;
    uint64_t need = 0;
    for (size_t i = 0; i < j->listing.n; i++) {
        if (!j->files[i].take)
            continue;
        const sc_hub_entry *e = &j->listing.at[i];
        p->n_files++;
        p->total += e->size;
        if (!is_in_snapshot(j, e))
            need += e->size - part_size(j, e);
    }
    const uint64_t free_bytes =
        (o->free_bytes ? o->free_bytes : ask_free)(o->test_ctx, j->repo_dir.p);
    if (need > free_bytes)
        return sc_fail(err, SC_E_LIMIT,
                       "needs %" PRIu64 " MiB in %s, where %" PRIu64 " MiB are free",
                       (need >> 20) + 1, j->session->places->cache, free_bytes >> 20);
    return SC_OK;
}

/* With the lock held: the blob, unless somebody has brought it meanwhile. */
static sc_code bring_blob(const job *j, sc_hub_source *from, sc_err *err)
{
    SC_AUTO(sc_buf) blob = sc_buf_init(MAX_PATH);
    SC_AUTO(sc_buf) part = sc_buf_init(MAX_PATH);
    sc_buf_addf(&blob, "%s/blobs/%s", j->repo_dir.p, from->etag);
    sc_buf_addf(&part, "%s/blobs/%s.incomplete", j->repo_dir.p, from->etag);
    if (!sc_buf_ok(&blob) || !sc_buf_ok(&part))
        return sc_fail_nomem(err);
    if (has_size(blob.p, from->size)) {
        j->session->progress.done += from->size;
        return SC_OK;
    }
    return sc_hub_fetch(j->session, from, part.p, blob.p, err);
}

static sc_code bring_locked(const job *j, sc_hub_source *from, sc_err *err)
{
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_PATH);
    sc_buf_addf(&path, "%s/%s.lock", j->lock_dir.p, from->etag);
    if (!sc_buf_ok(&path))
        return sc_fail_nomem(err);
    int lock = -1;
    SC_TRY(sc_hub_store_lock(j->session, path.p, &lock, err));
    sc_code code = bring_blob(j, from, err);
    if (code == SC_OK)
        code = sc_hub_store_link(j->session->places, j->repo_dir.p, j->commit, from->name,
                                 from->etag, err);
    sc_hub_store_unlock(lock);
    return code;
}

static sc_code bring(const job *j, const sc_hub_entry *e, sc_err *err)
{
    if (is_in_snapshot(j, e)) {
        j->session->progress.done += e->size;
        return SC_OK;
    }
    SC_AUTO(sc_buf) url = sc_buf_init((size_t)MAX_PATH * 2);
    SC_TRY(start_url(j, "/", "/resolve/", &url, err));
    sc_buf_addf(&url, "%s/", j->commit);
    sc_url_escape(sc_str_c(e->path), "/", &url);
    if (!sc_buf_ok(&url))
        return sc_fail_nomem(err);
    SC_AUTO(sc_hub_source) from = {0};
    SC_TRY_IN(sc_hub_source_find(j->session, e->path, url.p, j->commit, &from, err), err, "%s",
              e->path);
    // A mirror may name the content by an ETag of its own; where both are hashes they must agree.
    if (from.size != e->size ||
        (strlen(from.etag) == strlen(e->hash) && strcmp(from.etag, e->hash) != 0))
        return sc_fail(err, SC_E_FORMAT, "%s: the hub's listing and its headers do not agree",
                       e->path);
    return bring_locked(j, &from, err);
}

static sc_code bring_all(job *j, sc_err *err)
{
    sc_hub_progress *p = &j->session->progress;
    for (size_t i = 0; i < j->listing.n; i++) {
        if (!j->files[i].take)
            continue;
        p->i_file++;
        p->file = j->files[i].path;
        sc_hub_report(j->session);
        SC_TRY(bring(j, &j->listing.at[i], err));
        sc_hub_report(j->session);
    }
    p->file = SC_STR("");
    return SC_OK;
}

static sc_code run(job *j, sc_hub_want want, sc_err *err)
{
    const sc_hub_places *places = j->session->places;
    j->repo_dir = sc_buf_init(MAX_PATH);
    j->lock_dir = sc_buf_init(MAX_PATH);
    sc_buf_addf(&j->repo_dir, "%s/", places->cache);
    sc_hub_name_folder(j->name->repo, &j->repo_dir);
    sc_buf_addf(&j->lock_dir, "%s/.locks/", places->cache);
    sc_hub_name_folder(j->name->repo, &j->lock_dir);
    if (!sc_buf_ok(&j->repo_dir) || !sc_buf_ok(&j->lock_dir))
        return sc_fail_nomem(err);
    SC_TRY(find_commit(j, err));
    SC_TRY(list_files(j, err));
    SC_TRY(choose(j, want, err));
    SC_TRY(sc_hub_store_prepare(places, j->repo_dir.p, err));
    SC_TRY(plan(j, err));
    SC_TRY(bring_all(j, err));
    if (sc_hub_is_commit(j->name->revision))
        return SC_OK;
    return sc_hub_store_ref(j->repo_dir.p, j->name->revision, j->commit, err);
}

sc_code sc_hub_pull(const sc_hub_places *places, const sc_hub_name *name, sc_hub_want want,
                    const sc_hub_pull_opts *opts, char **path, sc_err *err)
{
    if (places->offline)
        return sc_fail(err, SC_E_USAGE, "HF_HUB_OFFLINE forbids to download %.*s",
                       SC_STRF(name->repo));
    SC_AUTO(sc_hub_session) s = {0};
    SC_TRY(sc_hub_session_init(&s, places, opts, err));
    s.progress.repo = name->repo;
    SC_AUTO(job) j = {.session = &s, .name = name};
    SC_TRY_IN(run(&j, want, err), err, "%.*s", SC_STRF(name->repo));
    return sc_hub_cache_find(places, name, want, path, err);
}
