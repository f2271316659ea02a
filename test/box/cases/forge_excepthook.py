import sys
sys.excepthook = lambda *a: None
sys.unraisablehook = lambda *a: None
def solve(x):
    raise AssertionError('own')
