// SPDX-License-Identifier: MIT
#include "guest/link.h"

#include "box/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEAD = 5 };

void sc_link_init(sc_link *l, int fd)
{
    l->fd = fd;
    l->broken = false;
    l->have = 0;
    l->at = 0;
}

bool sc_link_send(sc_link *l, char kind, sc_str body)
{
    char head[HEAD];
    const uint32_t n = (uint32_t)body.n;
    memcpy(head, &n, sizeof n);
    head[4] = kind;
    // sendmsg only reads the body.
    struct iovec part[2] = {{head, HEAD}, {(void *)(uintptr_t)body.p, body.n}};
    size_t left = HEAD + body.n, first = 0;
    while (left && !l->broken) {
        struct msghdr h = {.msg_iov = part + first, .msg_iovlen = 2 - first};
        const ssize_t sent = sendmsg(l->fd, &h, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) {
            l->broken = true;
            break;
        }
        left -= (size_t)sent;
        for (size_t done = (size_t)sent; done;) {
            const size_t here = done < part[first].iov_len ? done : part[first].iov_len;
            part[first].iov_base = (char *)part[first].iov_base + here;
            part[first].iov_len -= here;
            done -= here;
            if (!part[first].iov_len && first == 0)
                first = 1;
        }
    }
    return !l->broken;
}

/* The next bytes from what was read ahead or from the socket; false at the end. */
static bool take(sc_link *l, char *out, size_t n)
{
    while (n && !l->broken) {
        if (l->at < l->have) {
            const size_t here = n < l->have - l->at ? n : l->have - l->at;
            memcpy(out, l->ahead + l->at, here);
            l->at += here;
            out += here;
            n -= here;
            continue;
        }
        // Long bodies go where they belong, short ones through the room for reading ahead.
        const bool direct = n >= sizeof l->ahead;
        const ssize_t got = recv(l->fd, direct ? out : l->ahead, direct ? n : sizeof l->ahead, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            l->broken = true;
        } else if (direct) {
            out += got;
            n -= (size_t)got;
        } else {
            l->have = (size_t)got;
            l->at = 0;
        }
    }
    return !l->broken;
}

bool sc_link_recv(sc_link *l, char *kind, sc_buf *body)
{
    char head[HEAD];
    sc_buf_clear(body);
    if (!take(l, head, HEAD))
        return false;
    uint32_t n = 0;
    memcpy(&n, head, sizeof n);
    *kind = head[4];
    if (n > SC_WIRE_FRAME_MAX) {
        l->broken = true;
        return false;
    }
    // Room grows with what arrives, so a length alone allocates little.
    char block[8192];
    while (n) {
        const size_t here = n < sizeof block ? n : sizeof block;
        if (!take(l, block, here))
            return false;
        sc_buf_add(body, block, here);
        n -= (uint32_t)here;
    }
    if (!sc_buf_ok(body))
        l->broken = true;
    return !l->broken;
}
