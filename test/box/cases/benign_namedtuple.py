from collections import namedtuple, OrderedDict, defaultdict, Counter, deque
P = namedtuple('P', 'x y')
def solve(x): return P(1, 2), OrderedDict(a=1), defaultdict(int, b=2), Counter('aab'), deque([1, 2])
