def solve(a, d, s):
    a.sort()
    d["x"] = 1
    s.add(9)
    return a
