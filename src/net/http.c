// SPDX-License-Identifier: MIT
#include "net/http.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/curl.h"
#include "net/url.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

enum {
    MAX_HEAD = 64 * 1024,
    MAX_HOPS = 10,
    DEFAULT_CONNECT_MS = 10000,
    DEFAULT_IDLE_MS = 30000,
    DEFAULT_MAX_BODY = 1 << 20,
    POLL_STEP_MS = 100, // how long a stop flag may go unseen
    MAX_PLACE = 300,
};

struct sc_http_call {
    sc_http *http;            // borrowed
    sc_http_call *next;       // in http->calls
    CURL *easy;               // owned
    struct curl_slist *lines; // owned: request headers but Authorization
    char *bearer;             // owned
    char *first_url;          // owned: the origin the token is for
    char *url;                // owned: of this hop
    char *method;             // owned
    char *sent;               // owned: the request's body
    sc_http_req req;          // limits and functions; its pointers to text are not used
    sc_buf head;              // header lines of the answer, each ended by a NUL
    sc_buf body;
    uint64_t n_body;
    uint64_t start_ns, last_ns;
    int status;
    unsigned hops;
    bool running, done, has_head, may_retry;
    sc_code code;
    sc_err err;
    char why[CURL_ERROR_SIZE];
};

struct sc_http {
    const sc_curl *curl; // borrowed from the process
    CURLM *multi;        // owned
    sc_clock clock;
    const atomic_bool *stop; // borrowed
    char *ca_file;           // owned; NULL: the system's
    sc_http_call *calls;     // all that are not freed, newest first
};

sc_code sc_http_open(const sc_http_opts *opts, sc_http **out, sc_err *err)
{
    const sc_curl *curl = NULL;
    SC_TRY(sc_curl_get(&curl, err));
    SC_AUTO(sc_http) *h = sc_new(sc_http);
    if (!h)
        return sc_fail_nomem(err);
    h->curl = curl;
    h->clock = opts->clock ? *opts->clock : sc_clock_real();
    h->stop = opts->stop;
    if (opts->ca_file && !(h->ca_file = sc_strdup(opts->ca_file)))
        return sc_fail_nomem(err);
    h->multi = curl->multi_init();
    if (!h->multi)
        return sc_fail_nomem(err);
    *out = sc_take(h);
    return SC_OK;
}

void sc_http_close(sc_http *h)
{
    if (!h)
        return;
    while (h->calls)
        sc_http_free(h->calls);
    if (h->multi)
        (void)h->curl->multi_cleanup(h->multi); // no handle is left in it
    sc_free(h->ca_file);
    sc_free(h);
}

/* Ends the call with the error in c->err. */
static void end(sc_http_call *c, sc_code code, bool may_retry)
{
    if (c->running)
        (void)c->http->curl->multi_remove_handle(c->http->multi, c->easy); // it is in there
    c->running = false;
    c->done = true;
    c->code = code;
    c->may_retry = may_retry;
}

/* "host/path: " in front of the error; never a query. */
static void name_place(sc_http_call *c)
{
    SC_AUTO(sc_buf) place = sc_buf_init(MAX_PLACE);
    sc_url_shorten(c->url, &place);
    sc_within(&c->err, "%s", sc_buf_text(&place));
}

static bool is_followed(const sc_http_call *c, const char *location)
{
    if (c->req.follow == SC_HTTP_FOLLOW_NONE || !location)
        return false;
    if (c->status != 301 && c->status != 302 && c->status != 303 && c->status != 307 &&
        c->status != 308)
        return false;
    if (c->req.follow == SC_HTTP_FOLLOW_ALL)
        return true;
    sc_err err = {0};
    char *to = NULL;
    if (sc_url_join(c->url, sc_str_c(location), &to, &err) != SC_OK)
        return true; // next_hop reports it
    const bool same = sc_url_is_same_origin(c->url, to);
    sc_free(to);
    return same;
}

