import enum
class C(enum.IntEnum):
    A = 4
def solve(x): return C.A
