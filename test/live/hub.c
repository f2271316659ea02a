// SPDX-License-Identifier: MIT
#include "hub.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hex_of(const hub_file *f, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    (void)EVP_DigestInit_ex(c, f->is_lfs ? EVP_sha256() : EVP_sha1(), NULL);
    if (!f->is_lfs) {
        char head[32];
        const int k = snprintf(head, sizeof head, "blob %zu", f->size);
        (void)EVP_DigestUpdate(c, head, (size_t)k + 1);
    }
    (void)EVP_DigestUpdate(c, f->bytes, f->size);
    (void)EVP_DigestFinal_ex(c, digest, &n);
    EVP_MD_CTX_free(c);
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
    if (f->hash)
        (void)snprintf(out, 65, "%s", f->hash);
}

/* Whether the ordered fault happens to this request. */
static bool strikes(hub *h, const srv_req *req, bool at_cdn)
{
    const hub_fault *f = &h->fault;
    if (f->kind == HUB_OK || f->kind == HUB_EXPIRE)
        return false;
    const bool for_cdn = strncmp(f->where, "cdn:", 4) == 0;
    if (for_cdn != at_cdn || !strstr(req->target, f->where + (for_cdn ? 4 : 0)))
        return false;
    const int n = atomic_fetch_add(&h->hits_fault, 1);
    return f->times == 0 || n < f->times;
}

static bool send_big_headers(int fd)
{
    (void)srv_printf(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++)
        if (!srv_printf(fd, "X-%d: %050d\r\n", i, i))
            return false;
    return srv_printf(fd, "\r\n");
}

/* The bytes of `file` that the request asks for, with the fault in them. */
static bool send_bytes(hub *h, const srv_req *req, const hub_file *file, const char *headers,
                       hub_fault_kind kind, int fd)
{
    const bool ranged = req->has_range && kind != HUB_NO_RANGES;
    const size_t from = ranged && req->from < file->size ? (size_t)req->from : 0;
    const size_t last = ranged && req->to < file->size ? (size_t)req->to : file->size - 1;
    size_t n = file->size ? last + 1 - from : 0;
    const size_t arg = (size_t)h->fault.arg;
    const size_t said = kind == HUB_SHORT && n > arg ? n - arg : kind == HUB_LONG ? n + arg : n;
    char range[96] = "";
    if (ranged)
        (void)snprintf(range, sizeof range, "Content-Range: bytes %zu-%zu/%zu\r\n",
                       from + (kind == HUB_BAD_RANGE), last, file->size);
    if (!srv_printf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s%s\r\n", ranged ? 206 : 200,
                    said, range, headers))
        return false;
    if (strcmp(req->method, "HEAD") == 0)
        return true;
    if (kind == HUB_SILENT) {
        srv_wait_for_hangup(fd, 800);
        return false;
    }
    char *copy = calloc(1, said + 1);
    if (!copy)
        return false;
    memcpy(copy, file->bytes + from, n < said ? n : said);
    if (kind == HUB_FLIP && said)
        copy[said / 2] ^= 1;
    n = kind == HUB_CUT && arg < said ? arg : said;
    atomic_fetch_add(&h->bytes_sent, (int)n);
    const bool ok = srv_write(fd, copy, n);
    free(copy);
    return ok && kind != HUB_CUT;
}

/* Faults that need no file. */
static bool send_fault(const hub *h, const srv_req *req, hub_fault_kind kind, int fd, bool *done)
{
    *done = kind == HUB_STATUS || kind == HUB_BIG_HEADERS;
    const char *body = strcmp(req->method, "HEAD") == 0 ? "" : "{}";
    if (kind == HUB_STATUS)
        return srv_answer(fd, h->fault.status, h->fault.extra ? h->fault.extra : "", body);
    if (kind == HUB_BIG_HEADERS)
        return send_big_headers(fd);
    return true;
}

static const hub_file *file_at(const hub *h, const char *path)
{
    const size_t n = strcspn(path, "?");
    for (size_t i = 0; i < h->n_files; i++)
        if (strlen(h->files[i].path) == n && memcmp(h->files[i].path, path, n) == 0)
            return &h->files[i];
    return NULL;
}

static bool send_tree(const hub *h, const srv_req *req, int fd)
{
    const char *cursor = strstr(req->target, "cursor=");
    const size_t from = cursor ? strtoul(cursor + 7, NULL, 10) : 0;
    char text[6000] = "[", link[256] = "";
    size_t n = 1;
    for (size_t i = from; i < h->n_files && i < from + h->page_size; i++) {
        char hash[65];
        const hub_file *f = &h->files[i];
        hex_of(f, hash);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s{\"type\":\"file\",\"path\":\"%s\",",
                              i > from ? "," : "", f->path);
        n += (size_t)snprintf(text + n, sizeof text - n,
                              f->is_lfs ? "\"size\":%zu,\"oid\":\"%s\",\"lfs\":{\"oid\":\"%s\","
                                          "\"size\":%zu,\"pointerSize\":134}}"
                                        : "\"size\":%zu,\"oid\":\"%s\"}",
                              f->size, f->is_lfs ? HUB_COMMIT : hash, hash, f->size);
    }
    (void)snprintf(text + n, sizeof text - n, "]");
    if (from + h->page_size < h->n_files)
        (void)snprintf(link, sizeof link, "Link: <%s%s%zu>; rel=\"next\"\r\n",
                       h->next_page ? h->next_page
                                    : "/api/models/org/name/tree/" HUB_COMMIT
                                      "?recursive=true&cursor=",
                       "", from + h->page_size);
    return srv_answer(fd, 200, link, text);
}

