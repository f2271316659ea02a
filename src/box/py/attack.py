# Runs in the box as a sample: tries to get out and returns [(name, held, what was seen), ...].
import os
import signal
import socket
import sys


def tries(name):
    def add(f):
        ATTACKS.append((name, f))
        return f
    return add


ATTACKS = []


def refused(f, *args):
    """'' when the call raises OSError, else what it gave."""
    try:
        return 'gave %r' % (f(*args),)
    except OSError:
        return ''


@tries('reads a file of the host')
def _(know):
    seen = []
    for path in (know['canary'], '/etc/shadow', '/etc/hostname', '/proc/1/environ', '/proc/self/mem',
                 '/sys/kernel/notes', '/dev/mem', '/dev/kmsg'):
        if refused(open, path, 'rb'):
            seen.append(path)
    return ' '.join(seen)


@tries('lists a folder of the host')
def _(know):
    seen = []
    for path in ('/home', '/root', '/var', '/run', '/boot', '/sys', '/proc', know['folder']):
        try:
            if os.listdir(path):
                seen.append(path)
        except OSError:
            pass
    return ' '.join(seen)


@tries('writes outside its folder')
def _(know):
    seen = []
    for folder in ('/', '/usr', '/usr/lib', '/etc', '/var/tmp', '/dev', '/proc', '/run', '/opt', know['folder'],
                   os.path.dirname(os.__file__)):
        try:
            os.close(os.open(folder + '/scbench-was-here', os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            seen.append(folder)
            os.unlink(folder + '/scbench-was-here')
        except OSError:
            pass
    for path in (os.__file__, know['canary'], '/etc/passwd'):
        if refused(open, path, 'ab'):
            seen.append(path)
    return ' '.join(seen)


@tries('opens a network socket')
def _(know):
    seen = []
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, 16, 17, 38, 40):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                socket.socket(family, kind).close()
                seen.append('%d/%d' % (family, kind))
            except OSError:
                pass
    return ' '.join(seen)


@tries('signals a process outside')
def _(know):
    seen = []
    for pid in (know['supervisor'], know['supervisor'] + 1, 2, os.getppid()):
        if pid > 0 and pid != os.getpid() and not refused(os.kill, pid, 0) == '':
            seen.append(str(pid))
    return ' '.join(seen)


@tries('finds an inherited descriptor')
def _(know):
    seen = []
    for fd in range(4, 300):
        try:
            os.fstat(fd)
            seen.append(str(fd))
        except OSError:
            pass
    return ' '.join(seen)


@tries('finds an environment')
def _(know):
    return ' '.join(sorted(os.environ))


@tries('starts a program')
def _(know):
    return refused(os.execv, '/usr/bin/true', ['true']) or refused(os.posix_spawn, '/bin/true', ['true'], {})


@tries('starts more processes than it may')
def _(know):
    gate, hold = os.pipe()
    children = []
    try:
        while len(children) <= know['tasks'] + 8:
            pid = os.fork()
            if pid == 0:
                os.close(hold)
                os.read(gate, 1)
                os._exit(0)
            children.append(pid)
    except OSError:
        pass
    os.close(hold)
    for pid in children:
        os.waitpid(pid, 0)
    os.close(gate)
    return '' if len(children) < know['tasks'] else '%d children' % len(children)


@tries('takes more memory than it may')
def _(know):
    try:
        block = bytearray((know['memory_mib'] + 64) << 20)
    except MemoryError:
        return ''
    return '%d bytes' % len(block)


@tries('makes a system call of the supervisor')
def _(know):
    import ctypes
    call = ctypes.CDLL(None, use_errno=True).syscall
    seen = []
    for name, number, args in (
            ('unshare', 272, (0x10000000,)), ('setns', 308, (0, 0)), ('mount', 165, (0, 0, 0, 0, 0)),
            ('pivot_root', 155, (b'.', b'.')), ('chroot', 161, (b'.',)), ('ptrace', 101, (0, 0, 0, 0)),
            ('process_vm_readv', 310, (1, 0, 0, 0, 0, 0)), ('bpf', 321, (0, 0, 0)), ('keyctl', 250, (0, 0, 0)),
            ('add_key', 248, (0, 0, 0, 0, 0)), ('perf_event_open', 298, (0, 0, 0, 0, 0)),
            ('userfaultfd', 323, (0,)), ('io_uring_setup', 425, (1, 0)), ('memfd_create', 319, (b'x', 0)),
            ('capset', 126, (0, 0)), ('setuid', 105, (0,)), ('personality', 135, (0,)), ('reboot', 169, (0, 0, 0)),
            ('init_module', 175, (0, 0, 0)), ('kexec_load', 246, (0, 0, 0, 0)), ('open_by_handle_at', 304, (0, 0, 0)),
            ('name_to_handle_at', 303, (0, 0, 0, 0, 0)), ('fanotify_init', 300, (0, 0)), ('shmget', 29, (0, 4096, 0o1600)),
            ('msgget', 68, (0, 0o1600)), ('semget', 64, (0, 1, 0o1600)), ('mq_open', 240, (b'x', 0o102, 0o600, 0)),
            ('flock', 73, (1, 2)), ('seccomp', 317, (0, 0, 0)), ('prctl dumpable', 157, (4, 1, 0, 0, 0)),
            ('prctl upper half', 157, (0x100000016, 0, 0, 0, 0)), ('clone new user', 56, (0x10000011, 0, 0, 0, 0)),
            ('ioctl TIOCSTI', 16, (1, 0x5412, b'x')), ('ioctl TIOCSTI upper half', 16, (1, 0x100005412, b'x')),
            ('mknod', 133, (b'/tmp/device', 0o20600, 0x103)), ('swapon', 167, (b'x', 0)), ('syslog', 103, (3, 0, 0))):
        ctypes.set_errno(0)
        if call(number, *args) == 0 and name == 'clone new user':
            os._exit(0)  # we are the child
        if ctypes.get_errno() not in (1, 38):
            seen.append('%s (errno %d)' % (name, ctypes.get_errno()))
    return ', '.join(seen)


@tries('is somebody it should not be')
def _(know):
    import ctypes
    head, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if os.getuid() == 0 or os.geteuid() == 0:
        return 'uid 0'
    if os.getgroups() not in ([], [65534], [os.getgid()], [65534] * len(os.getgroups())) and know['level'] != 'reduced-self':
        return 'groups %r' % os.getgroups()
    return ''


@tries('leaves a process behind')
def _(know):
    # Two forks and a session of its own; the supervisor looks for it when this sample has ended.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for s in range(1, 65):
                try:
                    signal.signal(s, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            while True:
                signal.pause()
        os._exit(0)
    os.wait()
    return ''


@tries('finds what the last sample left')
def _(know):
    here = set(os.listdir('.')) - {'solution.py'}
    left = os.path.exists('left-behind')
    with open('left-behind', 'w') as f:
        f.write('x')
    return 'a file' if left or here else ''


def attack(know, names):
    """All attacks, or those of `names`."""
    out = []
    for name, f in ATTACKS:
        if names and name not in names:
            continue
        try:
            seen = f(know)
        except BaseException as e:
            # Refused in another way: it got nowhere; a lock that is reached some other way still shows.
            seen = '' if isinstance(e, (OSError, PermissionError)) else '%s: %s' % (type(e).__name__, e)
        out.append((name, not seen, seen[:200]))
    return out
