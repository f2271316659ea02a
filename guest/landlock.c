// SPDX-License-Identifier: MIT
#include "guest/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Debian 12's headers stop at ABI 2, so the numbers stand here.
enum {
    CALL_CREATE = 444,
    CALL_ADD = 445,
    CALL_RESTRICT = 446,
    CREATE_VERSION = 1,
    RULE_PATH_BENEATH = 1,
};

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_MAKE_CHAR = 1 << 6,
    FS_MAKE_BLOCK = 1 << 11,
    FS_ABI1 = (1 << 13) - 1,
    FS_FILE = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | 1 << 14, // and truncation, as below
    FS_REFER = 1 << 13,                                            // ABI 2
    FS_TRUNCATE = 1 << 14,                                         // ABI 3
    FS_IOCTL_DEV = 1 << 15,                                        // ABI 5
    NET_BIND_CONNECT = 3,                                          // ABI 4
    SCOPE_SOCKET_SIGNAL = 3                                        // ABI 6
};

typedef struct ruleset_attr {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
} ruleset_attr;

typedef struct __attribute__((packed)) path_attr {
    uint64_t allowed;
    int32_t fd;
} path_attr;

int sc_landlock_abi(void)
{
    const long abi = syscall(CALL_CREATE, NULL, 0, CREATE_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

static uint64_t handled(int abi)
{
    uint64_t fs = FS_ABI1;
    if (abi >= 2)
        fs |= FS_REFER;
    if (abi >= 3)
        fs |= FS_TRUNCATE;
    if (abi >= 5)
        fs |= FS_IOCTL_DEV;
    return fs;
}

/* Opens the path of one rule and says what may be done there; it may not exist. */
static sc_code open_rule(sc_landlock_rule *r, uint64_t fs, sc_err *err)
{
    r->fd = open(r->path, O_PATH | O_CLOEXEC);
    if (r->fd < 0 && errno == ENOENT)
        return SC_OK;
    if (r->fd < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "Landlock: %s: %s", r->path, strerror(errno));
    r->allowed = FS_READ_FILE | FS_READ_DIR;
    if (r->device)
        r->allowed = FS_READ_FILE | FS_WRITE_FILE | (fs & FS_TRUNCATE);
    else if (r->write)
        r->allowed = fs & ~(uint64_t)(FS_EXECUTE | FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_IOCTL_DEV);
    struct stat st;
    if (fstat(r->fd, &st) == 0 && !S_ISDIR(st.st_mode))
        r->allowed &= FS_FILE; // the kernel refuses rights of folders for anything else
    return SC_OK;
}

static sc_code add_rule(int set, const sc_landlock_rule *r, sc_err *err)
{
    const path_attr a = {.allowed = r->allowed, .fd = r->fd};
    if (r->fd >= 0 && syscall(CALL_ADD, set, RULE_PATH_BENEATH, &a, 0))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "Landlock: rule for %s: %s", r->path,
                           strerror(errno));
    return SC_OK;
}

static sc_code add_late(int set, const sc_landlock_rule *late, uint64_t fs, sc_err *err)
{
    sc_landlock_rule r = *late;
    SC_TRY(open_rule(&r, fs, err));
    const sc_code code = add_rule(set, &r, err);
    if (r.fd >= 0)
        (void)close(r.fd); // only a path
    return code;
}

sc_code sc_landlock_open(int abi, sc_landlock_rule *rules, size_t n, sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        rules[i].fd = -1;
        if (!rules[i].late)
            SC_TRY(open_rule(&rules[i], handled(abi), err));
    }
    return SC_OK;
}

sc_code sc_landlock_lock(int abi, const sc_landlock_rule *rules, size_t n, bool late, sc_err *err)
{
    ruleset_attr a = {.fs = handled(abi)};
    size_t size = sizeof a.fs;
    if (abi >= 4) {
        a.net = NET_BIND_CONNECT;
        size = 2 * sizeof a.fs;
    }
    if (abi >= 6) {
        a.scoped = SCOPE_SOCKET_SIGNAL;
        size = sizeof a;
    }
    const int set = (int)syscall(CALL_CREATE, &a, size, 0);
    if (set < 0)
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "Landlock: ruleset: %s", strerror(errno));
    sc_code code = SC_OK;
    for (size_t i = 0; i < n && code == SC_OK; i++)
        if (!rules[i].late)
            code = add_rule(set, &rules[i], err);
        else if (late)
            code = add_late(set, &rules[i], a.fs, err);
    if (code == SC_OK && syscall(CALL_RESTRICT, set, 0))
        code = sc_fail_sys(err, SC_E_SANDBOX, errno, "Landlock: restrict: %s", strerror(errno));
    (void)close(set); // the domain lives on in the process
    return code;
}
