/**
 * data.h - the files of test/data for the tests of fmt.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_FMT_DATA_H
#define SC_TEST_FMT_DATA_H

#include "base/buf.h"
#include "base/file.h"
#include "t.h"

/* The path of test/data/NAME; on the heap. */
static inline char *data_path(const char *name)
{
    const char *source = getenv("SC_SOURCE");
    SC_AUTO(sc_buf) b = sc_buf_init(4096);
    sc_buf_addf(&b, "%s/test/data/%s", source ? source : ".", name);
    char *path = sc_buf_take(&b);
    CHECK(path);
    return path;
}

/* The bytes of test/data/NAME as an exact block, so that a sanitizer sees every read past the end.
 */
static inline uint8_t *data_read(const char *name, size_t *size)
{
    sc_err err = {0};
    SC_AUTO(sc_buf) b = sc_buf_init(0);
    char *path = data_path(name);
    CHECK_OK(sc_file_read(path, 16u << 20, &b, &err), &err);
    sc_free(path);
    uint8_t *copy = sc_alloc(b.n, 1);
    CHECK(copy);
    memcpy(copy, sc_buf_text(&b), b.n);
    *size = b.n;
    return copy;
}

#endif
