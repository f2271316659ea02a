class MyErr(ValueError): pass
def solve(x):
    raise MyErr('bad', x)
