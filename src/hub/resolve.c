// SPDX-License-Identifier: MIT
#include "hub/resolve.h"

#include "base/file.h"
#include "base/mem.h"
#include "hub/cache.h"
#include "hub/name.h"

#include <unistd.h>

static sc_code copy(const char *s, char **out, sc_err *err)
{
    char *text = sc_strdup(s);
    if (!text)
        return sc_fail_nomem(err);
    *out = text;
    return SC_OK;
}

/* Whether `arg` can only be meant as a path: nobody's repository is called like that. */
static bool is_surely_path(sc_str arg)
{
    static const char *const ends[] = {".pt",          ".pth",  ".bin", ".gguf",
                                       ".safetensors", ".json", "/"};
    if (arg.n && (arg.p[0] == '/' || arg.p[0] == '.' || arg.p[0] == '~'))
        return true;
    if (memchr(arg.p, ':', arg.n)) // "org/repo:file.gguf" is a repository with a pattern
        return false;
    for (size_t i = 0; i < SC_LEN(ends); i++)
        if (sc_str_ends(arg, sc_str_c(ends[i])))
            return true;
    return false;
}

/* The cache said no; says what was tried and what would help. */
static sc_code fail_missing(const char *arg, const sc_hub_name *name, const sc_hub_places *places,
                            sc_err *err)
{
    sc_err why = *err;
    return sc_fail(err, SC_E_NOTFOUND,
                   "%.200s: no such file or folder, and not usable from the Hugging Face cache %s "
                   "(%.*s, revision %.*s: %s); %s",
                   arg, places->cache, SC_STRF(name->repo), SC_STRF(name->revision), why.msg,
                   places->offline ? "HF_HUB_OFFLINE forbids to download it"
                                   : "allow the download with --pull missing");
}

static sc_code resolve_name(const char *arg, const sc_hub_name *name, const sc_hub_opts *opts,
                            char **path, sc_err *err)
{
    const sc_hub_env real = sc_hub_env_real();
    SC_AUTO(sc_hub_places) places = {0};
    SC_TRY(sc_hub_places_init(&places, opts->env ? opts->env : &real, err));
    const sc_code code = sc_hub_cache_find(&places, name, opts->want, path, err);
    if (code == SC_OK)
        return SC_OK;
    if (code != SC_E_NOTFOUND) {
        sc_within(err, "%s", arg);
        return code;
    }
    if (opts->pull == SC_HUB_PULL_NEVER || places.offline)
        return fail_missing(arg, name, &places, err);
    const sc_hub_pull_opts plain = {0};
    return sc_hub_pull(&places, name, opts->want, opts->how ? opts->how : &plain, path, err);
}

sc_code sc_hub_resolve(const char *arg, const sc_hub_opts *opts, char **path, sc_err *err)
{
    const sc_str text = sc_str_c(arg);
    if (text.n == 0)
        return sc_fail(err, SC_E_USAGE, "the name of the model is empty");
    if (sc_file_is_file(arg) || sc_file_is_dir(arg))
        return copy(arg, path, err);
    if (strstr(arg, "://"))
        return sc_fail(err, SC_E_USAGE, "%s: an address, where a model's file is expected", arg);
    const char *repo = sc_hub_name_of_short(text);
    if (is_surely_path(text) && access(arg, F_OK) == 0)
        return sc_fail(err, SC_E_FORMAT, "%s: is a pipe, a socket or a device, not a file", arg);
    if (!repo && is_surely_path(text))
        return sc_fail(err, SC_E_NOTFOUND, "%s: no such file or folder", arg);
    sc_hub_name name = {0};
    sc_err why = {0};
    if (sc_hub_name_parse(repo ? sc_str_c(repo) : text, &name, &why) != SC_OK)
        return sc_fail(err, SC_E_NOTFOUND,
                       "%s: no such file or folder, and not a hub name (org/name[@revision])", arg);
    return resolve_name(arg, &name, opts, path, err);
}