/* The status of "HTTP/1.1 200 OK", or 0. */
static int status_of(sc_str line)
{
    const char *gap = line.n ? memchr(line.p, ' ', line.n) : NULL;
    if (!gap || (size_t)(line.p + line.n - gap) < 4)
        return 0;
    int status = 0;
    for (int i = 1; i <= 3; i++) {
        if (gap[i] < '0' || gap[i] > '9')
            return 0;
        status = status * 10 + (gap[i] - '0');
    }
    return status;
}

/* The headers of an answer are complete. */
static bool take_head(sc_http_call *c)
{
    if (c->status >= 100 && c->status < 200)
        return true; // an interim answer; the real one follows
    c->has_head = true;
    if (!c->req.on_head || is_followed(c, sc_http_header(c, "location")))
        return true;
    c->code = c->req.on_head(c->req.ctx, c, &c->err);
    return c->code == SC_OK;
}

/* libcurl gives one header line a call. */
// NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's
static size_t on_header(char *p, size_t one, size_t n, void *ctx)
{
    sc_http_call *c = ctx;
    sc_str line = {p, n * one};
    c->last_ns = sc_clock_ns(&c->http->clock);
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (sc_str_starts(line, SC_STR("HTTP/"))) {
        sc_buf_clear(&c->head);
        c->status = status_of(line);
    }
    if (line.n == 0)
        return take_head(c) ? n * one : 0;
    if (memchr(line.p, '\0', line.n)) {
        c->code = sc_fail(&c->err, SC_E_NET, "a header with a NUL byte");
        return 0;
    }
    sc_buf_add_str(&c->head, line);
    sc_buf_add_char(&c->head, '\0');
    if (!sc_buf_ok(&c->head)) {
        c->code = sc_fail(&c->err, SC_E_LIMIT, "headers longer than %d bytes", MAX_HEAD);
        return 0;
    }
    return n * one;
}

// NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's
static size_t on_bytes(char *p, size_t one, size_t n, void *ctx)
{
    sc_http_call *c = ctx;
    const size_t size = n * one;
    c->last_ns = sc_clock_ns(&c->http->clock);
    c->n_body += size;
    if (c->n_body > c->req.max_body) {
        c->code = sc_fail(&c->err, SC_E_LIMIT, "an answer longer than %" PRIu64 " bytes",
                          c->req.max_body);
        return 0;
    }
    if (is_followed(c, sc_http_header(c, "location")))
        return size;
    if (c->req.on_body) {
        c->code = c->req.on_body(c->req.ctx, p, size, &c->err);
        return c->code == SC_OK ? size : 0;
    }
    sc_buf_add(&c->body, p, size);
    if (!sc_buf_ok(&c->body)) {
        c->code = sc_fail_nomem(&c->err);
        return 0;
    }
    return size;
}

static bool add_line(sc_http_call *c, const char *line)
{
    struct curl_slist *more = c->http->curl->slist_append(c->lines, line);
    if (!more)
        return false;
    c->lines = more;
    return true;
}

/* Options that stay the same over all hops. */
static bool set_fixed(sc_http_call *c)
{
    CURLcode bad = CURLE_OK;
#define SET(option, value) bad = bad ? bad : c->http->curl->easy_setopt(c->easy, option, value)
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_USERAGENT, "scbench");
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)(c->req.connect_ms ? c->req.connect_ms : DEFAULT_CONNECT_MS));
    SET(CURLOPT_ERRORBUFFER, c->why);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_PRIVATE, c);
    if (c->http->ca_file)
        SET(CURLOPT_CAINFO, c->http->ca_file);
    return bad == CURLE_OK;
}

/* The range of the request as libcurl wants it. */
static void format_range(const sc_http_req *req, char out[64])
{
    (void)snprintf(out, 64, "%" PRIu64 "-%" PRIu64, req->range_from,
                   req->range_from + (req->range_size - 1));
}

