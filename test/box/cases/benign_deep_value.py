def solve(n):
    a = []
    for _ in range(n):
        a = [a]
    return a
