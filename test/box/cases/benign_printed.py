def solve(n):
    print("n is", n)