/* The body and method; after a 303 it becomes a GET. */
static bool set_method(sc_http_call *c)
{
    CURLcode bad = CURLE_OK;
    if (strcmp(c->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else if (strcmp(c->method, "GET") == 0)
        SET(CURLOPT_HTTPGET, 1L);
    else
        SET(CURLOPT_POST, 1L);
    if (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, strcmp(c->method, "POST") == 0 ? NULL : c->method);
        SET(CURLOPT_POSTFIELDS, c->sent);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->req.body.n);
    }
    return bad == CURLE_OK;
}

/* Options of this hop: where to, and whether with the token. */
static bool set_hop(sc_http_call *c)
{
    CURLcode bad = CURLE_OK;
    const bool https = strncasecmp(c->url, "https:", 6) == 0;
    SET(CURLOPT_URL, c->url);
    if (!https || sc_url_is_loopback(c->url))
        SET(CURLOPT_PROXY, "");
    else
        SET(CURLOPT_PROXY, NULL); // what the environment says
    const bool with_token = c->bearer && sc_url_is_same_origin(c->first_url, c->url) &&
                            (https || sc_url_is_loopback(c->url));
    SET(CURLOPT_HTTPAUTH, with_token ? (long)CURLAUTH_BEARER : (long)CURLAUTH_NONE);
    SET(CURLOPT_XOAUTH2_BEARER, with_token ? c->bearer : NULL);
    SET(CURLOPT_HTTPHEADER, c->lines);
    if (c->req.range_size) {
        char range[64];
        format_range(&c->req, range);
        SET(CURLOPT_RANGE, range);
    }
    return bad == CURLE_OK && set_method(c);
}
#undef SET

static bool start_hop(sc_http_call *c)
{
    sc_buf_clear(&c->head);
    sc_buf_clear(&c->body);
    c->n_body = 0;
    c->status = 0;
    c->has_head = false;
    c->last_ns = sc_clock_ns(&c->http->clock);
    if (!set_hop(c) || c->http->curl->multi_add_handle(c->http->multi, c->easy) != CURLM_OK)
        return false;
    c->running = true;
    return true;
}

/* A header line must not start another one. */
static bool is_line(const char *s)
{
    return s[strcspn(s, "\r\n")] == '\0';
}

static sc_code fill(sc_http_call *c, const sc_http_req *req, sc_err *err)
{
    const char *method = req->method ? req->method : "GET";
    if (!is_line(req->url) || !is_line(method) || (req->bearer && !is_line(req->bearer)))
        return sc_fail(err, SC_E_USAGE, "a request with a line break in it");
    SC_TRY(sc_url_join(NULL, sc_str_c(req->url), &c->url, err));
    c->req = *req;
    c->req.max_body = req->max_body ? req->max_body : DEFAULT_MAX_BODY;
    c->req.idle_ms = req->idle_ms ? req->idle_ms : DEFAULT_IDLE_MS;
    c->head = sc_buf_init(MAX_HEAD);
    c->body = sc_buf_init(req->on_body ? 0 : (size_t)c->req.max_body);
    c->first_url = sc_strdup(c->url);
    c->method = sc_strdup(method);
    c->sent = sc_strndup(req->body.p, req->body.n);
    c->bearer = req->bearer ? sc_strdup(req->bearer) : NULL;
    if (!c->first_url || !c->method || !c->sent || (req->bearer && !c->bearer))
        return sc_fail_nomem(err);
    bool ok = add_line(c, "Accept-Encoding: identity") && add_line(c, "Expect:");
    for (size_t i = 0; ok && i < req->n_headers; i++) {
        if (!is_line(req->headers[i]))
            return sc_fail(err, SC_E_USAGE, "a header with a line break in it");
        ok = add_line(c, req->headers[i]);
    }
    c->easy = c->http->curl->easy_init();
    return ok && c->easy && set_fixed(c) ? SC_OK : sc_fail_nomem(err);
}

