def solve(x): return x ** 20000
