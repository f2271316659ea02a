// SPDX-License-Identifier: MIT
#include "hub/fetch.h"

#include "base/mem.h"
#include "hub/name.h"
#include "net/url.h"

#include <ctype.h>
#include <strings.h>

enum { MAX_ETAG = 128 };

void sc_hub_source_drop(sc_hub_source *s)
{
    sc_free(s->url);
    sc_free(s->etag);
    *s = (sc_hub_source){0};
}

/* W/"abc" to abc: it becomes a file's name, so only harmless characters. */
static sc_code read_etag(const char *v, char **out, sc_err *err)
{
    if (!v)
        return sc_fail(err, SC_E_FORMAT, "the hub gives no ETag");
    if (strncmp(v, "W/", 2) == 0)
        v += 2;
    const bool quoted = *v == '"';
    v += quoted;
    const size_t n = quoted ? strcspn(v, "\"") : strlen(v);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)v[i]) && v[i] != '-' && v[i] != '_')
            return sc_fail(err, SC_E_FORMAT, "an ETag that cannot name a file");
    if (n == 0 || n > MAX_ETAG)
        return sc_fail(err, SC_E_FORMAT, "an ETag of %zu characters", n);
    *out = sc_strndup(v, n);
    return *out ? SC_OK : sc_fail_nomem(err);
}

static sc_code read_size(const char *v, uint64_t *out, sc_err *err)
{
    enum { MAX_DIGITS = 15 };
    const size_t n = v ? strspn(v, "0123456789") : 0;
    if (n == 0 || n > MAX_DIGITS || v[n] != '\0')
        return sc_fail(err, SC_E_FORMAT, "the hub gives no size");
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out = *out * 10 + (uint64_t)(v[i] - '0');
    return SC_OK;
}

static sc_code read_place(const sc_http_call *c, char **out, sc_err *err)
{
    const char *base = sc_http_url(c);
    const char *location = sc_http_status(c) >= 300 ? sc_http_header(c, "location") : NULL;
    if (!location) {
        *out = sc_strdup(base);
        return *out ? SC_OK : sc_fail_nomem(err);
    }
    char *to = NULL;
    SC_TRY_IN(sc_url_join(base, sc_str_c(location), &to, err), err, "redirect");
    if (strncasecmp(base, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0) {
        sc_free(to);
        return sc_fail(err, SC_E_NET, "a redirect from https to http");
    }
    *out = to;
    return SC_OK;
}

static const char *first_of(const sc_http_call *c, const char *a, const char *b)
{
    const char *v = sc_http_header(c, a);
    return v || !b ? v : sc_http_header(c, b);
}

sc_code sc_hub_source_find(sc_hub_session *s, const char *name, const char *ask_url,
                           const char *commit, sc_hub_source *out, sc_err *err)
{
    SC_AUTO(sc_http_call) *c = NULL;
    SC_TRY(sc_hub_ask(s, "HEAD", ask_url, 0, &c, err));
    const char *at = sc_http_header(c, "x-repo-commit");
    if (at && strcasecmp(at, commit) != 0)
        return sc_fail(err, SC_E_FORMAT, "the hub answers for commit %.60s", at);
    SC_AUTO(sc_hub_source) r = {.name = name, .ask_url = ask_url};
    const bool is_here = sc_http_status(c) < 300;
    SC_TRY(read_etag(first_of(c, "x-linked-etag", "etag"), &r.etag, err));
    SC_TRY(
        read_size(first_of(c, "x-linked-size", is_here ? "content-length" : NULL), &r.size, err));
    SC_TRY(read_place(c, &r.url, err));
    *out = r;
    r = (sc_hub_source){0}; // NOLINT(clang-analyzer-deadcode.DeadStores): the cleanup reads it
    return SC_OK;
}
