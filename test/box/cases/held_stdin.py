import sys
def solve():
    try:
        return [input()]
    except EOFError:
        return []
