// SPDX-License-Identifier: MIT
#include "net/url.h"

#include "base/mem.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

enum { MAX_URL = 8192 };

SC_AUTO_DEFINE(CURLU, curl_url_cleanup);

static void free_part(char *p)
{
    curl_free(p);
}
typedef char part;
SC_AUTO_DEFINE(part, free_part);

static bool is_web(CURLU *u)
{
    SC_AUTO(part) *scheme = NULL;
    return curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
           (strcasecmp(scheme, "https") == 0 || strcasecmp(scheme, "http") == 0);
}

sc_code sc_url_join(const char *base, sc_str ref, char **out, sc_err *err)
{
    if (ref.n == 0 || ref.n > MAX_URL || memchr(ref.p, '\0', ref.n))
        return sc_fail(err, SC_E_FORMAT, "an address of %zu bytes", ref.n);
    SC_AUTO(CURLU) *u = curl_url();
    char *text = sc_strndup(ref.p, ref.n);
    if (!u || !text) {
        sc_free(text);
        return sc_fail_nomem(err);
    }
    const CURLUcode bad_base = base ? curl_url_set(u, CURLUPART_URL, base, 0) : CURLUE_OK;
    const CURLUcode bad =
        bad_base ? bad_base : curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    sc_free(text);
    SC_AUTO(part) *whole = NULL;
    if (bad || !is_web(u) || curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK)
        return sc_fail(err, SC_E_FORMAT, "not a web address: %.*s", SC_STRF(ref));
    char *copy = sc_strdup(whole);
    if (!copy)
        return sc_fail_nomem(err);
    *out = copy;
    return SC_OK;
}

bool sc_url_is_same_origin(const char *a, const char *b)
{
    SC_AUTO(CURLU) *u = curl_url();
    SC_AUTO(CURLU) *v = curl_url();
    if (!u || !v || curl_url_set(u, CURLUPART_URL, a, 0) || curl_url_set(v, CURLUPART_URL, b, 0))
        return false;
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    for (size_t i = 0; i < SC_LEN(parts); i++) {
        SC_AUTO(part) *x = NULL;
        SC_AUTO(part) *y = NULL;
        if (curl_url_get(u, parts[i], &x, CURLU_DEFAULT_PORT) ||
            curl_url_get(v, parts[i], &y, CURLU_DEFAULT_PORT) || strcasecmp(x, y) != 0)
            return false;
    }
    return true;
}

bool sc_url_is_loopback(const char *url)
{
    SC_AUTO(CURLU) *u = curl_url();
    SC_AUTO(part) *host = NULL;
    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) || curl_url_get(u, CURLUPART_HOST, &host, 0))
        return false;
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    // Only digits and dots behind "127.": "127.evil.example" is a name.
    return strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0';
}

void sc_url_escape(sc_str s, const char *keep, sc_buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x80 && isalnum(c)) || (c && strchr("-._~", c)) || (c && strchr(keep, c)))
            sc_buf_add_char(out, (char)c);
        else
            sc_buf_addf(out, "%%%02X", c);
    }
}

void sc_url_shorten(const char *url, sc_buf *out)
{
    const size_t n = strcspn(url, "?#");
    sc_buf_addf(out, "%.*s%s", (int)(n > 200 ? 200 : n), url, url[n] ? "?..." : "");
}
