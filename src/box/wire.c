// SPDX-License-Identifier: MIT
#include "box/wire.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void sc_wire_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); // sockets, pipes and pidfds: nothing to lose
    *fd = -1;
}

sc_code sc_wire_pair(int kind, int pair[2], sc_err *err)
{
    if (socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, pair))
        return sc_fail_sys(err, SC_E_IO, errno, "socketpair: %s", strerror(errno));
    return SC_OK;
}

static sc_code write_all(int fd, sc_str s, sc_err *err)
{
    while (s.n) {
        const ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return sc_fail_sys(err, SC_E_IO, errno, "cannot fill a memory file: %s",
                               strerror(errno));
        s = sc_str_skip(s, (size_t)n);
    }
    return SC_OK;
}

/* A sealed memory file that holds the texts one behind the other. */
static sc_code memory_file(const sc_str *texts, size_t n, int *out, sc_err *err)
{
    const int fd = memfd_create("texts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "memfd_create: %s", strerror(errno));
    for (size_t i = 0; i < n; i++) {
        const sc_code code = write_all(fd, texts[i], err);
        if (code != SC_OK) {
            (void)close(fd); // only memory
            return code;
        }
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)) {
        const int e = errno;
        (void)close(fd); // only memory
        return sc_fail_sys(err, SC_E_IO, e, "cannot seal a memory file: %s", strerror(e));
    }
    *out = fd;
    return SC_OK;
}

sc_code sc_wire_file(sc_str text, int *out, sc_err *err)
{
    int fd = -1;
    SC_TRY(memory_file(&text, 1, &fd, err));
    if (lseek(fd, 0, SEEK_SET) < 0) {
        const int e = errno;
        (void)close(fd); // only memory
        return sc_fail_sys(err, SC_E_IO, e, "a memory file: %s", strerror(e));
    }
    *out = fd;
    return SC_OK;
}

