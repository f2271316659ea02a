// SPDX-License-Identifier: MIT
#include "guest/filter.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const ALLOWED[] = {
    // files
    "read",
    "write",
    "pread64",
    "pwrite64",
    "readv",
    "writev",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "open",
    "openat",
    "openat2",
    "creat",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "lseek",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "getdents",
    "getdents64",
    "getcwd",
    "chdir",
    "fchdir",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "symlink",
    "symlinkat",
    "readlink",
    "readlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "umask",
    "truncate",
    "ftruncate",
    "fsync",
    "fdatasync",
    "fallocate",
    "fadvise64",
    "statfs",
    "fstatfs",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "sendfile",
    "copy_file_range",
    "pipe",
    "pipe2",
    "fcntl",
    // waiting
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd",
    "eventfd2",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    "signalfd",
    "signalfd4",
    "pause",
    "nanosleep",
    "clock_nanosleep",
    "sched_yield",
    "futex",
    "futex_waitv",
    // memory
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "msync",
    "mincore",
    "brk",
    "membarrier",
    // processes, threads, signals
    "fork",
    "vfork",
    "exit",
    "exit_group",
    "wait4",
    "waitid",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "rt_sigqueueinfo",
    "sigaltstack",
    "restart_syscall",
    "set_tid_address",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "arch_prctl",
    "getpid",
    "gettid",
    "getppid",
    "getpgrp",
    "getpgid",
    "getsid",
    "setpgid",
    "setsid",
    "pidfd_open",
    "pidfd_send_signal",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "getrlimit",
    "setrlimit",
    "prlimit64",
    "getrusage",
    "times",
    "sysinfo",
    "uname",
    "getcpu",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getpriority",
    "prctl",
    // time and chance
    "time",
    "gettimeofday",
    "clock_gettime",
    "clock_getres",
    "getitimer",
    "setitimer",
    "alarm",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_getoverrun",
    "timer_delete",
    "getrandom",
    // sockets that are already connected (asyncio and multiprocessing need a pair)
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    // the zygote's own; a sample's second filter takes them away
    "unshare",
    "setns",
    "mount",
    "umount2",
    "capset",
    "capget",
    "seccomp",
    "setresuid",
    "setresgid",
    "setgroups",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
};

static const char *const ZYGOTE_ONLY[] = {
    "unshare",
    "setns",
    "mount",
    "umount2",
    "capset",
    "capget",
    "seccomp",
    "setresuid",
    "setresgid",
    "setgroups",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "pidfd_open",
    "pidfd_send_signal",
};

// What only asks about a terminal or a descriptor; nothing that could push input into one.
static const unsigned IOCTLS[] = {FIOCLEX, FIONCLEX, FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ};

enum {
    NEW_NAMESPACE = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                    CLONE_NEWPID | CLONE_NEWNET
};

/* The number of a call; some names are unknown to older versions of the library: -1. */
static int number(const char *name)
{
    const int nr = seccomp_syscall_resolve_name(name);
    return nr == __NR_SCMP_ERROR ? -1 : nr;
}

static int box_arguments(scmp_filter_ctx c)
{
    int rc = 0;
    // 32-bit arguments are compared under a mask: the kernel ignores the upper half.
    for (size_t i = 0; i < SC_LEN(IOCTLS); i++)
        rc |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                               SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, IOCTLS[i]));
    rc |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_UNIX));
    rc |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, (scmp_datum_t)(unsigned)NEW_NAMESPACE, 0));
    rc |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mknod), 1,
                           SCMP_A1(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFIFO));
    rc |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mknodat), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFIFO));
    // The C library falls back when these are missing; EPERM would make it give up.
    rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    const int uring[] = {number("io_uring_setup"), number("io_uring_enter"),
                         number("io_uring_register")};
    for (size_t i = 0; i < SC_LEN(uring); i++)
        if (uring[i] >= 0)
            rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), uring[i], 0);
    return rc;
}

static int box_rules(scmp_filter_ctx c)
{
    int rc = 0;
    for (size_t i = 0; i < SC_LEN(ALLOWED); i++) {
        const int nr = number(ALLOWED[i]);
        if (nr >= 0)
            rc |= seccomp_rule_add(c, SCMP_ACT_ALLOW, nr, 0);
    }
    return rc | box_arguments(c);
}

static int sample_rules(scmp_filter_ctx c)
{
    int rc = 0;
    for (size_t i = 0; i < SC_LEN(ZYGOTE_ONLY); i++) {
        const int nr = number(ZYGOTE_ONLY[i]);
        if (nr >= 0)
            rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), nr, 0);
    }
    // Only a thread's name may be set or asked for: options 15 and 16.
    rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
                           SCMP_A0(SCMP_CMP_LT, PR_SET_NAME));
    rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
                           SCMP_A0(SCMP_CMP_GT, PR_GET_NAME));
    return rc;
}

static int no_fork_rules(scmp_filter_ctx c)
{
    int rc = 0;
    rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fork), 0);
    rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(vfork), 0);
    rc |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    return rc;
}

/* The compiled program, through a memory file: the library writes to descriptors only. */
static sc_code export_program(scmp_filter_ctx c, sc_filter *out, sc_err *err)
{
    const int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "memfd_create: %s", strerror(errno));
    struct stat st = {0};
    const bool written = seccomp_export_bpf(c, fd) == 0 && fstat(fd, &st) == 0;
    const size_t size = (size_t)st.st_size;
    struct sock_filter *code = written ? sc_alloc(size, 1) : NULL;
    const bool good =
        code && pread(fd, code, size, 0) == (ssize_t)size && size / sizeof *code <= UINT16_MAX;
    (void)close(fd); // only memory
    if (!good) {
        sc_free(code);
        return sc_fail(err, SC_E_SANDBOX, "cannot make the system-call filter");
    }
    out->program =
        (struct sock_fprog){.len = (unsigned short)(size / sizeof *code), .filter = code};
    return SC_OK;
}

sc_code sc_filter_make(sc_filter_kind kind, sc_filter *out, sc_err *err)
{
    const bool box = kind == SC_FILTER_BOX;
    scmp_filter_ctx c = seccomp_init(box ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
    if (!c)
        return sc_fail(err, SC_E_SANDBOX, "libseccomp gives no filter");
    // A call of a foreign architecture (int 0x80, x32) is no honest program: the process ends.
    int rc = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (box)
        rc |= seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2); // a binary tree, not a list
    rc |= box ? box_rules(c) : kind == SC_FILTER_SAMPLE ? sample_rules(c) : no_fork_rules(c);
    sc_code code = SC_OK;
    if (rc)
        code = sc_fail(err, SC_E_SANDBOX, "libseccomp refuses a rule of the filter");
    else
        code = export_program(c, out, err);
    seccomp_release(c);
    return code;
}

sc_code sc_filter_load(const sc_filter *f, sc_err *err)
{
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f->program))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "seccomp: %s", strerror(errno));
    return SC_OK;
}
