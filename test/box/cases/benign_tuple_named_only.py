from collections import namedtuple
P = namedtuple('P', 'x y')
def solve(x): return P(1, 2)
