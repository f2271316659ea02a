def solve(x):
    raise StopIteration(4)
