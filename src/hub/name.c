// SPDX-License-Identifier: MIT
#include "hub/name.h"

#include <ctype.h>

enum { MAX_REPO = 96, MAX_REVISION = 255, MAX_PATH = 1024, MAX_PART = 255 };

static const struct {
    const char *name;
    const char *repo;
} short_names[] = {
    {"codellama-7b", "codellama/CodeLlama-7b-hf"},
    {"codegen-350m", "Salesforce/codegen-350M-mono"},
    {"starcoder-1b", "bigcode/starcoderbase-1b"},
};

const char *sc_hub_name_of_short(sc_str name)
{
    for (size_t i = 0; i < SC_LEN(short_names); i++)
        if (sc_str_is(name, short_names[i].name))
            return short_names[i].repo;
    return NULL;
}

bool sc_hub_is_commit(sc_str name)
{
    if (name.n != 40)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!isxdigit((unsigned char)name.p[i]))
            return false;
    return true;
}

/* The next part of `path` up to `by`; *path moves behind it. */
static sc_str cut_part(sc_str *path, char by)
{
    const char *at = path->n ? memchr(path->p, by, path->n) : NULL;
    const size_t n = at ? (size_t)(at - path->p) : path->n;
    const sc_str part = {path->p, n};
    *path = sc_str_skip(*path, at ? n + 1 : n);
    return part;
}

bool sc_hub_path_is_safe(sc_str path)
{
    if (path.n == 0 || path.n > MAX_PATH || path.p[path.n - 1] == '/')
        return false;
    for (size_t i = 0; i < path.n; i++)
        if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f || path.p[i] == '\\')
            return false;
    while (path.n) {
        const sc_str part = cut_part(&path, '/');
        if (part.n == 0 || part.n > MAX_PART || sc_str_is(part, ".") || sc_str_is(part, ".."))
            return false;
    }
    return true;
}

/* Letters, digits, '-', '_', '.'; neither end is '-' or '.'; no "--", no "..": the hub's own rule.
 */
static bool is_repo_part(sc_str s)
{
    if (s.n == 0 || s.n > MAX_REPO)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        if (!isalnum((unsigned char)c) && c != '-' && c != '_' && c != '.')
            return false;
        if (i && c == s.p[i - 1] && (c == '-' || c == '.'))
            return false;
    }
    const char first = s.p[0], last = s.p[s.n - 1];
    return first != '-' && first != '.' && last != '-' && last != '.';
}

static bool is_repo(sc_str s)
{
    if (sc_str_ends(s, SC_STR(".git")))
        return false;
    sc_str rest = s;
    const sc_str org = cut_part(&rest, '/');
    if (org.n == s.n)
        return is_repo_part(s);
    return is_repo_part(org) && is_repo_part(rest);
}

static bool is_revision(sc_str s)
{
    if (s.n > MAX_REVISION || !sc_hub_path_is_safe(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (strchr(" ~^:?*[@", s.p[i]))
            return false;
    return true;
}

sc_code sc_hub_name_parse(sc_str arg, sc_hub_name *out, sc_err *err)
{
    sc_str rest = arg;
    const sc_str front = cut_part(&rest, ':');
    const bool has_pattern = front.n < arg.n;
    const sc_str pattern = rest;
    rest = front;
    const sc_str repo = cut_part(&rest, '@');
    const bool has_revision = repo.n < front.n;
    if (!is_repo(repo))
        return sc_fail(err, SC_E_USAGE, "%.*s: not the name of a hub repository (org/name)",
                       SC_STRF(arg));
    if (has_revision && !is_revision(rest))
        return sc_fail(err, SC_E_USAGE, "%.*s: not a revision behind '@'", SC_STRF(arg));
    if (has_pattern && !sc_hub_path_is_safe(pattern))
        return sc_fail(err, SC_E_USAGE, "%.*s: no file pattern behind ':'", SC_STRF(arg));
    *out = (sc_hub_name){repo, has_revision ? rest : SC_STR("main"),
                         has_pattern ? pattern : SC_STR("")};
    return SC_OK;
}

void sc_hub_name_folder(sc_str repo, sc_buf *out)
{
    sc_buf_add_c(out, "models--");
    for (size_t i = 0; i < repo.n; i++)
        if (repo.p[i] == '/')
            sc_buf_add_c(out, "--");
        else
            sc_buf_add_char(out, repo.p[i]);
}
