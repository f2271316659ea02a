// SPDX-License-Identifier: MIT
#include "hub/places.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum { MAX_VALUE = 4096, MAX_TOKEN = 1024, DEFAULT_TIMEOUT_MS = 10000, MAX_TIMEOUT_S = 86400 };

static const char *get_real(void *ctx, const char *name)
{
    (void)ctx;           // the environment is the process's
    return getenv(name); // NOLINT(concurrency-mt-unsafe): nothing in this program changes it
}

sc_hub_env sc_hub_env_real(void)
{
    return (sc_hub_env){get_real, NULL};
}

/* The value of a variable; a variable set to nothing counts as not set. */
static const char *get(const sc_hub_env *env, const char *name)
{
    const char *v = env->get(env->ctx, name);
    return v && *v ? v : NULL;
}

/* huggingface_hub's ENV_VARS_TRUE_VALUES. */
static bool is_on(const sc_hub_env *env, const char *name)
{
    const char *v = get(env, name);
    return v && (strcmp(v, "1") == 0 || strcasecmp(v, "on") == 0 || strcasecmp(v, "yes") == 0 ||
                 strcasecmp(v, "true") == 0);
}

/* Appends a folder; "~" at its front is the home folder. */
static sc_code add_folder(sc_buf *b, const sc_hub_env *env, const char *value, sc_err *err)
{
    if (value[0] == '~' && (value[1] == '/' || value[1] == '\0')) {
        const char *home = get(env, "HOME");
        if (!home)
            return sc_fail(err, SC_E_USAGE, "%s: HOME is not set", value);
        sc_buf_add_c(b, home);
        value++;
    }
    sc_buf_add_c(b, value);
    return SC_OK;
}

static bool has_hf_home(const sc_hub_env *env)
{
    return get(env, "HF_HOME") || get(env, "XDG_CACHE_HOME") || get(env, "HOME");
}

/* Appends $HF_HOME, or what it is without being set. */
static sc_code add_hf_home(sc_buf *b, const sc_hub_env *env, sc_err *err)
{
    const char *v = get(env, "HF_HOME");
    if (v)
        return add_folder(b, env, v, err);
    v = get(env, "XDG_CACHE_HOME");
    if (!has_hf_home(env))
        return sc_fail(err, SC_E_USAGE,
                       "no place for the Hugging Face cache: set HF_HOME, XDG_CACHE_HOME or HOME");
    SC_TRY(add_folder(b, env, v ? v : "~/.cache", err));
    sc_buf_add_c(b, "/huggingface");
    return SC_OK;
}

static sc_code find_cache(char **out, const sc_hub_env *env, sc_err *err)
{
    SC_AUTO(sc_buf) b = sc_buf_init(MAX_VALUE);
    const char *v = get(env, "HF_HUB_CACHE");
    if (!v)
        v = get(env, "HUGGINGFACE_HUB_CACHE");
    if (v) {
        SC_TRY(add_folder(&b, env, v, err));
    } else {
        SC_TRY(add_hf_home(&b, env, err));
        sc_buf_add_c(&b, "/hub");
    }
    while (b.n > 1 && b.p[b.n - 1] == '/')
        b.p[--b.n] = '\0';
    *out = sc_buf_take(&b);
    return *out ? SC_OK : sc_fail_nomem(err);
}

static sc_code find_endpoint(char **out, const sc_hub_env *env, sc_err *err)
{
    const char *v = get(env, "HF_ENDPOINT");
    if (!v)
        v = "https://huggingface.co";
    const sc_str s = sc_str_c(v);
    size_t n = s.n;
    while (n && v[n - 1] == '/')
        n--;
    if (!sc_str_starts(s, SC_STR("https://")) && !sc_str_starts(s, SC_STR("http://")))
        return sc_fail(err, SC_E_USAGE, "HF_ENDPOINT: not an http(s) address");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)v[i] <= ' ' || v[i] == 0x7f || v[i] == '?' || v[i] == '#' || v[i] == '@')
            return sc_fail(err, SC_E_USAGE, "HF_ENDPOINT: a blank, '?', '#' or '@' in the address");
    *out = sc_strndup(v, n);
    return *out ? SC_OK : sc_fail_nomem(err);
}

