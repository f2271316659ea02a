/**
 * http.h - an HTTP client: many calls at once over one libcurl multi handle, nothing unbounded.
 *
 * A call is submitted, moved along by sc_http_poll, and looked at when it is done. Every call has
 * deadlines and size limits. Certificates are always verified. Redirects are followed here and not
 * by libcurl: the bearer token goes to the origin it was given for and nowhere else, and never over
 * plain http except to this machine. A proxy of the environment (https_proxy, no_proxy) is used for
 * https alone, where it sees no content; plain http and this machine are reached directly.
 *
 * Threads: one thread at a time per client; its callbacks run inside sc_http_poll.
 * Source:  RFC 9110; libcurl's multi interface.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_NET_HTTP_H
#define SC_NET_HTTP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sc_http sc_http;
typedef struct sc_http_call sc_http_call;

typedef struct sc_http_opts { // all-zero: the system's certificates, the real clock
    const char *ca_file;      // borrowed for the call of sc_http_open; PEM
    const sc_clock *clock;    // borrowed
    const atomic_bool *stop;  // borrowed; set: sc_http_poll gives SC_E_INTERRUPTED
} sc_http_opts;

/** Owns: the caller closes *out with sc_http_close. Errors: SC_E_NOMEM, SC_E_IO */
sc_code sc_http_open(const sc_http_opts *opts, sc_http **out, sc_err *err) SC_CHECKED;

/** Ends all calls; those not freed yet are freed. */
void sc_http_close(sc_http *h);

typedef enum sc_http_follow {
    SC_HTTP_FOLLOW_NONE, // a redirect is an answer like any other
    SC_HTTP_FOLLOW_SAME, // only to the same origin; another one is an answer
    SC_HTTP_FOLLOW_ALL,  // anywhere, but never from https to http
} sc_http_follow;

/** Sees the final answer's status and headers before its body. An error ends the call with it. */
typedef sc_code sc_http_head_fn(void *ctx, const sc_http_call *call, sc_err *err);
/** Takes the next bytes of the body. An error ends the call with it. */
typedef sc_code sc_http_body_fn(void *ctx, const void *bytes, size_t n, sc_err *err);

typedef struct sc_http_req {
    const char *method; // NULL: GET
    const char *url;
    const char *bearer;         // NULL: no Authorization header
    const char *const *headers; // "Name: value", [n_headers]
    size_t n_headers;
    sc_str body;         // sent when it has bytes or the method is POST
    uint64_t range_from; // with range_size: asks for these bytes
    uint64_t range_size; // 0: everything
    sc_http_follow follow;
    uint32_t connect_ms;      // 0: 10 s
    uint32_t idle_ms;         // the longest silence; 0: 30 s
    uint32_t total_ms;        // 0: no limit
    uint64_t max_body;        // more is SC_E_LIMIT; 0: 1 MiB
    sc_http_head_fn *on_head; // NULL: none
    sc_http_body_fn *on_body; // NULL: the body is gathered for sc_http_body
    void *ctx;                // borrowed until the call is freed
} sc_http_req;

/**
 * Starts a call. Everything of `req` is copied but the functions and ctx.
 *
 * Owns:   the caller frees *out with sc_http_free, at any time.
 * Errors: SC_E_USAGE an address or header that cannot be sent; SC_E_NOMEM
 */
sc_code sc_http_submit(sc_http *h, const sc_http_req *req, sc_http_call **out,
                       sc_err *err) SC_CHECKED;

/**
 * Moves all calls along, for at most `wait_ms`; returns as soon as one of them ends.
 *
 * Errors: SC_E_INTERRUPTED the stop flag is set; SC_E_NOMEM. What happens to one call is its
 * result.
 */
sc_code sc_http_poll(sc_http *h, uint32_t wait_ms, sc_err *err) SC_CHECKED;

bool sc_http_is_done(const sc_http_call *c);

/**
 * SC_OK when a whole answer came, whatever its status; else what went wrong.
 *
 * Needs:  sc_http_is_done.
 * Errors: SC_E_NET no connection, cut, too slow, a bad certificate, not HTTP; SC_E_LIMIT body or
 *         headers too long, too many redirects; SC_E_FORMAT a redirect to nowhere; those of on_head
 *         and on_body
 */
sc_code sc_http_result(const sc_http_call *c, sc_err *err) SC_CHECKED;

/** Whether the failure may be gone at the next try: no connection, cut, too slow. */
bool sc_http_may_retry(const sc_http_call *c);

int sc_http_status(const sc_http_call *c);

/** The first header `name` (any case) of the answer, or NULL; borrowed until the call is freed. */
const char *sc_http_header(const sc_http_call *c, const char *name);

/** The address that answered, after redirects; borrowed until the call is freed. */
const char *sc_http_url(const sc_http_call *c);

/** The gathered body; borrowed until the call is freed. */
sc_str sc_http_body(const sc_http_call *c);

/** Ends the call if it runs, and frees it. */
void sc_http_free(sc_http_call *c);

/** Submits and polls until it is done. *out is set when the call was submitted: errors as there,
 *  as sc_http_poll and as sc_http_result; the caller frees *out on success. */
sc_code sc_http_run(sc_http *h, const sc_http_req *req, sc_http_call **out, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_http, sc_http_close);
SC_AUTO_DEFINE(sc_http_call, sc_http_free);

#endif
