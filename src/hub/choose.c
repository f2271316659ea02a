// SPDX-License-Identifier: MIT
#include "hub/choose.h"

#include <ctype.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

enum { MAX_PATTERN = 255, MAX_PARTS = 99999 };

static const char *const small_files[] = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
};

static const char *const tokenizer_files[] = {
    "tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt",
};

static bool is_one_of(sc_str path, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (sc_str_is(path, names[i]))
            return true;
    return false;
}

static bool is_at_root(sc_str path)
{
    return !memchr(path.p, '/', path.n);
}

static sc_str base_of(sc_str path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/')
            return sc_str_skip(path, i);
    return path;
}

static bool read_digits(const char *p, unsigned *out)
{
    *out = 0;
    for (unsigned i = 0; i < 5; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (unsigned)(p[i] - '0');
    }
    return true;
}

/* Of "stem-00001-of-00003.ext": the stem, 1 and 3. */
static bool split_of(sc_str path, sc_str *stem, unsigned *part, unsigned *parts)
{
    enum { TAIL = 15 }; // "-00001-of-00003"
    size_t dot = path.n;
    while (dot > 0 && path.p[dot - 1] != '.')
        dot--;
    if (dot < TAIL + 2)
        return false;
    const char *p = path.p + dot - 1 - TAIL;
    if (p[0] != '-' || memcmp(p + 6, "-of-", 4) != 0 || !read_digits(p + 1, part) ||
        !read_digits(p + 10, parts))
        return false;
    *stem = (sc_str){path.p, (size_t)(p - path.p)};
    return *part >= 1 && *part <= *parts && *parts <= MAX_PARTS;
}

static size_t find(const sc_hub_file *files, size_t n, sc_str path)
{
    for (size_t i = 0; i < n; i++)
        if (sc_str_eq(files[i].path, path))
            return i;
    return SIZE_MAX;
}

/* Takes every part of the split file that `first` belongs to; *lead is part 1. */
static sc_code take_parts(sc_hub_file *files, size_t n, size_t first, size_t *lead, sc_err *err)
{
    sc_str stem = {0};
    unsigned part = 0, parts = 0;
    files[first].take = true;
    *lead = first;
    if (!split_of(files[first].path, &stem, &part, &parts))
        return SC_OK;
    unsigned have = 0, missing = 0;
    for (unsigned want = 1; want <= parts; want++) {
        char tail[24];
        (void)snprintf(tail, sizeof tail, "-%05u-of-%05u", want, parts);
        size_t at = SIZE_MAX;
        for (size_t i = 0; i < n && at == SIZE_MAX; i++)
            if (files[i].path.n == files[first].path.n &&
                memcmp(files[i].path.p, stem.p, stem.n) == 0 &&
                memcmp(files[i].path.p + stem.n, tail, 15) == 0)
                at = i;
        if (at == SIZE_MAX) {
            missing = missing ? missing : want;
            if (want > n) // no repository of n files has a part more
                break;
            continue;
        }
        files[at].take = true;
        have++;
        if (want == 1)
            *lead = at;
    }
    if (missing)
        return sc_fail(err, SC_E_NOTFOUND, "part %u of %u of %.*s is missing (%u are there)",
                       missing, parts, SC_STRF(stem), have);
    return SC_OK;
}

/* The weights called `stem`, whole or in parts: "model" + ".safetensors". *found says whether. */
static sc_code take_weights(sc_hub_file *files, size_t n, const char *stem, const char *ext,
                            bool *found, sc_err *err)
{
    char name[64];
    *found = true;
    size_t lead = 0;
    for (size_t i = 0; i < n; i++) {
        sc_str base = {0};
        unsigned part = 0, parts = 0;
        if (is_at_root(files[i].path) && sc_str_ends(files[i].path, sc_str_c(ext)) &&
            split_of(files[i].path, &base, &part, &parts) && sc_str_is(base, stem)) {
            (void)snprintf(name, sizeof name, "%s%s.index.json", stem, ext);
            const size_t index = find(files, n, sc_str_c(name));
            if (index == SIZE_MAX)
                return sc_fail(err, SC_E_NOTFOUND, "%s is missing", name);
            files[index].take = true;
            return take_parts(files, n, i, &lead, err);
        }
    }
    (void)snprintf(name, sizeof name, "%s%s", stem, ext);
    const size_t at = find(files, n, sc_str_c(name));
    *found = at != SIZE_MAX;
    if (*found)
        files[at].take = true;
    return SC_OK;
}

/* A GGUF that is a language model (its first part), not an image projector or a statistics file. */
static bool is_gguf_model(sc_str path)
{
    sc_str stem = {0};
    unsigned part = 1, parts = 1;
    const sc_str base = base_of(path);
    if (!sc_str_ends(path, SC_STR(".gguf")) || sc_str_starts(base, SC_STR("mmproj")) ||
        sc_str_starts(base, SC_STR("imatrix")))
        return false;
    return !split_of(path, &stem, &part, &parts) || part == 1;
}

typedef enum how { HOW_WHOLE, HOW_PART, HOW_PIECE, HOW_SHELL, HOW_N } how;

/* Whether `pattern` stands in `s`, in any case; with `alone`, between borders of parts. */
static bool has_piece(sc_str s, sc_str pattern, bool alone)
{
    for (size_t i = 0; pattern.n && i + pattern.n <= s.n; i++) {
        if (strncasecmp(s.p + i, pattern.p, pattern.n) != 0)
            continue;
        const bool starts = i == 0 || strchr("-./", s.p[i - 1]);
        const bool ends = i + pattern.n == s.n || strchr("-./", s.p[i + pattern.n]);
        if (!alone || (starts && ends))
            return true;
    }
    return false;
}

