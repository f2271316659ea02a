class R:
    def __repr__(self): return repr(self)
    __str__ = __repr__
def solve(x): return R()