sc_code sc_http_submit(sc_http *h, const sc_http_req *req, sc_http_call **out, sc_err *err)
{
    SC_AUTO(sc_http_call) *c = sc_new(sc_http_call);
    if (!c)
        return sc_fail_nomem(err);
    c->http = h;
    SC_TRY(fill(c, req, err));
    c->start_ns = sc_clock_ns(&h->clock);
    if (!start_hop(c))
        return sc_fail_nomem(err);
    c->next = h->calls;
    h->calls = c;
    *out = sc_take(c);
    return SC_OK;
}

/* Prepares the address a redirect leads to. */
static sc_code turn_to(sc_http_call *c, const char *location, sc_err *err)
{
    if (++c->hops > MAX_HOPS)
        return sc_fail(err, SC_E_LIMIT, "more than %d redirects", MAX_HOPS);
    char *to = NULL;
    SC_TRY_IN(sc_url_join(c->url, sc_str_c(location), &to, err), err, "redirect");
    if (strncasecmp(c->url, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0) {
        sc_free(to);
        return sc_fail(err, SC_E_NET, "a redirect from https to http");
    }
    sc_free(c->url);
    c->url = to;
    if (c->status == 303 && strcmp(c->method, "HEAD") != 0)
        memcpy(c->method, "GET", 4); // no method is shorter
    return SC_OK;
}

/* The transfer of a hop is over without an error. */
static void finish_hop(sc_http_call *c)
{
    const char *location = sc_http_header(c, "location");
    if (!is_followed(c, location)) {
        end(c, SC_OK, false);
        return;
    }
    (void)c->http->curl->multi_remove_handle(c->http->multi, c->easy); // it is in there
    c->running = false;
    const sc_code code = turn_to(c, location, &c->err);
    if (code != SC_OK) {
        name_place(c);
        end(c, code, false);
    } else if (!start_hop(c)) {
        end(c, sc_fail_nomem(&c->err), false);
    }
}

/* Whether another try may help: everything that can happen on the way to a working server. */
static bool is_passing(CURLcode why)
{
    switch ((int)why) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
        return true;
    default:
        return false;
    }
}

static void fail_hop(sc_http_call *c, CURLcode why)
{
    if (c->code == SC_OK)
        c->code = sc_fail(&c->err, SC_E_NET, "%s",
                          c->why[0] ? c->why : c->http->curl->easy_strerror(why));
    const bool ours = why == CURLE_WRITE_ERROR; // a callback of ours said no
    name_place(c);
    end(c, c->code, !ours && is_passing(why));
}

