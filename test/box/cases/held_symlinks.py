import os
def solve():
    bad = []
    for t in ("/etc/shadow", "/", "/proc/self/root", "/dev/vda"):
        name = "l" + str(len(os.listdir(".")))
        os.symlink(t, name)
        try:
            bad.append((t, open(name, "rb").read(10)))
        except OSError:
            pass
        try:
            open(name + "/x", "w")
            bad.append(t + "/x")
        except OSError:
            pass
        try:
            os.link("/etc/passwd", "hard")
            bad.append("hard link")
        except OSError:
            pass
    return bad
