// SPDX-License-Identifier: MIT
#include "server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNS = 512 };

typedef struct conn {
    srv *server;
    pthread_t thread;
    int fd; // closed by srv_stop, so that its number is not reused meanwhile
} conn;

struct srv {
    srv_fn *fn;
    void *ctx;
    int listener;
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock;
    conn conns[MAX_CONNS];
    unsigned n_conns;
    atomic_bool stopping;
};

bool srv_write(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n) {
        const ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

bool srv_printf(int fd, const char *fmt, ...)
{
    char text[8192];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof text);
    return srv_write(fd, text, (size_t)n);
}

bool srv_answer(int fd, int status, const char *extra, const char *body)
{
    return srv_printf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body),
                      extra) &&
           srv_write(fd, body, strlen(body));
}

void srv_wait_for_hangup(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    (void)poll(&p, 1, ms); // either way the test goes on
}

bool srv_header(const srv_req *req, const char *name, char *out, size_t size)
{
    const size_t n = strlen(name);
    for (const char *line = req->head; *line;) {
        const size_t len = strcspn(line, "\r");
        if (len > n && strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *v = line + n + 1 + strspn(line + n + 1, " ");
            (void)snprintf(out, size, "%.*s", (int)(line + len - v), v);
            return true;
        }
        line += len + (line[len] ? 2 : 0);
    }
    return false;
}

/* Reads up to the empty line; leaves what came behind it in the body. */
static bool read_head(int fd, srv_req *req, char *text, size_t size)
{
    size_t n = 0;
    char *end = NULL;
    while (!end) {
        if (n + 1 >= size)
            return false;
        const ssize_t k = recv(fd, text + n, size - 1 - n, 0);
        if (k <= 0)
            return false;
        n += (size_t)k;
        text[n] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    char *line_end = strstr(text, "\r\n");
    if (sscanf(text, "%15s %2047s", req->method, req->target) != 2)
        return false;
    (void)snprintf(req->head, sizeof req->head, "%.*s", (int)(end + 2 - (line_end + 2)),
                   line_end + 2);
    req->n_body = (size_t)(text + n - (end + 4));
    if (req->n_body > sizeof req->body)
        return false;
    memcpy(req->body, end + 4, req->n_body);
    return true;
}

static bool read_request(int fd, srv_req *req)
{
    char text[16384], value[64];
    *req = (srv_req){0};
    if (!read_head(fd, req, text, sizeof text))
        return false;
    size_t want = 0;
    if (srv_header(req, "Content-Length", value, sizeof value))
        want = (size_t)strtoull(value, NULL, 10);
    while (req->n_body < want && want <= sizeof req->body) {
        const ssize_t k = recv(fd, req->body + req->n_body, want - req->n_body, 0);
        if (k <= 0)
            return false;
        req->n_body += (size_t)k;
    }
    if (srv_header(req, "Range", value, sizeof value)) {
        char *rest = NULL;
        req->has_range = strncmp(value, "bytes=", 6) == 0;
        req->from = strtoull(value + 6, &rest, 10);
        req->to = rest[0] == '-' && rest[1] ? strtoull(rest + 1, NULL, 10) : UINT64_MAX;
    }
    return true;
}

static void *serve(void *arg)
{
    conn *c = arg;
    srv_req *req = calloc(1, sizeof *req);
    assert(req);
    while (read_request(c->fd, req) && c->server->fn(c->server->ctx, req, c->fd)) {
    }
    (void)shutdown(c->fd, SHUT_RDWR); // the client may be gone already
    free(req);
    return NULL;
}

static void *accept_all(void *arg)
{
    srv *s = arg;
    for (;;) {
        const int fd = accept(s->listener, NULL, NULL);
        if (fd < 0 || atomic_load(&s->stopping)) {
            if (fd >= 0)
                (void)close(fd);
            return NULL;
        }
        // Without it the second write of an answer waits for the client's delayed acknowledgement.
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        (void)pthread_mutex_lock(&s->lock);
        assert(s->n_conns < MAX_CONNS);
        conn *c = &s->conns[s->n_conns++];
        *c = (conn){.server = s, .fd = fd};
        assert(pthread_create(&c->thread, NULL, serve, c) == 0);
        (void)pthread_mutex_unlock(&s->lock);
    }
}

srv *srv_start(srv_fn *fn, void *ctx)
{
    srv *s = calloc(1, sizeof *s);
    assert(s);
    s->fn = fn;
    s->ctx = ctx;
    (void)pthread_mutex_init(&s->lock, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const bool ok = s->listener >= 0 && bind(s->listener, (void *)&at, sizeof at) == 0 &&
                    listen(s->listener, 64) == 0 &&
                    getsockname(s->listener, (void *)&at, &size) == 0 &&
                    pthread_create(&s->thread, NULL, accept_all, s) == 0;
    if (!ok)
        abort();
    s->port = ntohs(at.sin_port);
    return s;
}

unsigned srv_port(const srv *s)
{
    return s->port;
}

unsigned srv_connections(const srv *s)
{
    return s->n_conns;
}

void srv_stop(srv *s)
{
    atomic_store(&s->stopping, true);
    (void)shutdown(s->listener, SHUT_RDWR); // wakes accept
    (void)pthread_join(s->thread, NULL);
    for (unsigned i = 0; i < s->n_conns; i++)
        (void)shutdown(s->conns[i].fd, SHUT_RDWR); // wakes its reader
    for (unsigned i = 0; i < s->n_conns; i++) {
        (void)pthread_join(s->conns[i].thread, NULL);
        (void)close(s->conns[i].fd);
    }
    (void)close(s->listener);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
