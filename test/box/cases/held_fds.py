import os
def solve():
    bad = []
    for fd in range(4, 1024):
        try:
            os.fstat(fd)
            bad.append(fd)
        except OSError:
            pass
    return bad
