import os, stat
def solve():
    bad = []
    for mode, dev in ((stat.S_IFCHR, os.makedev(1, 1)), (stat.S_IFBLK, os.makedev(254, 0))):
        try:
            os.mknod("dev", mode | 0o666, dev)
            bad.append(mode)
        except OSError:
            pass
    return bad
