def solve(n):
    return 7 ** (7 ** 9)
