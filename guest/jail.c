// SPDX-License-Identifier: MIT
#include "guest/jail.h"

#include "base/mem.h"
#include "box/level.h"
#include "guest/filter.h"
#include "guest/landlock.h"
#include "guest/root.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    INSIDE_UID = 1000, // who a sample is, as it sees it
    CHECKER_UID = 64,  // reduced-uid: the checker's uid is this much above the sample's
    // Processes of the box that count against its limit besides the sample's own: the parent that
    // waits, the zygote, the checker.
    BOX_TASKS = 3,
    MAX_RULES = 9,
    STACK = 120 << 20, // the kernel leaves at least 128 MiB below the mappings
};

struct sc_jail {
    sc_jail_opts o;
    int abi;    // Landlock
    int pid_ns; // full: the box's own pid namespace; -1
    char home[64];
    sc_filter box, sample, no_fork;
    sc_landlock_rule rule[MAX_RULES];
    size_t n_rules;
    rlim_t most[RLIM_NLIMITS]; // what this process was started with: it cannot be raised
};

/* Raises SC_E_SANDBOX with the step and errno. */
#define FAIL(err, ...) sc_fail_sys((err), SC_E_SANDBOX, errno, __VA_ARGS__)

#define STEP(err, call, what)                                                                      \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            return FAIL(err, "%s: %s", (what), strerror(errno));                                   \
    } while (0)

static sc_code write_text(const char *path, const char *text, sc_err *err)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    STEP(err, fd, path);
    const ssize_t n = write(fd, text, strlen(text));
    const int e = errno;
    (void)close(fd); // the write said it all
    errno = e;
    STEP(err, n, path);
    return SC_OK;
}

/* Root becomes an ordinary user for ever: limits on processes do not bind a root's namespaces. */
static sc_code become(uint32_t uid, sc_err *err)
{
    STEP(err, setgroups(0, NULL), "setgroups");
    STEP(err, setresgid(uid, uid, uid), "setresgid");
    STEP(err, setresuid(uid, uid, uid), "setresuid");
    return SC_OK;
}

static sc_code enter_user_namespace(sc_err *err)
{
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    STEP(err, prctl(PR_SET_DUMPABLE, 1), "prctl"); // else the map files are root's
    STEP(err, unshare(CLONE_NEWUSER), "unshare a user namespace");
    char text[64];
    SC_TRY(write_text("/proc/self/setgroups", "deny", err));
    (void)snprintf(text, sizeof text, "%d %u 1", INSIDE_UID, uid); // always fits
    SC_TRY(write_text("/proc/self/uid_map", text, err));
    (void)snprintf(text, sizeof text, "%d %u 1", INSIDE_UID, gid); // always fits
    SC_TRY(write_text("/proc/self/gid_map", text, err));
    return SC_OK;
}

