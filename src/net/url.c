// SPDX-License-Identifier: MIT
#include "net/url.h"

#include "base/mem.h"
#include "net/curl.h"

#include <ctype.h>
#include <strings.h>

enum { MAX_URL = 8192 };

/* NULL where it cannot be loaded. */
static const sc_curl *library(void)
{
    const sc_curl *curl = NULL;
    sc_err none = {0};
    return sc_curl_get(&curl, &none) == SC_OK ? curl : NULL;
}

/* An empty address, or NULL. */
static CURLU *new_url(void)
{
    const sc_curl *curl = library();
    return curl ? curl->url() : NULL;
}

static void free_url(CURLU *u)
{
    if (u)
        library()->url_cleanup(u);
}
SC_AUTO_DEFINE(CURLU, free_url);

static void free_part(char *p)
{
    if (p)
        library()->free(p);
}
typedef char part;
SC_AUTO_DEFINE(part, free_part);

/* Whether `text` is an address, which is then in `u`. */
static bool set(CURLU *u, const char *text, unsigned flags)
{
    return library()->url_set(u, CURLUPART_URL, text, flags) == CURLUE_OK;
}

/* Whether `u` has such a part, which is then in *out. */
static bool get(CURLU *u, CURLUPart which, unsigned flags, part **out)
{
    return library()->url_get(u, which, out, flags) == CURLUE_OK;
}

static bool is_web(CURLU *u)
{
    SC_AUTO(part) *scheme = NULL;
    return get(u, CURLUPART_SCHEME, 0, &scheme) &&
           (strcasecmp(scheme, "https") == 0 || strcasecmp(scheme, "http") == 0);
}

sc_code sc_url_join(const char *base, sc_str ref, char **out, sc_err *err)
{
    if (ref.n == 0 || ref.n > MAX_URL || memchr(ref.p, '\0', ref.n))
        return sc_fail(err, SC_E_FORMAT, "an address of %zu bytes", ref.n);
    const sc_curl *curl = NULL;
    SC_TRY(sc_curl_get(&curl, err));
    SC_AUTO(CURLU) *u = curl->url();
    char *text = sc_strndup(ref.p, ref.n);
    if (!u || !text) {
        sc_free(text);
        return sc_fail_nomem(err);
    }
    const bool good = (!base || set(u, base, 0)) && set(u, text, CURLU_DISALLOW_USER);
    sc_free(text);
    SC_AUTO(part) *whole = NULL;
    if (!good || !is_web(u) || !get(u, CURLUPART_URL, 0, &whole))
        return sc_fail(err, SC_E_FORMAT, "not a web address: %.*s", SC_STRF(ref));
    char *copy = sc_strdup(whole);
    if (!copy)
        return sc_fail_nomem(err);
    *out = copy;
    return SC_OK;
}

bool sc_url_is_same_origin(const char *a, const char *b)
{
    SC_AUTO(CURLU) *u = new_url();
    SC_AUTO(CURLU) *v = new_url();
    if (!u || !v || !set(u, a, 0) || !set(v, b, 0))
        return false;
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    for (size_t i = 0; i < SC_LEN(parts); i++) {
        SC_AUTO(part) *x = NULL;
        SC_AUTO(part) *y = NULL;
        if (!get(u, parts[i], CURLU_DEFAULT_PORT, &x) ||
            !get(v, parts[i], CURLU_DEFAULT_PORT, &y) || strcasecmp(x, y) != 0)
            return false;
    }
    return true;
}

bool sc_url_is_loopback(const char *url)
{
    SC_AUTO(CURLU) *u = new_url();
    SC_AUTO(part) *host = NULL;
    if (!u || !set(u, url, 0) || !get(u, CURLUPART_HOST, 0, &host))
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
