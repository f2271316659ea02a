import os, subprocess
def solve():
    bad = []
    for a in (["/bin/sh", "-c", "true"], ["/usr/bin/python3", "-c", ""]):
        try:
            subprocess.run(a)
            bad.append(a)
        except OSError:
            pass
    with open("x", "w") as f:
        f.write("#!/bin/sh\n")
    os.chmod("x", 0o755)
    try:
        os.execv("./x", ["x"])
    except OSError:
        pass
    return bad
