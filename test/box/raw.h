/**
 * raw.h - a message on a socket as a hostile peer could send it, for tests of box/wire.
 *
 * Threads: pure functions.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_BOX_RAW_H
#define SC_TEST_BOX_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

/** Sends the bytes, with `file` (-1: none) as a descriptor beside them; what sendmsg says. */
static inline ssize_t raw_send(int fd, const void *bytes, size_t size, int file)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size}; // only read
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr h = {.msg_iov = &part, .msg_iovlen = 1};
    if (file >= 0) {
        h.msg_control = control.space;
        h.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &file, sizeof file);
    }
    return sendmsg(fd, &h, MSG_DONTWAIT);
}

#endif
