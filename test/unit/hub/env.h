/**
 * env.h - an environment made of a table, and a scratch folder, for the tests of hub/.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_HUB_ENV_H
#define SC_TEST_HUB_ENV_H

#include "base/file.h"
#include "hub/places.h"
#include "t.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct var {
    const char *name, *value;
} var;

static inline const char *var_get(void *ctx, const char *name)
{
    for (const var *v = ctx; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v->value;
    return NULL;
}

/** The environment of `vars`, an array that ends with a NULL name. */
static inline sc_hub_env env_of(var *vars)
{
    return (sc_hub_env){var_get, vars};
}

/** A scratch folder of its own for each test; the path stays valid until the next call. */
static inline const char *scratch(void)
{
    static char dir[SCRATCH];
    assert_non_null(mkdtemp(scratch_path(dir)));
    return dir;
}

/** Writes a file below `dir`, with the folders above it. */
static inline void put(const char *dir, const char *name, const char *text)
{
    sc_err err = {0};
    char *path = sc_path_join(dir, name);
    CHECK(path);
    char *parent = sc_path_dir(path);
    CHECK(parent);
    CHECK_OK(sc_file_make_dirs(parent, &err), &err);
    CHECK_OK(sc_file_write(path, sc_str_c(text), &err), &err);
    sc_free(parent);
    sc_free(path);
}

#define COMMIT  "0123456789abcdef0123456789abcdef01234567"
#define COMMIT2 "89abcdef0123456789abcdef0123456789abcdef"

#endif
