// SPDX-License-Identifier: MIT
#include "hub/listing.h"

#include "base/json.h"
#include "base/mem.h"
#include "hub/name.h"

#include <ctype.h>
#include <strings.h>

enum { MAX_FILE_GIB = 1 << 14 };

/* Copies `v` when it is `digits` hexadecimal digits, in lower case. */
static bool copy_hex(sc_str v, size_t digits, char *out)
{
    if (v.n != digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)v.p[i]))
            return false;
        out[i] = (char)tolower((unsigned char)v.p[i]);
    }
    out[digits] = '\0';
    return true;
}

/* Size and hash: those behind the pointer for a large file, else git's own. */
static sc_code read_entry(const json_t *v, sc_hub_entry *e, sc_err *err)
{
    const json_t *lfs = json_object_get(v, "lfs");
    const json_t *from = json_is_object(lfs) ? lfs : v;
    int64_t size = -1;
    sc_str hash = {0};
    SC_TRY(sc_json_get_int(from, "size", 0, (int64_t)MAX_FILE_GIB << 30, &size, err));
    SC_TRY(sc_json_get_str(from, "oid", &hash, err));
    if (size < 0)
        return sc_fail(err, SC_E_FORMAT, "no size");
    if (sc_str_starts(hash, SC_STR("sha256:")))
        hash = sc_str_skip(hash, 7);
    if (!copy_hex(hash, from == lfs ? 64 : 40, e->hash))
        return sc_fail(err, SC_E_FORMAT, "no hash");
    e->size = (uint64_t)size;
    return SC_OK;
}

static sc_code add_entry(sc_hub_listing *l, const json_t *v, sc_err *err)
{
    sc_str type = {0}, path = {0};
    SC_TRY(sc_json_get_str(v, "type", &type, err));
    SC_TRY(sc_json_get_str(v, "path", &path, err));
    if (!sc_hub_path_is_safe(path))
        return sc_fail(err, SC_E_FORMAT, "the path '%.*s' leads out of the folder", SC_STRF(path));
    if (!sc_str_is(type, "file"))
        return SC_OK;
    if (l->n >= SC_HUB_MAX_ENTRIES)
        return sc_fail(err, SC_E_LIMIT, "more than %d files", SC_HUB_MAX_ENTRIES);
    sc_hub_entry e = {0};
    SC_TRY_IN(read_entry(v, &e, err), err, "%.*s", SC_STRF(path));
    if (!sc_grow(&l->at, &l->cap, l->n, SC_HUB_MAX_ENTRIES, sizeof *l->at))
        return sc_fail_nomem(err);
    e.path = sc_strndup(path.p, path.n);
    if (!e.path)
        return sc_fail_nomem(err);
    l->at[l->n++] = e;
    return SC_OK;
}

sc_code sc_hub_listing_add(sc_hub_listing *l, sc_str page, sc_err *err)
{
    SC_AUTO_JSON *root = NULL;
    SC_TRY(sc_json_parse(page, &root, err));
    if (!json_is_array(root))
        return sc_fail(err, SC_E_FORMAT, "a listing that is not an array");
    for (size_t i = 0; i < json_array_size(root); i++)
        SC_TRY_IN(add_entry(l, json_array_get(root, i), err), err, "entry %zu", i);
    return SC_OK;
}

void sc_hub_listing_drop(sc_hub_listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        sc_free(l->at[i].path);
    sc_free(l->at);
    *l = (sc_hub_listing){0};
}

/* Whether the parameters behind a link's '>' hold rel=next, with or without quotes. */
static bool is_next(sc_str params)
{
    for (size_t i = 0; i + 4 <= params.n; i++) {
        if (strncasecmp(params.p + i, "rel=", 4) != 0)
            continue;
        sc_str v = sc_str_skip(params, i + 4);
        if (v.n && v.p[0] == '"')
            v = sc_str_skip(v, 1);
        return v.n >= 4 && strncasecmp(v.p, "next", 4) == 0 &&
               (v.n == 4 || strchr("\";, ", v.p[4]) != NULL);
    }
    return false;
}

sc_str sc_hub_link_next(sc_str header)
{
    while (header.n) {
        const char *open = memchr(header.p, '<', header.n);
        if (!open)
            break;
        header = sc_str_skip(header, (size_t)(open - header.p) + 1);
        const char *close = header.n ? memchr(header.p, '>', header.n) : NULL;
        if (!close)
            break;
        const sc_str target = {header.p, (size_t)(close - header.p)};
        header = sc_str_skip(header, target.n + 1);
        const char *more = header.n ? memchr(header.p, '<', header.n) : NULL;
        if (is_next((sc_str){header.p, more ? (size_t)(more - header.p) : header.n}))
            return target;
    }
    return (sc_str){"", 0};
}

sc_code sc_hub_listing_commit(sc_str answer, char commit[41], sc_err *err)
{
    SC_AUTO_JSON *root = NULL;
    SC_TRY(sc_json_parse(answer, &root, err));
    sc_str sha = {0};
    SC_TRY(sc_json_get_str(root, "sha", &sha, err));
    char text[SC_HUB_HASH_SIZE];
    if (!copy_hex(sha, 40, text))
        return sc_fail(err, SC_E_FORMAT, "no commit in \"sha\"");
    memcpy(commit, text, 41);
    return SC_OK;
}
