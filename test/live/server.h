/**
 * server.h - a real HTTP/1.1 server on loopback for tests: sockets, a thread a connection.
 *
 * It knows nothing of what it serves: the test's function sees each request and writes the bytes of
 * the answer itself, so it can also write wrong ones.
 *
 * Threads: the function runs on many threads at once; srv_start and srv_stop on one.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_LIVE_SERVER_H
#define SC_TEST_LIVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct srv srv;

typedef struct srv_req {
    char method[16];
    char target[2048]; // as sent, still escaped
    char head[8192];   // header lines, each ended by "\r\n"
    char body[8192];
    size_t n_body;
    bool has_range;
    uint64_t from, to; // of "Range: bytes=from-to"; to is UINT64_MAX when left out
} srv_req;

/** Writes the answer to `fd`; false closes the connection. */
typedef bool srv_fn(void *ctx, const srv_req *req, int fd);

/** Starts on a free port; aborts when it cannot. */
srv *srv_start(srv_fn *fn, void *ctx);
unsigned srv_port(const srv *s);
/** How many connections were made. */
unsigned srv_connections(const srv *s);
/** Cuts what is open, waits for the threads, frees. */
void srv_stop(srv *s);

/** Copies the value of a header into out[size]; false when there is none. */
bool srv_header(const srv_req *req, const char *name, char *out, size_t size);

/** Writes all bytes; false when the client is gone. */
bool srv_write(int fd, const void *bytes, size_t n);
bool srv_printf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** A whole plain answer with a Content-Length; `extra` is header lines, each ended by "\r\n". */
bool srv_answer(int fd, int status, const char *extra, const char *body);

/** Waits until the client hangs up, at most `ms`. */
void srv_wait_for_hangup(int fd, int ms);

#endif