static bool send_file(hub *h, const srv_req *req, const char *path, hub_fault_kind kind, int fd)
{
    char hash[65], headers[600];
    const hub_file *f = file_at(h, path);
    if (!f)
        return srv_answer(fd, 404, "X-Error-Code: EntryNotFound\r\n", "");
    hex_of(f, hash);
    if (!f->is_lfs) {
        (void)snprintf(headers, sizeof headers,
                       "ETag: W/\"%s\"\r\nX-Repo-Commit: " HUB_COMMIT "\r\n", hash);
        return send_bytes(h, req, f, headers, kind, fd);
    }
    (void)snprintf(headers, sizeof headers,
                   "X-Linked-Etag: \"%s\"\r\nX-Linked-Size: %zu\r\nETag: \"other\"\r\n"
                   "X-Repo-Commit: " HUB_COMMIT "\r\nLocation: http://127.0.0.1:%u/%s?sig=%d\r\n",
                   hash, f->size, srv_port(h->cdn), f->path,
                   atomic_fetch_add(&h->signature, 1) + 1);
    return srv_answer(fd, 302, headers, "");
}

static bool has_token(const srv_req *req)
{
    char value[128] = "";
    return srv_header(req, "Authorization", value, sizeof value) &&
           strcmp(value, "Bearer " HUB_TOKEN) == 0;
}

static bool serve_api(void *ctx, const srv_req *req, int fd)
{
    hub *h = ctx;
    bool done = false;
    atomic_fetch_add(&h->hits_api, 1);
    const hub_fault_kind kind = strikes(h, req, false) ? h->fault.kind : HUB_OK;
    const bool kept = send_fault(h, req, kind, fd, &done);
    if (done)
        return kept;
    static const char resolve[] = "/org/name/resolve/" HUB_COMMIT "/";
    static const char moved[] = "/api/models/old/name/";
    if (strncmp(req->target, moved, sizeof moved - 1) == 0) {
        char to[2200];
        (void)snprintf(to, sizeof to, "Location: /api/models/org/name/%s\r\n",
                       req->target + sizeof moved - 1);
        return srv_answer(fd, 307, to, "");
    }
    if (strncmp(req->target, "/old/name/", 10) == 0) {
        char to[2200];
        (void)snprintf(to, sizeof to, "Location: /org/name/%s\r\n", req->target + 10);
        return srv_answer(fd, 307, to, "");
    }
    if (strncmp(req->target, resolve, sizeof resolve - 1) == 0)
        return send_file(h, req, req->target + sizeof resolve - 1, kind, fd);
    if (strstr(req->target, "/gated/name/resolve/"))
        return srv_answer(fd, 403, "X-Error-Code: GatedRepo\r\n", "");
    if (strstr(req->target, "/private/name/") && !has_token(req))
        return srv_answer(fd, 401, "X-Error-Code: RepoNotFound\r\n", "");
    if (strstr(req->target, "/org/name/revision/gone"))
        return srv_answer(fd, 404, "X-Error-Code: RevisionNotFound\r\n", "");
    if (strncmp(req->target, "/api/models/", 12) == 0 && strstr(req->target, "/revision/"))
        return srv_answer(fd, 200, "", "{\"id\": \"org/name\", \"sha\": \"" HUB_COMMIT "\"}");
    if (kind == HUB_CUT)
        return srv_printf(fd, "HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n[") && false;
    if (strncmp(req->target, "/api/models/", 12) == 0 && strstr(req->target, "/tree/"))
        return send_tree(h, req, fd);
    return srv_answer(fd, 404, "", "");
}

static bool serve_cdn(void *ctx, const srv_req *req, int fd)
{
    hub *h = ctx;
    bool done = false;
    char value[128];
    const int n = atomic_fetch_add(&h->hits_cdn, 1);
    atomic_fetch_add(&h->leaks, srv_header(req, "Authorization", value, sizeof value));
    const char *sig = strstr(req->target, "sig=");
    if (h->fault.kind == HUB_EXPIRE && n >= h->fault.arg && (!sig || atoi(sig + 4) < 2))
        return srv_answer(fd, 403, "", "expired");
    const hub_fault_kind kind = strikes(h, req, true) ? h->fault.kind : HUB_OK;
    const bool kept = send_fault(h, req, kind, fd, &done);
    if (done)
        return kept;
    const hub_file *f = file_at(h, req->target + 1);
    return f ? send_bytes(h, req, f, "ETag: \"cdn\"\r\n", kind, fd) : srv_answer(fd, 404, "", "");
}

void hub_start(hub *h)
{
    h->page_size = h->page_size ? h->page_size : 100;
    h->cdn = srv_start(serve_cdn, h);
    h->api = srv_start(serve_api, h);
}

void hub_stop(hub *h)
{
    srv_stop(h->api);
    srv_stop(h->cdn);
}
