from functools import lru_cache, reduce, cmp_to_key
@lru_cache(None)
def f(n): return n if n < 2 else f(n-1) + f(n-2)
def solve(x): return f(300), sorted([3,1,2], key=cmp_to_key(lambda a, b: a - b)), reduce(lambda a, b: a * b, range(1, 6))