static sc_code send_parts(int fd, struct iovec *part, size_t n_parts, const int *fds, size_t n_fds,
                          sc_err *err)
{
    union {
        char space[CMSG_SPACE(SC_WIRE_MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr h = {.msg_iov = part, .msg_iovlen = n_parts};
    if (n_fds) {
        h.msg_control = control.space;
        h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        assert(c); // there is room for it
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    ssize_t n = 0;
    do
        n = sendmsg(fd, &h, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "the other end of a box is gone: %s",
                           strerror(errno));
    return SC_OK;
}

sc_code sc_wire_send(int fd, sc_wire_msg m, const sc_str *texts, size_t n_texts, const int *fds,
                     size_t n_fds, sc_err *err)
{
    assert(n_texts <= SC_WIRE_MAX_TEXTS && n_fds < SC_WIRE_MAX_FDS);
    struct iovec part[1 + SC_WIRE_MAX_TEXTS] = {{&m, sizeof m}};
    size_t total = 0;
    for (size_t i = 0; i < n_texts; i++) {
        if (!sc_add_size(total, texts[i].n, &total) || total > SC_WIRE_MAX_TEXT)
            return sc_fail(err, SC_E_LIMIT, "a program and its tests longer than %d MiB",
                           SC_WIRE_MAX_TEXT >> 20);
        m.text[i] = texts[i].n;
        // sendmsg only reads it.
        part[1 + i] = (struct iovec){(void *)(uintptr_t)texts[i].p, texts[i].n};
    }
    m.version = SC_WIRE_VERSION;
    if (total <= SC_WIRE_INLINE)
        return send_parts(fd, part, 1 + n_texts, fds, n_fds, err);

    int all[SC_WIRE_MAX_FDS] = {0};
    if (n_fds)
        memcpy(all, fds, n_fds * sizeof *fds);
    SC_TRY(memory_file(texts, n_texts, &all[n_fds], err));
    m.apart = 1;
    const sc_code code = send_parts(fd, part, 1, all, n_fds + 1, err);
    (void)close(all[n_fds]); // the receiver has its own
    return code;
}

static void take_descriptors(struct msghdr *h, sc_wire_in *in)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n && in->n_fds < SC_WIRE_MAX_FDS; i++)
            memcpy(&in->fd[in->n_fds++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
}

/* Maps the memory file of the texts, the last descriptor of the message. */
static sc_code map_texts(sc_wire_in *in, size_t total, sc_err *err)
{
    struct stat st;
    const int fd = in->n_fds ? in->fd[in->n_fds - 1] : -1;
    if (fd < 0 || fstat(fd, &st) || (uint64_t)st.st_size != total)
        return sc_fail(err, SC_E_FORMAT, "a message without its memory file");
    void *map = mmap(NULL, total, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return sc_fail_sys(err, SC_E_IO, errno, "mmap: %s", strerror(errno));
    in->map = map;
    in->map_size = total;
    return SC_OK;
}

/* One recvmsg into `part`; *n is the length of the message. */
static sc_code receive(int fd, struct iovec *part, size_t n_parts, int flags, sc_wire_in *in,
                       size_t *n, sc_err *err)
{
    union {
        char space[CMSG_SPACE(SC_WIRE_MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr h = {.msg_iov = part, .msg_iovlen = n_parts};
    if (in) {
        h.msg_control = control.space;
        h.msg_controllen = sizeof control.space;
    }
    ssize_t got = 0;
    do
        got = recvmsg(fd, &h, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "recvmsg: %s", strerror(errno));
    if (got == 0)
        return sc_fail(err, SC_E_INTERRUPTED, "the other end closed its socket");
    if (in)
        take_descriptors(&h, in);
    *n = (size_t)got;
    return SC_OK;
}

sc_code sc_wire_recv(int fd, sc_wire_in *in, sc_err *err)
{
    *in = (sc_wire_in){.fd = {-1, -1, -1, -1, -1, -1}};
    struct iovec part[2] = {{&in->m, sizeof in->m}};
    size_t n = 0;
    // A look at the struct first: it says how much room its texts need.
    SC_TRY(receive(fd, part, 1, MSG_PEEK, NULL, &n, err));
    size_t total = 0;
    for (size_t i = 0; i < SC_WIRE_MAX_TEXTS; i++)
        if (!sc_add_size(total, (size_t)in->m.text[i], &total))
            total = SIZE_MAX;
    if (n < sizeof in->m || in->m.version != SC_WIRE_VERSION)
        return sc_fail(err, SC_E_FORMAT, "scbench and scbench-guest are of different versions");
    if (total > (in->m.apart ? SC_WIRE_MAX_TEXT : SC_WIRE_INLINE))
        return sc_fail(err, SC_E_FORMAT, "a message with texts of %zu bytes", total);
    const size_t here = in->m.apart ? 0 : total;
    in->bytes = sc_alloc(here + 1, 1);
    if (!in->bytes)
        return sc_fail_nomem(err);
    in->n_bytes = here;
    part[1] = (struct iovec){in->bytes, here + 1};
    SC_TRY(receive(fd, part, 2, 0, in, &n, err));
    if (n != sizeof in->m + here)
        return sc_fail(err, SC_E_FORMAT, "a message of the wrong length");
    if (in->m.apart)
        SC_TRY(map_texts(in, total, err));
    const char *p = in->m.apart ? in->map : in->bytes;
    for (size_t i = 0; i < SC_WIRE_MAX_TEXTS; i++) {
        in->text[i] = (sc_str){p, (size_t)in->m.text[i]};
        p += in->m.text[i];
    }
    return SC_OK;
}

int sc_wire_take_fd(sc_wire_in *in, size_t i)
{
    if (i >= in->n_fds)
        return -1;
    const int fd = in->fd[i];
    in->fd[i] = -1;
    return fd;
}

void sc_wire_drop(sc_wire_in *in)
{
    for (size_t i = 0; i < SC_WIRE_MAX_FDS; i++)
        if (in->fd[i] >= 0 && i < in->n_fds)
            (void)close(in->fd[i]); // a socket, pipe or pidfd: nothing to lose
    if (in->map)
        (void)munmap(in->map, in->map_size); // cannot fail for our own mapping
    // What one sample was must not lie in the memory that the next one inherits.
    if (in->bytes)
        explicit_bzero(in->bytes, in->n_bytes);
    sc_free(in->bytes);
    *in = (sc_wire_in){.fd = {-1, -1, -1, -1, -1, -1}};
}
