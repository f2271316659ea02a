def solve(a, b):
    b.clear(); b.extend(a)
    return a
