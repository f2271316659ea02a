def solve(n):
    r = []
    for i in range(n): r = [r]
    return r
