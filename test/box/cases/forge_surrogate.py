def solve(x): return '\ud800abc'
