class It:
    def __iter__(self): return iter([1, 2, 3])
def solve(x): return It()
