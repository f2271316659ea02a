def solve(x): return {frozenset({1, 2}), (1, 'a'), b'q', None, 2.5, float('inf'), 1+2j}
