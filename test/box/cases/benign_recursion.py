def solve(n):
    return 0 if n == 0 else 1 + solve(n - 1)
