class E(BaseException):
    pass
def solve(n):
    raise E("x")
