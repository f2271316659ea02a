import os
def solve():
    return sorted(os.environ)
