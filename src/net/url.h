/**
 * url.h - web addresses: joining, comparing origins, escaping.
 *
 * Threads: immutable (pure functions).
 * Source:  RFC 3986; the parser is libcurl's, the one that will connect, so both agree on the host.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_NET_URL_H
#define SC_NET_URL_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/**
 * The address that `ref` (a Location header, a link) means, seen from `base`.
 *
 * Owns:   the caller frees *out with sc_free.
 * Errors: SC_E_FORMAT not http(s), with a user name in it, or no address; SC_E_NOMEM
 */
sc_code sc_url_join(const char *base, sc_str ref, char **out, sc_err *err) SC_CHECKED;

/** Whether both have the same scheme, host and port; false for what is no address. */
bool sc_url_is_same_origin(const char *a, const char *b);

/** Whether the host of `url` is this machine: localhost, 127.0.0.0/8, ::1. */
bool sc_url_is_loopback(const char *url);

/** Appends `s` with everything escaped but letters, digits, "-._~" and the bytes of `keep`. */
void sc_url_escape(sc_str s, const char *keep, sc_buf *out);

/** Appends `url` without its query, which may hold a signature: for messages. */
void sc_url_shorten(const char *url, sc_buf *out);

#endif
