from collections import *
from fractions import Fraction
from decimal import Decimal
import datetime
def solve():
    return [None, True, 1 << 200, -5, 1.5, float("inf"), 2j, "a\ud800", b"x", bytearray(b"y"), (1,), {1: [2]}, {3}, frozenset([4]), range(3), Counter("aab"), OrderedDict(a=1), deque([1], 3), Fraction(1, 3), Decimal("1.50"), datetime.date(2020, 1, 2), datetime.timedelta(3), Ellipsis, int]
