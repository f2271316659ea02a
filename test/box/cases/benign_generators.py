import itertools
log = []
def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
def total():
    t = 0
    while True:
        t += yield t
def late():
    yield 1
    raise ValueError("late")
def logged():
    for i in range(3):
        log.append(i)
        yield i
class Steps:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n
def solve():
    return fib(), total(), late(), logged(), itertools.count(3), Steps(100000), map(str, [1, 2])