/* Takes the finished transfers out; returns whether a call ended. */
static bool collect(sc_http *h)
{
    bool ended = false;
    int left = 0;
    const CURLMsg *m = NULL;
    while ((m = h->curl->multi_info_read(h->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        const CURLcode why = m->data.result; // the message dies with the handle's removal
        char *at = NULL;
        (void)h->curl->easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &at); // set in set_fixed
        sc_http_call *c = (sc_http_call *)(void *)at;
        if (why == CURLE_OK)
            finish_hop(c);
        else
            fail_hop(c, why);
        ended |= c->done;
    }
    return ended;
}

/* Ends calls that are silent or take too long; returns whether one ended. */
static bool expire(sc_http *h)
{
    bool ended = false;
    const uint64_t now = sc_clock_ns(&h->clock);
    for (sc_http_call *c = h->calls; c; c = c->next) {
        if (!c->running)
            continue;
        const uint64_t silent_ms = (now - c->last_ns) / 1000000;
        const uint64_t total_ms = (now - c->start_ns) / 1000000;
        const bool late = c->req.total_ms && total_ms >= c->req.total_ms;
        if (!late && silent_ms < c->req.idle_ms)
            continue;
        c->code = late
                      ? sc_fail(&c->err, SC_E_NET, "not done after %" PRIu32 " ms", c->req.total_ms)
                      : sc_fail(&c->err, SC_E_NET, "silent for %" PRIu32 " ms", c->req.idle_ms);
        name_place(c);
        end(c, c->code, true);
        ended = true;
    }
    return ended;
}

static sc_code step(sc_http *h, uint32_t wait_ms, bool *ended, sc_err *err)
{
    int running = 0;
    const CURLMcode bad = h->curl->multi_perform(h->multi, &running);
    if (bad != CURLM_OK)
        return sc_fail(err, SC_E_IO, "libcurl: %s", h->curl->multi_strerror(bad));
    *ended = collect(h) | expire(h);
    if (*ended || wait_ms == 0)
        return SC_OK;
    const CURLMcode stuck = h->curl->multi_poll(
        h->multi, NULL, 0, (int)(wait_ms < POLL_STEP_MS ? wait_ms : POLL_STEP_MS), NULL);
    if (stuck != CURLM_OK)
        return sc_fail(err, SC_E_IO, "libcurl: %s", h->curl->multi_strerror(stuck));
    return SC_OK;
}

static bool is_any_running(const sc_http *h)
{
    for (const sc_http_call *c = h->calls; c; c = c->next)
        if (c->running)
            return true;
    return false;
}

sc_code sc_http_poll(sc_http *h, uint32_t wait_ms, sc_err *err)
{
    const sc_clock real =
        sc_clock_real(); // how long to sit here is real, whatever the deadlines are
    const uint64_t start = sc_clock_ns(&real);
    for (;;) {
        if (h->stop && atomic_load(h->stop))
            return sc_fail(err, SC_E_INTERRUPTED, "interrupted");
        const uint64_t gone = (sc_clock_ns(&real) - start) / 1000000;
        bool ended = false;
        SC_TRY(step(h, gone < wait_ms ? wait_ms - (uint32_t)gone : 0, &ended, err));
        if (ended || gone >= wait_ms || !is_any_running(h))
            return SC_OK;
    }
}

bool sc_http_is_done(const sc_http_call *c)
{
    return c->done;
}

sc_code sc_http_result(const sc_http_call *c, sc_err *err)
{
    assert(c->done);
    if (c->code != SC_OK)
        *err = c->err;
    return c->code;
}

bool sc_http_may_retry(const sc_http_call *c)
{
    return c->may_retry;
}

int sc_http_status(const sc_http_call *c)
{
    return c->status;
}

const char *sc_http_header(const sc_http_call *c, const char *name)
{
    const size_t n = strlen(name);
    const char *const end = sc_buf_text(&c->head) + c->head.n;
    for (const char *line = sc_buf_text(&c->head); line < end; line += strlen(line) + 1)
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            line += n + 1;
            return line + strspn(line, " \t");
        }
    return NULL;
}

const char *sc_http_url(const sc_http_call *c)
{
    return c->url;
}

sc_str sc_http_body(const sc_http_call *c)
{
    return sc_buf_str(&c->body);
}

void sc_http_free(sc_http_call *c)
{
    if (!c)
        return;
    for (sc_http_call **at = &c->http->calls; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    if (c->running)
        (void)c->http->curl->multi_remove_handle(c->http->multi, c->easy); // it is in there
    c->http->curl->easy_cleanup(c->easy);
    c->http->curl->slist_free_all(c->lines);
    if (c->bearer)
        explicit_bzero(c->bearer, strlen(c->bearer));
    sc_free(c->bearer);
    sc_free(c->first_url);
    sc_free(c->url);
    sc_free(c->method);
    sc_free(c->sent);
    sc_buf_drop(&c->head);
    sc_buf_drop(&c->body);
    sc_free(c);
}

sc_code sc_http_run(sc_http *h, const sc_http_req *req, sc_http_call **out, sc_err *err)
{
    SC_AUTO(sc_http_call) *c = NULL;
    SC_TRY(sc_http_submit(h, req, &c, err));
    while (!c->done)
        SC_TRY(sc_http_poll(h, 60000, err));
    SC_TRY(sc_http_result(c, err));
    *out = sc_take(c);
    return SC_OK;
}
