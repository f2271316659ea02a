def solve(n)
    return 4
