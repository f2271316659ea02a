/* scbench-guest: the program inside a box. Started by the supervisor alone; see box/wire.h. */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "box/level.h"
#include "box/wire.h"
#include "guest/checker.h"
#include "guest/huge.h"
#include "guest/jail.h"
#include "guest/py.h"
#include "guest/sample.h"
#include "guest/touch.h"
#include "guest/wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CONTROL_FD = 4,    // where a sample gets its program
    FIRST_FREE_FD = 4, // of a sample that runs, and of the checker
    AT_ONCE_MS = 1,    // programs handed in one after the other follow each other faster
};

typedef struct zygote {
    sc_jail *jail;
    sc_py py;
    uint32_t level;
    pid_t checker; // 0: none yet
    int group;     // where a sample writes "0" to move into its control group; -1: none
} zygote;

/* Moves `fd` to the number `to`; everything from there on upwards is closed later. */
static sc_code place(int fd, int to, sc_err *err)
{
    if (dup2(fd, to) < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "dup2: %s", strerror(errno));
    return SC_OK;
}

static sc_code close_from(unsigned fd, sc_err *err)
{
    if (syscall(SYS_close_range, fd, ~0u, 0))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "close_range: %s", strerror(errno));
    return SC_OK;
}

/* What a sample is forked with. */
typedef struct sample_fds {
    int control, output, link;
} sample_fds;

/* Output to 1 and 2, the link to 3, the control socket to 4, nothing else; all locks. */
static sc_code lock_sample(zygote *z, const sample_fds *f, const sc_wire_limits *l, sc_err *err)
{
    // The pid namespace's descriptor of the jail goes too: closed there, before the filter.
    SC_TRY(place(f->output, 1, err));
    SC_TRY(place(f->output, 2, err));
    SC_TRY(sc_jail_sample(z->jail, l, err));
    // Neither is below its place: descriptors 0 to 3 were taken when they came.
    SC_TRY(place(f->link, SC_WIRE_FD, err));
    SC_TRY(place(f->control, CONTROL_FD, err));
    return close_from(CONTROL_FD + 1, err);
}

/* The descriptor brings the right to move in; it is closed with the others. */
static sc_code join_group(int group, sc_err *err)
{
    if (group >= 0 && write(group, "0", 1) != 1)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "the control group: %s", strerror(errno));
    return SC_OK;
}

/* Takes the program; a supervisor that wants none run closes the socket. */
static sc_code take_program(sc_wire_in *in, sc_err *err)
{
    const sc_code code = sc_wire_recv(CONTROL_FD, in, err);
    if (code == SC_E_INTERRUPTED)
        _exit(0);
    SC_TRY(code);
    if (in->m.type != SC_WIRE_RUN)
        return sc_fail(err, SC_E_FORMAT, "a message of an unknown kind");
    if (in->m.mode == SC_MODE_STDIO) {
        const int from = sc_wire_take_fd(in, 0), to = sc_wire_take_fd(in, 1);
        if (from < 0 || to < 0)
            return sc_fail(err, SC_E_FORMAT, "a run without its descriptors");
        SC_TRY(place(from, 0, err));
        SC_TRY(place(to, 1, err));
    }
    return close_from(FIRST_FREE_FD, err);
}

static _Noreturn void become_sample(zygote *z, const sc_wire_msg *m, const sample_fds *f)
{
    sc_err err = {0};
    if (join_group(z->group, &err) != SC_OK || lock_sample(z, f, &m->limits, &err) != SC_OK)
        sc_sample_refuse(f->link, &err);
    PyOS_AfterFork_Child();
    *z->py.in_sample = true;
    sc_sample_prepare(&z->py, sc_jail_home(z->jail), SC_WIRE_FD);
    // With a program there the time is better spent on that: it may not need all of these pages.
    struct pollfd p = {.fd = CONTROL_FD, .events = POLLIN};
    if ((m->flags & SC_FORK_TOUCH) && poll(&p, 1, AT_ONCE_MS) == 0)
        sc_touch();
    static sc_wire_in in; // its texts live as long as the program
    if (take_program(&in, &err) != SC_OK)
        sc_sample_refuse(SC_WIRE_FD, &err);
    const sc_sample s = {.mode = (sc_wire_mode)in.m.mode,
                         .names = (in.m.flags & SC_RUN_NAMES) != 0,
                         .source = in.text[0],
                         .entry = in.text[1],
                         .context = in.text[2],
                         .test = in.text[3],
                         .nonce = {in.m.nonce[0], in.m.nonce[1]}};
    sc_sample_run(&s);
}

