def solve(n):
    return list(range(5_000_000))
