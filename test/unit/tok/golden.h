/**
 * golden.h - reads the golden tokenizers: plain or gzip'ed files, JSON lines, tallies.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_TOK_GOLDEN_H
#define SC_TEST_TOK_GOLDEN_H

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "tok/tok.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/** Equal and different comparisons of one kind. */
typedef struct tally {
    const char *what;
    unsigned good;
    unsigned bad;
} tally;

/** The text of `path`, or of `path`.gz; false when neither is there. */
static inline bool read_golden(const char *path, sc_buf *out)
{
    char name[16384];
    char block[1 << 16];
    sc_buf_clear(out);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, i ? ".gz" : "");
        if (!sc_file_is_file(name))
            continue;
        gzFile f = gzopen(name, "rb"); // reads plain files too
        if (!f)
            return false;
        for (int n; (n = gzread(f, block, sizeof block)) > 0;)
            sc_buf_add(out, block, (size_t)n);
        return gzclose(f) == Z_OK && sc_buf_ok(out);
    }
    return false;
}

/** The next line of *text as JSON; NULL at the end. */
static inline json_t *next_line(sc_str *text)
{
    sc_err err = {0};
    json_t *v = NULL;
    if (text->n == 0)
        return NULL;
    const char *end = memchr(text->p, '\n', text->n);
    const size_t n = end ? (size_t)(end - text->p) : text->n;
    if (sc_json_parse((sc_str){text->p, n}, &v, &err) != SC_OK)
        printf("# %s\n", err.msg);
    *text = sc_str_skip(*text, n + 1);
    return v;
}

/** The golden folder, or NULL. */
static inline const char *goldens(void)
{
    static char path[4096];
    const char *env = getenv("SC_GOLDENS");
    (void)snprintf(path, sizeof path, "%s/tokenizers", env ? env : "../shared/goldens");
    return sc_file_is_dir(path) ? path : NULL;
}

static inline void show(const char *what, sc_str s)
{
    printf("#   %s:", what);
    for (size_t i = 0; i < s.n && i < 120; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c < 0x7F)
            putchar(c);
        else
            printf("\\x%02x", c);
    }
    printf("\n");
}

static inline void show_ids(const char *what, const sc_ids *v, const json_t *want)
{
    printf("#   %s got", what);
    for (size_t i = 0; i < v->n && i < 40; i++)
        printf(" %d", v->p[i]);
    printf("\n#   %s want", what);
    for (size_t i = 0; i < json_array_size(want) && i < 40; i++)
        printf(" %d", (int)json_integer_value(json_array_get(want, i)));
    printf("\n");
}

static inline bool same_ids(const sc_ids *v, const json_t *want)
{
    bool same = v->n == json_array_size(want);
    for (size_t i = 0; same && i < v->n; i++)
        same = v->p[i] == json_integer_value(json_array_get(want, i));
    return same;
}

static inline void ids_of(const json_t *list, sc_ids *out)
{
    out->n = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!sc_ids_add(out, (int32_t)json_integer_value(json_array_get(list, i))))
            abort();
}

/** Counts, and shows the first few differences of a tally. */
static inline bool count(tally *t, bool same)
{
    if (same)
        t->good++;
    else
        t->bad++;
    return !same && t->bad <= 3;
}

#endif
