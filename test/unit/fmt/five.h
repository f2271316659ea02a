/**
 * five.h - the tests that every parser has: a good file, every truncation, sizes that wrap, every
 * failed allocation, and that an error says where. The parser and its files are arguments.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_FMT_FIVE_H
#define SC_TEST_FMT_FIVE_H

#include "t.h"

/** Parses and throws the result away; the bytes are an exact block. */
typedef sc_code parse_fn(const uint8_t *bytes, size_t size, sc_err *err);

/* As `parse`, over a copy that ends where it ends, so that a sanitizer sees every read past it. */
static inline sc_code parse_copy(parse_fn *parse, const uint8_t *bytes, size_t size, sc_err *err)
{
    uint8_t *copy = sc_alloc(size ? size : 1, 1);
    CHECK(copy);
    memcpy(copy, bytes, size);
    const sc_code code = parse(copy, size, err);
    sc_free(copy);
    return code;
}

/** No beginning of the file is taken for a file, and the place of the error lies in it. */
static inline void refuse_truncations(parse_fn *parse, const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    CHECK_OK(parse_copy(parse, bytes, size, &err), &err);
    for (size_t cut = 0; cut < size; cut++) {
        err = (sc_err){0};
        const sc_code code = parse_copy(parse, bytes, cut, &err);
        if (code == SC_OK || !err.msg[0] || (err.at != SC_NOWHERE && err.at > cut))
            fail_msg("cut to %zu of %zu: %s: %s", cut, size, sc_code_name(code), err.msg);
    }
}

/** Each allocation fails once: the parser says so and gives everything back. */
static inline void survive_allocations(parse_fn *parse, const uint8_t *bytes, size_t size)
{
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        sc_alloc_fail_at(++nth);
        code = parse(bytes, size, &err);
        sc_alloc_fail_at(0);
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %ld: %s: %s", nth, sc_code_name(code), err.msg);
        CHECK(nth < 100000);
    }
    CHECK(nth > 1);
}

/** A byte, a number in its place, and what the error then says. */
typedef struct edit {
    size_t at;
    unsigned bytes;
    uint64_t value;
    const char *says; // NULL: any text
} edit;

/** Each change alone makes the file one that is refused, with its text, inside the file. */
static inline void refuse_edits(parse_fn *parse, const uint8_t *bytes, size_t size, const edit *e,
                                size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = sc_alloc(size, 1);
        CHECK(copy && e[i].at + e[i].bytes <= size);
        memcpy(copy, bytes, size);
        for (unsigned b = 0; b < e[i].bytes; b++)
            copy[e[i].at + b] = (uint8_t)(e[i].value >> (8 * b));
        sc_err err = {0};
        const sc_code code = parse(copy, size, &err);
        if (code == SC_OK || (e[i].says && !strstr(err.msg, e[i].says)) ||
            (err.at != SC_NOWHERE && err.at > size))
            fail_msg("edit %zu at %zu: %s: %s (byte %llu)", i, e[i].at, sc_code_name(code), err.msg,
                     (unsigned long long)err.at);
        sc_free(copy);
    }
}

/* Where `what` stands in the file. */
static inline size_t place_of(const uint8_t *bytes, size_t size, const void *what, size_t n)
{
    const uint8_t *p = memmem(bytes, size, what, n);
    CHECK(p);
    return (size_t)(p - bytes);
}

#endif
