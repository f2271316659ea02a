// SPDX-License-Identifier: MIT
#include "t.h"

#include "box/wire.h"
#include "raw.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct ends {
    int a, b;
} ends;

static ends open_pair(void)
{
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == 0);
    return (ends){fd[0], fd[1]};
}

static void close_pair(ends e)
{
    (void)close(e.a);
    (void)close(e.b);
}

static void send_raw(int fd, const void *bytes, size_t n, int file)
{
    CHECK(raw_send(fd, bytes, n, file) == (ssize_t)n);
}

static int file_of(size_t size)
{
    const int fd = memfd_create("t", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    return fd;
}

/* What is refused, and what the refusal says. */
static void refused(const void *bytes, size_t n, int file, const char *says)
{
    const ends e = open_pair();
    send_raw(e.a, bytes, n, file);
    SC_AUTO(sc_wire_in) in = {0};
    sc_err err = {0};
    CHECK_CODE(SC_E_FORMAT, sc_wire_recv(e.b, &in, &err), &err);
    if (!strstr(err.msg, says))
        print_error("\"%s\" does not say \"%s\"\n", err.msg, says);
    CHECK(strstr(err.msg, says));
    close_pair(e);
}

static sc_wire_msg message(void)
{
    return (sc_wire_msg){.type = SC_WIRE_RUN, .version = SC_WIRE_VERSION, .cpu_us = 77};
}

TEST(what_is_sent_arrives_with_its_texts_and_descriptors)
{
    UNUSED;
    static char large[200000];
    memset(large, 'x', sizeof large);
    const sc_str third[] = {SC_STR(""), {large, SC_WIRE_INLINE - 4}, {large, sizeof large}};
    for (size_t i = 0; i < SC_LEN(third); i++) { // inline, just inline, in a memory file
        const ends e = open_pair();
        const sc_str texts[] = {SC_STR("abc"), SC_STR("d"), third[i]};
        const int fds[] = {e.a, e.b};
        sc_err err = {0};
        CHECK_OK(sc_wire_send(e.a, message(), texts, SC_LEN(texts), fds, 2, &err), &err);
        SC_AUTO(sc_wire_in) in = {0};
        CHECK_OK(sc_wire_recv(e.b, &in, &err), &err);
        CHECK(in.m.type == SC_WIRE_RUN && in.m.cpu_us == 77);
        for (size_t k = 0; k < SC_LEN(texts); k++)
            CHECK(sc_str_eq(in.text[k], texts[k]));
        CHECK(in.text[3].n == 0);
        const int taken = sc_wire_take_fd(&in, 1);
        CHECK(taken >= 0 && sc_wire_take_fd(&in, 1) == -1 && sc_wire_take_fd(&in, 9) == -1);
        (void)close(taken);
        close_pair(e);
    }
}

TEST(every_truncation_is_refused)
{
    UNUSED;
    struct whole {
        sc_wire_msg m;
        char text[5];
    } whole = {message(), "abcd"};
    whole.m.text[0] = 5;
    const size_t n = offsetof(struct whole, text) + 5;
    for (size_t i = 1; i < n; i++)
        refused(&whole, i, -1, i < sizeof whole.m ? "different versions" : "wrong length");
    const ends e = open_pair();
    SC_AUTO(sc_wire_in) in = {0};
    sc_err err = {0};
    (void)close(e.a);
    CHECK_CODE(SC_E_INTERRUPTED, sc_wire_recv(e.b, &in, &err), &err);
    (void)close(e.b);
}

TEST(sizes_that_wrap_or_are_too_large_are_refused)
{
    UNUSED;
    sc_wire_msg m = message();
    m.text[0] = m.text[1] = UINT64_MAX / 2 + 1; // together 0
    refused(&m, sizeof m, -1, "a message with texts of 18446744073709551615 bytes");
    m.text[0] = UINT64_MAX;
    m.text[1] = 0;
    refused(&m, sizeof m, -1, "a message with texts of");
    m.text[0] = SC_WIRE_INLINE + 1;
    refused(&m, sizeof m, -1, "a message with texts of 60001 bytes");
    m.apart = 1;
    m.text[0] = (uint64_t)SC_WIRE_MAX_TEXT + 1;
    refused(&m, sizeof m, -1, "a message with texts of");
    m.text[0] = 100;
    refused(&m, sizeof m, -1, "without its memory file");
    int file = file_of(99);
    refused(&m, sizeof m, file, "without its memory file");
    (void)close(file);
    m.version++;
    refused(&m, sizeof m, -1, "different versions");
}

TEST(every_failed_allocation_is_an_error)
{
    UNUSED;
    for (long nth = 1;; nth++) {
        const ends e = open_pair();
        const sc_str text = SC_STR("abc");
        sc_err err = {0};
        CHECK_OK(sc_wire_send(e.a, message(), &text, 1, NULL, 0, &err), &err);
        SC_AUTO(sc_wire_in) in = {0};
        sc_alloc_fail_at(nth);
        const sc_code code = sc_wire_recv(e.b, &in, &err);
        sc_alloc_fail_at(0);
        close_pair(e);
        if (code == SC_OK) {
            CHECK(nth > 1);
            return;
        }
        CHECK(code == SC_E_NOMEM);
    }
}

TEST(descriptors_that_nobody_takes_are_closed)
{
    UNUSED;
    const ends e = open_pair();
    int file = file_of(1);
    for (int i = 0; i < 2000; i++) { // more than a process may have open
        sc_err err = {0};
        const int fds[] = {file, file, file};
        CHECK_OK(sc_wire_send(e.a, message(), NULL, 0, fds, 3, &err), &err);
        SC_AUTO(sc_wire_in) in = {0};
        CHECK_OK(sc_wire_recv(e.b, &in, &err), &err);
        CHECK(in.n_fds == 3);
    }
    (void)close(file);
    close_pair(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_sent_arrives_with_its_texts_and_descriptors),
        T(every_truncation_is_refused),
        T(sizes_that_wrap_or_are_too_large_are_refused),
        T(every_failed_allocation_is_an_error),
        T(descriptors_that_nobody_takes_are_closed),
    };
    return RUN_TESTS(tests);
}
