// SPDX-License-Identifier: MIT
#include "hub/fetch.h"

#include "base/buf.h"
#include "base/mem.h"
#include "hub/hash.h"
#include "net/retry.h"
#include "net/url.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_CONNECTIONS = 4,
    MAX_CONNECTIONS = 16,
    AHEAD = 2, // pieces that may wait for the one at the front
    DEFAULT_PIECE = 8 << 20,
    POLL_MS = 100,
    ERROR_BODY = 64 * 1024, // what an error page may have
};

typedef struct fetch fetch;

/* A part of the file that one connection brings. */
typedef struct piece {
    fetch *owner; // borrowed
    uint64_t from, size;
    uint64_t got;       // bytes that came
    sc_buf held;        // those not written: empty for the piece at the front
    sc_http_call *call; // owned; NULL: not asked for at the moment
    uint64_t retry_at_ns;
    uint64_t got_before; // at the last failure
    unsigned n_failed;
} piece;

struct fetch {
    sc_hub_session *session; // borrowed
    sc_hub_source *from;     // borrowed
    int fd;                  // owned
    const char *part;        // borrowed
    sc_hub_hash *hash;       // owned
    uint64_t written;        // the file's beginning up to here is on the disk
    uint64_t next;           // first byte that no piece covers
    uint64_t piece_size;
    piece *pieces; // owned, [max_pieces]; a ring that starts at `front`
    unsigned max_pieces, n_pieces, front, connections;
    bool no_ranges; // the server sends whole files only
};

static void fetch_drop(fetch *f)
{
    for (unsigned i = 0; f->pieces && i < f->max_pieces; i++) {
        sc_http_free(f->pieces[i].call);
        sc_buf_drop(&f->pieces[i].held);
    }
    sc_free(f->pieces);
    sc_hub_hash_free(f->hash);
    if (f->fd >= 0)
        (void)close(f->fd); // what counts was flushed before
}
SC_AUTO_DEFINE_VALUE(fetch, fetch_drop);

static piece *piece_at(fetch *f, unsigned i)
{
    return &f->pieces[(f->front + i) % f->max_pieces];
}

static sc_code write_front(fetch *f, const void *bytes, size_t n, sc_err *err)
{
    const char *p = bytes;
    size_t left = n;
    while (left) {
        const ssize_t k = write(f->fd, p, left);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return sc_fail_sys(err, SC_E_IO, errno, "%s", f->part);
        p += k;
        left -= (size_t)k;
    }
    sc_hub_hash_add(f->hash, bytes, n);
    f->written += n;
    f->session->progress.done += n;
    return SC_OK;
}

/* A number of at most 18 digits with `end` behind it; *at moves behind that. */
static bool read_number(const char **at, char end, uint64_t *out)
{
    enum { MAX_DIGITS = 18 };
    const size_t n = strspn(*at, "0123456789");
    if (n == 0 || n > MAX_DIGITS || (*at)[n] != end)
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out = *out * 10 + (uint64_t)((*at)[i] - '0');
    *at += n + 1;
    return true;
}

/* "bytes 0-99/1000": must be what was asked for. */
static sc_code check_range(const piece *p, const char *v, sc_err *err)
{
    uint64_t from = 0, to = 0, total = 0;
    const char *at = v && strncmp(v, "bytes ", 6) == 0 ? v + 6 : NULL;
    if (!at || !read_number(&at, '-', &from) || !read_number(&at, '/', &to) ||
        !read_number(&at, '\0', &total))
        return sc_fail(err, SC_E_NET, "a part without a Content-Range");
    if (from != p->from + p->got || total != p->owner->from->size || to >= total)
        return sc_fail(err, SC_E_NET, "another part than the one asked for: %.60s", v);
    return SC_OK;
}

static bool is_whole(const piece *p)
{
    return p->from + p->got == 0 && p->size == p->owner->from->size;
}

static sc_code on_head(void *ctx, const sc_http_call *call, sc_err *err)
{
    piece *p = ctx;
    const int status = sc_http_status(call);
    if (status == 206)
        return check_range(p, sc_http_header(call, "content-range"), err);
    if (status == 200 && !is_whole(p)) {
        p->owner->no_ranges = true;
        return sc_fail(err, SC_E_NET, "the server knows no ranges");
    }
    return SC_OK; // an error's body is read and dropped
}

static sc_code on_body(void *ctx, const void *bytes, size_t n, sc_err *err)
{
    piece *p = ctx;
    const int status = sc_http_status(p->call);
    if (status != 200 && status != 206)
        return SC_OK;
    if (n > p->size - p->got)
        return sc_fail(err, SC_E_NET, "more bytes than the %" PRIu64 " asked for", p->size);
    p->got += n;
    if (p == piece_at(p->owner, 0))
        return write_front(p->owner, bytes, n, err);
    sc_buf_add(&p->held, bytes, n);
    return sc_buf_ok(&p->held) ? SC_OK : sc_fail_nomem(err);
}

