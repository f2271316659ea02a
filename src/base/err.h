/**
 * err.h - the error: a plain struct on the caller's stack.
 *
 * Raising one cannot fail and leaks nothing. The innermost function says what is wrong; each caller
 * that knows *which* puts it in front with SC_TRY_IN. On failure no out parameter is touched, on
 * success the error is not touched.
 *
 * Threads: one thread at a time per error.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_ERR_H
#define SC_BASE_ERR_H

#include "base/attr.h"

#include <stdarg.h>
#include <stdint.h>

/** What a caller may branch on; everything else is text. */
typedef enum sc_code {
    SC_OK = 0,
    SC_E_NOMEM,       // out of memory
    SC_E_IO,          // the system refused; err->sys is the errno
    SC_E_FORMAT,      // bytes from outside are not what they should be; err->at is the byte
    SC_E_UNSUPPORTED, // well-formed, but something this program does not do
    SC_E_NOTFOUND,    // absent
    SC_E_USAGE,       // the user asked for something that makes no sense
    SC_E_LIMIT,       // a size, count or budget is exceeded
    SC_E_INTERRUPTED, // stopped on request
    SC_E_NET,         // a remote server failed; err->sys is the HTTP status, or 0
    SC_E_SANDBOX,     // a lock that was asked for does not hold
} sc_code;

enum { SC_ERR_MSG_SIZE = 512 };

/** err->at when there is no byte to point at. */
#define SC_NOWHERE UINT64_MAX

typedef struct sc_err {
    sc_code code;
    int sys;                   // errno, CUDA error or HTTP status behind it; 0: none
    uint64_t at;               // byte offset in the input, or SC_NOWHERE
    const char *where;         // "src/fmt/gguf.c:118": where it was first raised; a literal
    char msg[SC_ERR_MSG_SIZE]; // one line, outermost context first, always terminated
} sc_err;

#define SC_HERE_STR_(x) #x
#define SC_HERE_STR(x)  SC_HERE_STR_(x)
#define SC_HERE         (__FILE__ ":" SC_HERE_STR(__LINE__))

/** Raises an error and yields `code`: `return sc_fail(err, SC_E_FORMAT, "...", ...);` */
#define sc_fail(err, code, ...) sc_fail_at((err), (code), SC_NOWHERE, __VA_ARGS__)

/** Raises an error about the byte at offset `at` of the input; the message gets "(byte N)". */
#define sc_fail_at(err, code, at, ...)                                                             \
    (sc_raise((err), SC_HERE, (code), 0, (at), __VA_ARGS__), (code))

/** Raises an error with the system number `sys` (an errno, an HTTP status) behind it. */
#define sc_fail_sys(err, code, sys, ...)                                                           \
    (sc_raise((err), SC_HERE, (code), (sys), SC_NOWHERE, __VA_ARGS__), (code))

/** Raises SC_E_NOMEM. */
#define sc_fail_nomem(err) sc_fail((err), SC_E_NOMEM, "out of memory")

/** Returns from the caller when `call` fails. */
#define SC_TRY(call)                                                                               \
    do {                                                                                           \
        const sc_code try_ = (call);                                                               \
        if (try_ != SC_OK)                                                                         \
            return try_;                                                                           \
    } while (0)

/** As SC_TRY, and puts "context: " in front of the message on the way out. */
#define SC_TRY_IN(call, err, ...)                                                                  \
    do {                                                                                           \
        const sc_code try_ = (call);                                                               \
        if (try_ != SC_OK) {                                                                       \
            sc_within((err), __VA_ARGS__);                                                         \
            return try_;                                                                           \
        }                                                                                          \
    } while (0)

/**
 * Fills *err. Control characters in the message are replaced by '?', so it stays one line and
 * cannot drive a terminal. Use the macros above.
 */
void sc_raise(sc_err *err, const char *where, sc_code code, int sys, uint64_t at, const char *fmt,
              ...) SC_PRINTF(6, 7);

/** Puts "context: " in front of err->msg; a message that grows too long loses its tail. */
void sc_within(sc_err *err, const char *fmt, ...) SC_PRINTF(2, 3);

/** The name of `code` as a user reads it: "format", "io", ... Never NULL. */
const char *sc_code_name(sc_code code);

#endif
