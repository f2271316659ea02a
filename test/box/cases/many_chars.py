import os
def solve(n):
    while True:
        os.write(1, b"x")
