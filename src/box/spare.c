// SPDX-License-Identifier: MIT
#include "box/spare.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINK_HEAD = 5 }; // guest/link.h: length, kind

/* Both ends of everything: [0] is ours. */
static sc_code open_ends(int control[2], int output[2], int link[2], sc_err *err)
{
    if (pipe2(output, O_CLOEXEC) || fcntl(output[0], F_SETFL, O_NONBLOCK))
        return sc_fail_sys(err, SC_E_IO, errno, "pipe: %s", strerror(errno));
    SC_TRY(sc_wire_pair(SOCK_STREAM, link, err));
    return sc_wire_pair(SOCK_SEQPACKET, control, err);
}

sc_code sc_spare_ask(int zygote, uint32_t serial, bool touch, const sc_wire_limits *l,
                     sc_spare *out, sc_err *err)
{
    int control[2] = {-1, -1}, output[2] = {-1, -1}, link[2] = {-1, -1};
    sc_code code = open_ends(control, output, link, err);
    if (code == SC_OK) {
        const sc_wire_msg m = {.type = SC_WIRE_FORK,
                               .serial = serial,
                               .flags = touch ? SC_FORK_TOUCH : 0,
                               .limits = *l};
        const int fds[] = {control[1], output[1], link[1]};
        code = sc_wire_send(zygote, m, NULL, 0, fds, SC_LEN(fds), err);
    }
    sc_wire_close(&control[1]); // what was sent the zygote has
    sc_wire_close(&output[1]);
    sc_wire_close(&link[1]);
    *out = (sc_spare){serial, -1, control[0], output[0], link[0], *l};
    if (code != SC_OK)
        sc_spare_drop(out);
    return code;
}

bool sc_spare_fits(const sc_spare *s, const sc_wire_limits *l)
{
    const sc_wire_limits *own = &s->limits;
    return own->memory == l->memory && own->disk == l->disk && own->output == l->output &&
           own->cpu_s == l->cpu_s && own->tasks == l->tasks && own->inodes == l->inodes &&
           own->files == l->files && own->hash_seed == l->hash_seed;
}

bool sc_spare_refused(const sc_spare *s, char *text, size_t size)
{
    char frame[512];
    const ssize_t n = recv(s->link, frame, sizeof frame, MSG_DONTWAIT);
    if (n <= LINK_HEAD || frame[LINK_HEAD - 1] != 'J')
        return false;
    (void)snprintf(text, size, "%.*s", (int)(n - LINK_HEAD), frame + LINK_HEAD); // may be cut
    return true;
}

void sc_spare_drop(sc_spare *s)
{
    if (s->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0); // gone already: as good
    sc_wire_close(&s->pidfd);
    sc_wire_close(&s->control); // one that is not forked yet ends when it finds this closed
    sc_wire_close(&s->output);
    sc_wire_close(&s->link);
    s->serial = 0;
}
