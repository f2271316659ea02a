import os, tempfile
def solve():
    with tempfile.TemporaryDirectory() as d:
        p = os.path.join(d, "x")
        with open(p, "w") as f:
            f.write("h\u00e9")
        with open(p) as f:
            return f.read()
