import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def solve(x):
    bad = []
    for name, nr, args in (('io_uring', 425, (8, 0)), ('userfaultfd', 323, (0,)), ('bpf', 321, (0, 0, 0)), ('perf', 298, (0, 0, -1, -1, 0)), ('ptrace', 101, (0, 0, 0, 0)), ('keyctl', 250, (0, 0, 0)), ('add_key', 248, (0, 0, 0, 0, 0)), ('mount', 165, (0, 0, 0, 0, 0)), ('unshare', 272, (0x10000000,)), ('setns', 308, (0, 0)), ('shmget', 29, (1, 4096, 0o1666)), ('semget', 64, (1, 1, 0o1666)), ('msgget', 68, (1, 0o1666)), ('mq_open', 240, (b'/q', 0o100, 0o666, 0)), ('process_vm_readv', 310, (1, 0, 0, 0, 0, 0)), ('kexec', 246, (0, 0, 0, 0)), ('reboot', 169, (0, 0, 0, 0)), ('swapon', 167, (0, 0)), ('chroot', 161, (b'/tmp',)), ('pivot_root', 155, (b'/', b'/')), ('personality', 135, (0x0040000,)), ('pidfd_getfd', 438, (0, 0, 0)), ('open_by_handle', 304, (0, 0, 0)), ('fanotify', 300, (0, 0)), ('clone3', 435, (0, 0)), ('memfd_secret', 447, (0,)), ('mount_setattr', 442, (0, 0, 0, 0, 0)), ('fsopen', 430, (b'tmpfs', 0)), ('open_tree', 428, (-100, b'/', 1)), ('quotactl', 179, (0, 0, 0, 0)), ('sethostname', 170, (b'x', 1)), ('settimeofday', 164, (0, 0)), ('iopl', 172, (3,)), ('modify_ldt', 154, (0, 0, 0)), ('vmsplice', 278, (1, 0, 0, 0)), ('setpriority', 141, (0, 0, -5)), ('sched_rt', 144, (0, 1, 0)), ('flock', 73, (1, 2)), ('acct', 163, (0,)), ('syslog', 103, (3, 0, 0)), ('socket', 41, (2, 1, 0)), ('socket_unix', 41, (1, 1, 0)), ('socket_vsock', 41, (40, 1, 0)), ('seccomp', 317, (0, 0, 0)), ('landlock', 444, (0, 0, 1))):
        ctypes.set_errno(0)
        r = libc.syscall(nr, *args)
        if r >= 0: bad.append((name, r))
        elif ctypes.get_errno() not in (1, 38): bad.append((name, -ctypes.get_errno()))
    return bad
