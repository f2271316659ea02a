class Base:
    def name(self):
        return "base " + self.own()
def solve():
    return Base
