import sys
def solve(x):
    while True:
        sys.stderr.write('e' * 1000); sys.stdout.write('o' * 1000)
