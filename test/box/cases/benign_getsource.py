import inspect
def solve():
    return inspect.getsource(solve)