/* Opens the part file and goes through what is in it already. */
static sc_code open_part(fetch *f, sc_err *err)
{
    f->fd = open(f->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct stat st;
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", f->part);
    if ((uint64_t)st.st_size > f->from->size && ftruncate(f->fd, 0) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", f->part);
    char block[65536];
    for (;;) {
        const ssize_t n = read(f->fd, block, sizeof block);
        if (n < 0 && errno != EINTR)
            return sc_fail_sys(err, SC_E_IO, errno, "%s", f->part);
        if (n == 0)
            return SC_OK;
        if (n < 0)
            continue;
        sc_hub_hash_add(f->hash, block, (size_t)n);
        f->written += (size_t)n;
        f->session->progress.done += (size_t)n;
    }
}

static sc_code init(fetch *f, sc_err *err)
{
    const sc_hub_pull_opts *o = f->session->opts;
    f->connections = o->connections ? o->connections : DEFAULT_CONNECTIONS;
    if (f->connections > MAX_CONNECTIONS)
        f->connections = MAX_CONNECTIONS;
    f->piece_size = o->segment_size ? o->segment_size : DEFAULT_PIECE;
    f->max_pieces = f->connections + AHEAD;
    f->pieces = sc_alloc(f->max_pieces, sizeof *f->pieces);
    if (!f->pieces)
        return sc_fail_nomem(err);
    SC_TRY(sc_hub_hash_new(f->from->etag, f->from->size, &f->hash, err));
    SC_TRY(open_part(f, err));
    f->next = f->written;
    return SC_OK;
}

/* Forgets all that was downloaded: the server cannot go on from the middle, or it was damaged. */
static sc_code start_over(fetch *f, sc_err *err)
{
    for (unsigned i = 0; i < f->max_pieces; i++) {
        sc_http_free(sc_take(f->pieces[i].call));
        sc_buf_drop(&f->pieces[i].held);
    }
    f->n_pieces = f->front = 0;
    if (ftruncate(f->fd, 0) != 0 || lseek(f->fd, 0, SEEK_SET) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", f->part);
    f->session->progress.done -= f->written;
    f->written = f->next = 0;
    sc_hub_hash_free(sc_take(f->hash));
    return sc_hub_hash_new(f->from->etag, f->from->size, &f->hash, err);
}

/* Lays out pieces behind those there are; the counters of a server without ranges stay. */
static void plan_pieces(fetch *f)
{
    while (f->n_pieces < f->max_pieces && f->next < f->from->size) {
        const uint64_t left = f->from->size - f->next;
        const uint64_t size = f->no_ranges || left < f->piece_size ? left : f->piece_size;
        piece *p = piece_at(f, f->n_pieces++);
        sc_buf_drop(&p->held);
        *p = (piece){.owner = f, .from = f->next, .size = size, .held = sc_buf_init((size_t)size)};
        f->next += size;
    }
}

static sc_code ask_for(fetch *f, piece *p, sc_err *err)
{
    const sc_hub_places *places = f->session->places;
    const bool at_hub = sc_url_is_same_origin(f->from->url, f->from->ask_url);
    const uint64_t left = p->size - p->got;
    const sc_http_req req = {
        .url = f->from->url,
        .bearer = at_hub ? places->token : NULL,
        .range_from = p->from + p->got,
        .range_size = is_whole(p) ? 0 : left,
        .follow = SC_HTTP_FOLLOW_ALL,
        .connect_ms = places->download_timeout_ms,
        .idle_ms = places->download_timeout_ms,
        .max_body = left + ERROR_BODY,
        .on_head = on_head,
        .on_body = on_body,
        .ctx = p,
    };
    return sc_http_submit(f->session->http, &req, &p->call, err);
}

/* Starts what may be started; *n_running and the time until the next retry come out. */
static sc_code start_calls(fetch *f, unsigned *n_running, uint64_t *wait_ms, sc_err *err)
{
    const uint64_t now = sc_clock_ns(&f->session->clock);
    *n_running = 0;
    *wait_ms = UINT64_MAX;
    for (unsigned i = 0; i < f->n_pieces; i++)
        *n_running += piece_at(f, i)->call != NULL;
    for (unsigned i = 0; i < f->n_pieces && *n_running < f->connections; i++) {
        piece *p = piece_at(f, i);
        if (p->call || p->got == p->size)
            continue;
        if (p->retry_at_ns > now) {
            const uint64_t ms = (p->retry_at_ns - now + 999999) / 1000000;
            *wait_ms = ms < *wait_ms ? ms : *wait_ms;
            continue;
        }
        SC_TRY(ask_for(f, p, err));
        ++*n_running;
    }
    return SC_OK;
}

/* A signed address has run out: the hub is asked for a new one. */
static sc_code renew(fetch *f, sc_err *err)
{
    SC_AUTO(sc_hub_source) fresh = {0};
    SC_AUTO(sc_http_call) *c = NULL;
    SC_TRY(sc_hub_ask(f->session, "HEAD", f->from->ask_url, 0, &c, err));
    const char *location = sc_http_header(c, "location");
    char *to = NULL;
    SC_TRY(sc_url_join(sc_http_url(c),
                       location && sc_http_status(c) >= 300 ? sc_str_c(location)
                                                            : sc_str_c(sc_http_url(c)),
                       &to, err));
    sc_free(f->from->url);
    f->from->url = to;
    return SC_OK;
}

/* Decides about a piece whose call failed with *err: another try later, or the end. */
static sc_code fail_piece(fetch *f, piece *p, sc_code code, bool again, uint64_t after_ms,
                          sc_err *err)
{
    p->n_failed = p->got > p->got_before ? 1 : p->n_failed + 1;
    p->got_before = p->got;
    if (!again)
        return code;
    if (p->n_failed >= SC_HUB_MAX_TRIES) {
        sc_within(err, "%u tries without a byte", p->n_failed);
        return code;
    }
    const uint64_t ms = sc_retry_delay_ms(p->n_failed, after_ms, f->session->seed);
    p->retry_at_ns = sc_clock_ns(&f->session->clock) + ms * 1000000;
    return SC_OK;
}

/* Looks at a finished call. */
static sc_code finish_call(fetch *f, piece *p, sc_err *err)
{
    SC_AUTO(sc_http_call) *c = sc_take(p->call);
    sc_code code = sc_http_result(c, err);
    if (f->no_ranges && !is_whole(p))
        return SC_OK; // run_pieces starts over
    if (code != SC_OK)
        return fail_piece(f, p, code, sc_http_may_retry(c), 0, err);
    const int status = sc_http_status(c);
    const bool elsewhere = !sc_url_is_same_origin(sc_http_url(c), f->from->ask_url);
    if (status == 200 || status == 206) {
        if (p->got == p->size)
            return SC_OK;
        code = sc_fail(err, SC_E_NET, "the answer ends after %" PRIu64 " of %" PRIu64 " bytes",
                       p->got, p->size);
        return fail_piece(f, p, code, true, 0, err);
    }
    code = sc_hub_explain(f->session, c, err);
    const bool expired =
        elsewhere && (status == 401 || status == 403 || status == 404 || status == 410);
    SC_TRY(fail_piece(f, p, code, expired || sc_retry_may(status), sc_hub_retry_after(c), err));
    return expired ? renew(f, err) : SC_OK;
}

/* Writes the pieces that are whole and at the front, and what the next one has so far. */
static sc_code advance(fetch *f, sc_err *err)
{
    while (f->n_pieces) {
        piece *p = piece_at(f, 0);
        if (p->held.n) {
            SC_TRY(write_front(f, p->held.p, p->held.n, err));
            sc_buf_drop(&p->held);
        }
        if (p->got < p->size || p->call)
            return SC_OK;
        f->front = (f->front + 1) % f->max_pieces;
        f->n_pieces--;
    }
    return SC_OK;
}

static sc_code step(fetch *f, sc_err *err)
{
    unsigned n_running = 0;
    uint64_t wait_ms = 0;
    plan_pieces(f);
    SC_TRY(start_calls(f, &n_running, &wait_ms, err));
    if (n_running == 0 && wait_ms != UINT64_MAX)
        return sc_hub_wait(f->session, wait_ms, "the connection failed", err);
    SC_TRY(sc_http_poll(f->session->http, POLL_MS, err));
    for (unsigned i = 0; i < f->n_pieces; i++) {
        piece *p = piece_at(f, i);
        if (p->call && sc_http_is_done(p->call))
            SC_TRY(finish_call(f, p, err));
    }
    return advance(f, err);
}

static sc_code run_pieces(fetch *f, sc_err *err)
{
    bool whole_only = false;
    while (f->written < f->from->size) {
        SC_TRY(step(f, err));
        if (f->no_ranges && !whole_only) {
            whole_only = true;
            f->connections = 1;
            SC_TRY(start_over(f, err));
        }
        sc_hub_report(f->session);
    }
    return SC_OK;
}

/* The part becomes the file. */
static sc_code keep(fetch *f, const char *path, sc_err *err)
{
    if (fdatasync(f->fd) != 0 && errno != EINVAL)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", f->part);
    if (rename(f->part, path) != 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    return SC_OK;
}

sc_code sc_hub_fetch(sc_hub_session *s, sc_hub_source *from, const char *part, const char *path,
                     sc_err *err)
{
    SC_AUTO(fetch) f = {.session = s, .from = from, .part = part, .fd = -1};
    SC_TRY(init(&f, err));
    char got[65];
    bool resumed = f.written > 0;
    for (;;) {
        SC_TRY_IN(run_pieces(&f, err), err, "%s", from->name);
        if (sc_hub_hash_holds(f.hash, got))
            return keep(&f, path, err);
        if (!resumed)
            break;
        resumed = false; // the damage may be in what an earlier download left
        SC_TRY(start_over(&f, err));
    }
    (void)unlink(part); // it is of no use; the error is the one to report
    s->progress.done -= f.written;
    return sc_fail(err, SC_E_FORMAT, "%s: its hash is %s, the hub says %s", from->name, got,
                   from->etag);
}