/* The parent of the box's pid 1: waits for it and ends with it. */
static _Noreturn void wait_for_box(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static sc_code box_full(sc_jail *j, sc_err *err)
{
    if (j->o.uid)
        SC_TRY(become(j->o.uid, err));
    SC_TRY(enter_user_namespace(err));
    STEP(err,
         unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS |
                 CLONE_NEWCGROUP),
         "unshare pid, mount, ipc, net, uts, cgroup namespaces");
    const pid_t pid = fork();
    STEP(err, pid, "fork");
    if (pid > 0) {
        (void)close(SC_WIRE_FD); // the box's alone, so that its end is seen
        wait_for_box(pid);
    }
    STEP(err, prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    STEP(err, sethostname("box", 3), "sethostname");
    // Opened now: the private root has no /proc.
    j->pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    STEP(err, j->pid_ns, "/proc/self/ns/pid");
    return sc_root_mount(j->o.stdlib, j->o.libs, j->o.tools, err);
}

static sc_code box_uid(sc_jail *j, sc_err *err)
{
    if (geteuid() != 0)
        return sc_fail(err, SC_E_SANDBOX, "level reduced-uid needs root");
    // What a sample leaves behind becomes our child, so that it can be waited for.
    STEP(err, prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
    STEP(err, chroot(j->o.root), j->o.root);
    STEP(err, chdir("/"), "chdir");
    STEP(err, setgroups(0, NULL), "setgroups");
    return SC_OK;
}

sc_code sc_jail_box(const sc_jail_opts *o, sc_jail **out, sc_err *err)
{
    sc_jail *j = sc_new(sc_jail);
    if (!j)
        return sc_fail_nomem(err);
    j->o = *o;
    j->pid_ns = -1;
    j->abi = sc_landlock_abi();
    (void)snprintf(j->home, sizeof j->home, "%s", // checked below
                   o->level == SC_BOX_FULL || o->level == SC_BOX_REDUCED_UID ? "/tmp" : o->scratch);
    sc_code code = SC_OK;
    if (o->level != SC_BOX_NONE && j->abi < 1)
        code = sc_fail(err, SC_E_SANDBOX, "this kernel has no Landlock");
    else if (strlen(j->home) + 1 == sizeof j->home)
        code = sc_fail(err, SC_E_SANDBOX, "the scratch folder's path is too long");
    else if (o->level == SC_BOX_FULL)
        code = box_full(j, err);
    else if (o->level == SC_BOX_REDUCED_UID)
        code = box_uid(j, err);
    if (code != SC_OK) {
        sc_free(j);
        return code;
    }
    *out = j;
    return SC_OK;
}

/* What a sample may see. Opened once: the kernel knows them by what they are, not by their path. */
static sc_code open_paths(sc_jail *j, sc_err *err)
{
    const sc_landlock_rule rules[MAX_RULES] = {
        {.path = j->o.stdlib},
        {.path = j->o.libs},
        {.path = "/usr/share/zoneinfo"},
        {.path = "/dev/null", .device = true},
        {.path = "/dev/zero", .device = true},
        {.path = "/dev/urandom", .device = true},
        {.path = "/usr/lib/python3/dist-packages"},     // only there for the tools
        {.path = "/etc/passwd"},                        // our own, in a root of ours
        {.path = j->home, .write = true, .late = true}, // mounted for each sample
    };
    for (size_t i = 0; i < MAX_RULES; i++) {
        const bool host =
            j->o.level == SC_BOX_REDUCED_SELF && !strcmp(rules[i].path, "/etc/passwd");
        const bool packages = !j->o.tools && strstr(rules[i].path, "dist-packages") != NULL;
        if (!host && !packages)
            j->rule[j->n_rules++] = rules[i];
    }
    return sc_landlock_open(j->abi, j->rule, j->n_rules, err);
}

sc_code sc_jail_seal(sc_jail *j, sc_err *err)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit l;
        STEP(err, getrlimit((__rlimit_resource_t)i, &l), "getrlimit");
        j->most[i] = l.rlim_max;
    }
    if (j->o.level == SC_BOX_NONE)
        return SC_OK;
    SC_TRY(sc_filter_make(SC_FILTER_BOX, &j->box, err));
    SC_TRY(sc_filter_make(SC_FILTER_SAMPLE, &j->sample, err));
    SC_TRY(sc_filter_make(SC_FILTER_NO_FORK, &j->no_fork, err));
    SC_TRY(open_paths(j, err));
    STEP(err, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    return sc_filter_load(&j->box, err);
}

const char *sc_jail_home(const sc_jail *j)
{
    return j->home;
}

int sc_jail_fork(sc_jail *j, sc_err *err)
{
    const bool full = j->o.level == SC_BOX_FULL;
    if (full && unshare(CLONE_NEWPID)) {
        (void)FAIL(err, "unshare a pid namespace: %s", strerror(errno));
        return -1;
    }
    const pid_t pid = fork();
    const int e = errno;
    if (pid == 0)
        return 0;
    // Back to our own for the next child, also after a failed fork.
    if (full && setns(j->pid_ns, CLONE_NEWPID)) {
        (void)FAIL(err, "setns to the box's pid namespace: %s", strerror(errno));
        return -1;
    }
    errno = e;
    if (pid < 0)
        (void)FAIL(err, "fork: %s", strerror(errno));
    return pid;
}

int sc_jail_fork_checker(sc_jail *j, sc_err *err)
{
    const bool apart = j->o.level == SC_BOX_REDUCED_UID;
    const pid_t pid = apart ? (pid_t)syscall(SYS_clone, 0ul, NULL, NULL, NULL, 0ul) : fork();
    if (pid < 0)
        (void)FAIL(err, "fork: %s", strerror(errno)); // the caller sees -1
    return pid;
}

static sc_code set_limit(const sc_jail *j, int what, uint64_t soft, uint64_t hard, sc_err *err)
{
    // What we were started with may be lower already.
    if (hard > j->most[what])
        hard = j->most[what];
    const struct rlimit now = {soft < hard ? soft : hard, hard};
    STEP(err, setrlimit((__rlimit_resource_t)what, &now), "setrlimit");
    return SC_OK;
}

static sc_code set_limits(const sc_jail *j, const sc_wire_limits *l, sc_err *err)
{
    const uint64_t gib = 1ull << 30;
    SC_TRY(set_limit(j, RLIMIT_CORE, 0, 0, err));
    SC_TRY(set_limit(j, RLIMIT_MEMLOCK, 0, 0, err));
    SC_TRY(set_limit(j, RLIMIT_MSGQUEUE, 0, 0, err));
    SC_TRY(set_limit(j, RLIMIT_STACK, STACK, STACK, err));
    SC_TRY(set_limit(j, RLIMIT_NOFILE, l->files, l->files, err));
    SC_TRY(set_limit(j, RLIMIT_FSIZE, l->disk, l->disk, err));
    // Private memory is the limit; reserved space may be larger (thread stacks, arenas).
    SC_TRY(set_limit(j, RLIMIT_DATA, l->memory, l->memory, err));
    SC_TRY(set_limit(j, RLIMIT_AS, l->memory + gib, l->memory + gib, err));
    // A second more before the signal that cannot be caught.
    SC_TRY(set_limit(j, RLIMIT_CPU, l->cpu_s, l->cpu_s + 1, err));
    const uint64_t tasks = l->tasks + (j->o.level == SC_BOX_FULL ? BOX_TASKS : 0);
    // As the calling user the count would be of all that user's processes, ours among them; there
    // the filter refuses to fork instead.
    if (j->o.level >= SC_BOX_REDUCED_UID)
        SC_TRY(set_limit(j, RLIMIT_NPROC, tasks, tasks, err));
    return SC_OK;
}

static sc_code mount_home(const sc_jail *j, const sc_wire_limits *l, sc_err *err)
{
    STEP(err, unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS), "unshare mount, ipc, uts");
    char text[96];
    (void)snprintf(text, sizeof text, "size=%llu,nr_inodes=%u,mode=0700", // always fits
                   (unsigned long long)l->disk, l->inodes);
    STEP(err, mount("tmp", j->home, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, text), "mount /tmp");
    return SC_OK;
}

