import sys
sys.setrecursionlimit(10 ** 9)
def solve(n):
    x = lambda *a: max(0, key=x)
    f = lambda d: sorted([d], key=f)
    return f(1)
