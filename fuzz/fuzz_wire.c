// SPDX-License-Identifier: MIT
#include "../test/box/raw.h"
#include "box/wire.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The first byte: length of the memory file's text, 0 for none; then the message. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int pair[2];
    if (!size || size > 100000 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return 0;
    int file = bytes[0] ? memfd_create("texts", MFD_CLOEXEC) : -1;
    if (file >= 0 && ftruncate(file, bytes[0]))
        abort();
    (void)!raw_send(pair[0], bytes + 1, size - 1, file); // too long: then nothing comes
    if (file >= 0)
        (void)close(file); // the message has its own
    (void)close(pair[0]);  // the end of the stream follows the message
    SC_AUTO(sc_wire_in) in = {0};
    sc_err err = {0};
    if (sc_wire_recv(pair[1], &in, &err) == SC_OK) {
        size_t sum = 0;
        for (size_t i = 0; i < SC_WIRE_MAX_TEXTS; i++)
            for (size_t k = 0; k < in.text[i].n; k++)
                sum += (unsigned char)in.text[i].p[k]; // every byte may be read
        if (sum == SIZE_MAX || in.n_fds > SC_WIRE_MAX_FDS)
            abort();
    } else if (err.code == SC_OK || !err.msg[0]) {
        abort();
    }
    (void)close(pair[1]); // nothing to lose
    return 0;
}
