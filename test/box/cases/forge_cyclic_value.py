def solve(n):
    x = []
    x.append(x)
    return x