static sc_code drop_capabilities(sc_err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    STEP(err, (int)syscall(SYS_capset, &head, none), "capset");
    return SC_OK;
}

sc_code sc_jail_sample(sc_jail *j, const sc_wire_limits *l, sc_err *err)
{
    const uint32_t level = j->o.level;
    if (level == SC_BOX_FULL)
        SC_TRY(mount_home(j, l, err));
    else
        STEP(err, prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    if (level == SC_BOX_REDUCED_UID)
        SC_TRY(become(j->o.uid, err));
    STEP(err, chdir(j->home), j->home);
    if (j->pid_ns >= 0)
        STEP(err, close(j->pid_ns), "close");
    SC_TRY(set_limits(j, l, err));
    if (level == SC_BOX_NONE)
        return SC_OK;
    SC_TRY(sc_landlock_lock(j->abi, j->rule, j->n_rules, true, err));
    SC_TRY(drop_capabilities(err));
    if (level == SC_BOX_REDUCED_SELF)
        SC_TRY(sc_filter_load(&j->no_fork, err));
    return sc_filter_load(&j->sample, err);
}

sc_code sc_jail_checker(sc_jail *j, const sc_wire_limits *l, sc_err *err)
{
    if (j->o.level != SC_BOX_FULL)
        STEP(err, prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    if (j->o.level == SC_BOX_REDUCED_UID)
        SC_TRY(become(j->o.uid + CHECKER_UID, err));
    if (j->pid_ns >= 0)
        STEP(err, close(j->pid_ns), "close");
    SC_TRY(set_limit(j, RLIMIT_CORE, 0, 0, err));
    SC_TRY(set_limit(j, RLIMIT_STACK, STACK, STACK, err));
    SC_TRY(set_limit(j, RLIMIT_DATA, l->memory * 2, l->memory * 2, err));
    if (j->o.level == SC_BOX_NONE)
        return SC_OK;
    SC_TRY(sc_landlock_lock(j->abi, j->rule, j->n_rules, false, err));
    SC_TRY(drop_capabilities(err));
    SC_TRY(sc_filter_load(&j->no_fork, err));
    return sc_filter_load(&j->sample, err);
}

sc_code sc_jail_sweep(sc_jail *j, sc_err *err)
{
    if (j->o.level == SC_BOX_FULL)
        return SC_OK; // the kernel did it when the namespaces died
    return sc_root_sweep(j->home, j->o.level == SC_BOX_REDUCED_UID ? j->o.uid : 0, err);
}
