def solve(n):
    m = (1 << 61) - 1
    return [i * m for i in range(1, 60000)]
