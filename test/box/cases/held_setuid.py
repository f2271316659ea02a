import os
def solve():
    bad = []
    for f in (os.setuid, os.setgid, os.seteuid, os.setegid):
        try:
            f(0)
            bad.append(f.__name__)
        except OSError:
            pass
    return bad