/* Trims; an empty token is none. The value itself never gets into the error. */
static sc_code set_token(char **out, sc_str v, const char *from, sc_err *err)
{
    while (v.n && isspace((unsigned char)v.p[v.n - 1]))
        v.n--;
    while (v.n && isspace((unsigned char)v.p[0]))
        v = sc_str_skip(v, 1);
    if (v.n == 0)
        return SC_OK;
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] <= ' ' || (unsigned char)v.p[i] >= 0x7f)
            return sc_fail(err, SC_E_USAGE, "%s: the token has a character no token has", from);
    if (v.n > MAX_TOKEN)
        return sc_fail(err, SC_E_USAGE, "%s: the token is longer than %d bytes", from, MAX_TOKEN);
    *out = sc_strndup(v.p, v.n);
    return *out ? SC_OK : sc_fail_nomem(err);
}

static sc_code find_token(char **out, const sc_hub_env *env, sc_err *err)
{
    if (is_on(env, "HF_HUB_DISABLE_IMPLICIT_TOKEN"))
        return SC_OK;
    static const char *const names[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    for (size_t i = 0; i < SC_LEN(names); i++) {
        const char *v = get(env, names[i]);
        if (v)
            return set_token(out, sc_str_c(v), names[i], err);
    }
    SC_AUTO(sc_buf) path = sc_buf_init(MAX_VALUE);
    const char *v = get(env, "HF_TOKEN_PATH");
    if (v) {
        SC_TRY(add_folder(&path, env, v, err));
    } else if (has_hf_home(env)) {
        SC_TRY(add_hf_home(&path, env, err));
        sc_buf_add_c(&path, "/token");
    } else {
        return SC_OK;
    }
    if (!sc_buf_ok(&path))
        return sc_fail_nomem(err);
    if (!sc_file_is_file(path.p))
        return SC_OK;
    SC_AUTO(sc_buf) text = sc_buf_init(0);
    SC_TRY(sc_file_read(path.p, MAX_TOKEN + 64, &text, err));
    return set_token(out, sc_buf_str(&text), path.p, err);
}

/* Seconds, as huggingface_hub has it. */
static sc_code find_timeout(uint32_t *out_ms, const sc_hub_env *env, const char *name, sc_err *err)
{
    const char *v = get(env, name);
    *out_ms = DEFAULT_TIMEOUT_MS;
    if (!v)
        return SC_OK;
    uint32_t s = 0;
    for (const char *p = v; *p; p++) {
        if (*p < '0' || *p > '9' || s > MAX_TIMEOUT_S)
            return sc_fail(err, SC_E_USAGE, "%s: '%s' is not a number of seconds up to %d", name, v,
                           MAX_TIMEOUT_S);
        s = s * 10 + (uint32_t)(*p - '0');
    }
    if (s == 0 || s > MAX_TIMEOUT_S)
        return sc_fail(err, SC_E_USAGE, "%s: '%s' is not a number of seconds up to %d", name, v,
                       MAX_TIMEOUT_S);
    *out_ms = s * 1000;
    return SC_OK;
}

static sc_code find_ca_file(char **out, const sc_hub_env *env, sc_err *err)
{
    const char *v = get(env, "REQUESTS_CA_BUNDLE");
    if (!v)
        v = get(env, "SSL_CERT_FILE");
    if (v && !(*out = sc_strdup(v)))
        return sc_fail_nomem(err);
    return SC_OK;
}

sc_code sc_hub_places_init(sc_hub_places *out, const sc_hub_env *env, sc_err *err)
{
    SC_AUTO(sc_hub_places) p = {0};
    SC_TRY(find_cache(&p.cache, env, err));
    SC_TRY(find_endpoint(&p.endpoint, env, err));
    SC_TRY(find_token(&p.token, env, err));
    SC_TRY(find_ca_file(&p.ca_file, env, err));
    p.offline = is_on(env, "HF_HUB_OFFLINE") || is_on(env, "TRANSFORMERS_OFFLINE");
    p.no_symlinks = is_on(env, "HF_HUB_DISABLE_SYMLINKS");
    SC_TRY(find_timeout(&p.etag_timeout_ms, env, "HF_HUB_ETAG_TIMEOUT", err));
    SC_TRY(find_timeout(&p.download_timeout_ms, env, "HF_HUB_DOWNLOAD_TIMEOUT", err));
    *out = p;
    p = (sc_hub_places){0}; // NOLINT(clang-analyzer-deadcode.DeadStores): the cleanup reads it
    return SC_OK;
}

void sc_hub_places_drop(sc_hub_places *p)
{
    sc_free(p->cache);
    sc_free(p->endpoint);
    if (p->token)
        explicit_bzero(p->token, strlen(p->token));
    sc_free(p->token);
    sc_free(p->ca_file);
    *p = (sc_hub_places){0};
}