static sc_code tell(sc_wire_msg m, const char *text, int fd, sc_err *err)
{
    const sc_str t = sc_str_c(text);
    return sc_wire_send(SC_WIRE_FD, m, &t, 1, &fd, fd >= 0 ? 1 : 0, err);
}

static int open_pid(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * Waits until `pid` ends; a supervisor that is gone ends us, and with us everything in the box.
 * Messages wait as well: what is asked for meanwhile, the next sample, is not to run beside this
 * one.
 */
static sc_code wait_for(zygote *z, uint32_t serial, pid_t pid, int pidfd, sc_err *err)
{
    struct pollfd p[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = SC_WIRE_FD, .events = 0}};
    while (!(p[0].revents & POLLIN)) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return sc_fail_sys(err, SC_E_IO, errno, "poll: %s", strerror(errno));
        if (p[1].revents & (POLLHUP | POLLERR)) {
            // At level full our end is the end of everything below; elsewhere it has to be made.
            (void)kill(pid, SIGKILL); // it may have ended
            (void)waitpid(pid, NULL, 0);
            _exit(sc_jail_sweep(z->jail, err) == SC_OK ? 0 : 1); // nobody is left to be told more
        }
    }
    int status = 0;
    struct rusage u = {0};
    while (wait4(pid, &status, 0, &u) < 0 && errno == EINTR) {
    }
    SC_TRY(sc_jail_sweep(z->jail, err));
    const sc_wire_msg m = {.type = SC_WIRE_ENDED,
                           .serial = serial,
                           .pid = pid,
                           .status = status,
                           .cpu_us = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
                                     (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
                           .peak_kib = (uint64_t)u.ru_maxrss};
    return tell(m, "", -1, err);
}

/* Forks one sample, which locks itself and waits for its program, and stays with it until it ends.
 */
static sc_code run_sample(zygote *z, sc_wire_in *in, sc_err *err)
{
    const sample_fds f = {sc_wire_take_fd(in, 0), sc_wire_take_fd(in, 1), sc_wire_take_fd(in, 2)};
    if (f.control < 0 || f.output < 0 || f.link < 0)
        return sc_fail(err, SC_E_FORMAT, "a sample without its descriptors");
    PyOS_BeforeFork();
    const pid_t pid = sc_jail_fork(z->jail, err);
    if (pid == 0)
        become_sample(z, &in->m, &f);
    PyOS_AfterFork_Parent();
    (void)close(f.control); // the sample has its own
    (void)close(f.output);
    (void)close(f.link);
    if (pid < 0)
        return SC_E_SANDBOX;
    const int pidfd = open_pid(pid);
    if (pidfd < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "pidfd_open: %s", strerror(errno));
    const sc_wire_msg m = {.type = SC_WIRE_STARTED, .serial = in->m.serial, .pid = pid};
    sc_code code = tell(m, "", pidfd, err);
    if (code == SC_OK)
        code = wait_for(z, m.serial, pid, pidfd, err);
    (void)close(pidfd); // only a reference
    return code;
}

