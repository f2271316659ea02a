import re
def solve(n):
    return re.match("(a+)+$", "a" * 60 + "b")
