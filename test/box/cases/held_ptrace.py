import ctypes, os
def solve():
    c = ctypes.CDLL(None, use_errno=True)
    return [p for p in (1, os.getppid(), 2, 3) if c.ptrace(16, p, 0, 0) == 0]