static sc_code start_checker(zygote *z, sc_wire_in *in, sc_err *err)
{
    const int control = sc_wire_take_fd(in, 0);
    if (control < 0)
        return sc_fail(err, SC_E_FORMAT, "a checker without its socket");
    // The supervisor has killed the former one. It is waited for until it is gone: a large one
    // takes a while to end, and nothing else would wait for it before the next message.
    while (z->checker && waitpid(z->checker, NULL, __WALL) < 0 && errno == EINTR) {
    }
    PyOS_BeforeFork();
    const pid_t pid = z->checker = sc_jail_fork_checker(z->jail, err);
    if (pid == 0) {
        sc_err e = {0};
        if (sc_jail_checker(z->jail, &in->m.limits, &e) != SC_OK || dup2(control, SC_WIRE_FD) < 0 ||
            syscall(SYS_close_range, FIRST_FREE_FD, ~0u, 0)) {
            (void)tell((sc_wire_msg){.type = SC_WIRE_BROKEN}, e.msg, -1, &e); // the end says it too
            _exit(70);
        }
        PyOS_AfterFork_Child();
        sc_checker_run(&z->py, SC_WIRE_FD);
    }
    PyOS_AfterFork_Parent();
    (void)close(control); // the checker has its own
    if (pid < 0)
        return SC_E_SANDBOX;
    const int pidfd = open_pid(pid);
    if (pidfd < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "pidfd_open: %s", strerror(errno));
    const sc_code code =
        tell((sc_wire_msg){.type = SC_WIRE_CHECKER_STARTED, .pid = pid}, "", pidfd, err);
    (void)close(pidfd); // only a reference
    return code;
}

static sc_code serve(zygote *z, sc_err *err)
{
    for (;;) {
        SC_AUTO(sc_wire_in) in = {0};
        SC_TRY(sc_wire_recv(SC_WIRE_FD, &in, err));
        if (in.m.type == SC_WIRE_FORK)
            SC_TRY(run_sample(z, &in, err));
        else if (in.m.type == SC_WIRE_CHECKER)
            SC_TRY(start_checker(z, &in, err));
        else
            return sc_fail(err, SC_E_FORMAT, "a message of an unknown kind");
    }
}

/* Descriptors 0 to 2 become /dev/null: whatever was inherited there is not for a sample. */
static sc_code close_standard(sc_err *err)
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "/dev/null: %s", strerror(errno));
    for (int fd = 0; fd < SC_WIRE_FD; fd++)
        SC_TRY(place(null, fd, err));
    if (null > SC_WIRE_FD)
        (void)close(null); // only a device
    return SC_OK;
}

static sc_code run(zygote *z, sc_err *err)
{
    SC_TRY(close_standard(err));
    sc_huge_heap();
    sc_huge_program();
    // A session of its own is a scheduling group of its own where the kernel has automatic groups:
    // then a program with many processes takes no CPU time from the other workers.
    (void)setsid(); // already a leader: as good
    // Ends inside the box when the box does, and lives as long as this process.
    static sc_wire_in setup;
    SC_TRY(sc_wire_recv(SC_WIRE_FD, &setup, err));
    if (setup.m.type != SC_WIRE_SETUP)
        return sc_fail(err, SC_E_FORMAT, "not started by scbench");
    const bool tools = setup.m.mode == SC_MODE_TOOL;
    char *scratch = sc_strndup(setup.text[0].p, setup.text[0].n);
    char *root = sc_strndup(setup.text[1].p, setup.text[1].n);
    if (!scratch || !root)
        return sc_fail_nomem(err);
    const sc_jail_opts o = {.level = setup.m.level,
                            .uid = setup.m.uid,
                            .tools = tools,
                            .scratch = scratch,
                            .root = root,
                            .stdlib = SC_PY_STDLIB,
                            .libs = SC_PY_LIBS};
    z->level = setup.m.level;
    z->group = sc_wire_take_fd(&setup, 0);
    SC_TRY(sc_jail_box(&o, &z->jail, err));
    (void)mallopt(M_ARENA_MAX, 1); // an arena reserves 64 MiB a thread; a failure changes nothing
    SC_TRY(sc_py_start(SC_PY_STDLIB, tools, setup.m.limits.hash_seed, &z->py, err));
    if (sc_wrap_ready())
        return sc_py_fail(err, "wrap");
    sc_touch_learn(&z->py);
    SC_TRY(sc_jail_seal(z->jail, err));
    SC_TRY(tell((sc_wire_msg){.type = SC_WIRE_READY, .pid = getpid()}, Py_GetVersion(), -1, err));
    return serve(z, err);
}

int main(void)
{
    static zygote z;
    sc_err err = {0};
    if (run(&z, &err) == SC_E_INTERRUPTED)
        return 0;
    sc_err ignored = {0};
    // The supervisor may be gone; then there is nobody to tell.
    (void)tell((sc_wire_msg){.type = SC_WIRE_BROKEN}, err.msg, -1, &ignored);
    return 1;
}
