import sys
def solve():
    print("out")
    print("err", file=sys.stderr)
    return 1
