def solve(f, items):
    return [f(x) for x in items if x]
