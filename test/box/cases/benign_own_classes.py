import enum
class Color(enum.Enum):
    RED = 1
    BLUE = 2
class Box:
    def __init__(self):
        self.log, self.items = [], {1: 2}
    def __enter__(self):
        self.log.append("in")
        return self
    def __exit__(self, *how):
        self.log.append("out")
    def __repr__(self):
        return "Box!"
    def __delitem__(self, k):
        del self.items[k]
    def __int__(self):
        return 7
    def __index__(self):
        return 2
    def __float__(self):
        return 0.5
def solve():
    return Box()