static bool matches(sc_str path, sc_str pattern, how by)
{
    char text[MAX_PATTERN + 1], name[1025];
    switch (by) {
    case HOW_WHOLE:
        return sc_str_eq(path, pattern) || sc_str_eq(base_of(path), pattern);
    case HOW_PART:
        return has_piece(base_of(path), pattern, true);
    case HOW_PIECE:
        return has_piece(path, pattern, false);
    case HOW_SHELL:
    case HOW_N:
        break;
    }
    if (pattern.n > MAX_PATTERN || path.n >= sizeof name)
        return false;
    memcpy(text, pattern.p, pattern.n);
    text[pattern.n] = '\0';
    memcpy(name, path.p, path.n);
    name[path.n] = '\0';
    return fnmatch(text, name, FNM_CASEFOLD) == 0;
}

static sc_code fail_ambiguous(const sc_hub_file *files, size_t n, sc_str pattern, how by,
                              sc_err *err)
{
    char names[300] = "";
    size_t used = 0;
    unsigned left = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_gguf_model(files[i].path) || (pattern.n && !matches(files[i].path, pattern, by)))
            continue;
        if (used + files[i].path.n + 3 >= sizeof names) {
            left++;
            continue;
        }
        const int k = snprintf(names + used, sizeof names - used, "%s%.*s", used ? ", " : "",
                               SC_STRF(files[i].path));
        used += k > 0 ? (size_t)k : 0;
    }
    char more[32] = "";
    if (left)
        (void)snprintf(more, sizeof more, " and %u more", left);
    return sc_fail(err, SC_E_USAGE, "several GGUF files; pick one with ':PATTERN': %s%s", names,
                   more);
}

/* The one GGUF model that `pattern` picks, or SIZE_MAX when there is none at all. */
static sc_code pick_gguf(const sc_hub_file *files, size_t n, sc_str pattern, size_t *out,
                         sc_err *err)
{
    *out = SIZE_MAX;
    for (how by = pattern.n ? HOW_WHOLE : HOW_SHELL; by < HOW_N; by++) {
        size_t hits = 0, hit = 0;
        for (size_t i = 0; i < n; i++)
            if (is_gguf_model(files[i].path) &&
                (pattern.n == 0 || matches(files[i].path, pattern, by))) {
                hit = i;
                hits++;
            }
        if (hits > 1)
            return fail_ambiguous(files, n, pattern, by, err);
        if (hits == 1) {
            *out = hit;
            return SC_OK;
        }
    }
    if (pattern.n)
        return sc_fail(err, SC_E_NOTFOUND, "no GGUF file matches '%.*s'", SC_STRF(pattern));
    return SC_OK;
}

/* The folder form: config.json and weights beside it. *found says whether it is one. */
static sc_code take_folder(sc_hub_file *files, size_t n, bool *found, sc_err *err)
{
    static const struct {
        const char *stem, *ext;
    } forms[] = {
        {"model", ".safetensors"},
        {"pytorch_model", ".safetensors"},
        {"pytorch_model", ".bin"},
    };
    *found = false;
    if (find(files, n, SC_STR("config.json")) == SIZE_MAX)
        return SC_OK;
    for (size_t i = 0; i < SC_LEN(forms) && !*found; i++)
        SC_TRY(take_weights(files, n, forms[i].stem, forms[i].ext, found, err));
    return SC_OK;
}

static sc_code take_model(sc_hub_file *files, size_t n, sc_str pattern, size_t *single, sc_err *err)
{
    bool found = false;
    *single = SC_HUB_FOLDER;
    if (pattern.n == 0)
        SC_TRY(take_folder(files, n, &found, err));
    if (found)
        return SC_OK;
    size_t at = SIZE_MAX;
    SC_TRY(pick_gguf(files, n, pattern, &at, err));
    if (at != SIZE_MAX) {
        for (size_t i = 0; i < n; i++) // a GGUF brings its own tokenizer and configuration
            files[i].take = false;
        return take_parts(files, n, at, single, err);
    }
    size_t n_pt = 0;
    for (size_t i = 0; i < n; i++)
        if (is_at_root(files[i].path) && (sc_str_ends(files[i].path, SC_STR(".pt")) ||
                                          sc_str_ends(files[i].path, SC_STR(".pth")))) {
            at = i;
            n_pt++;
        }
    if (n_pt != 1)
        return sc_fail(err, SC_E_NOTFOUND,
                       "no model among %zu files (config.json with .safetensors or .bin; a GGUF; "
                       "one .pt)",
                       n);
    files[at].take = true;
    *single = at;
    return SC_OK;
}

sc_code sc_hub_choose(sc_hub_file *files, size_t n, sc_hub_want want, sc_str pattern,
                      size_t *single, sc_err *err)
{
    bool has_tokenizer = false;
    for (size_t i = 0; i < n; i++) {
        files[i].take = is_one_of(files[i].path, small_files, SC_LEN(small_files));
        has_tokenizer |= is_one_of(files[i].path, tokenizer_files, SC_LEN(tokenizer_files));
    }
    size_t at = SC_HUB_FOLDER;
    if (want == SC_HUB_MODEL)
        SC_TRY(take_model(files, n, pattern, &at, err));
    else if (!has_tokenizer)
        return sc_fail(err, SC_E_NOTFOUND, "no tokenizer among %zu files", n);
    *single = at;
    return SC_OK;
}
