# Random numbers: the same in every run, others in each process that the program starts.
import os
import random


def solve():
    first = random.random()
    read, write = os.pipe()
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.write(write, repr(random.random()).encode() + b"\n")
            os._exit(0)
        os.waitpid(pid, 0)
    children = os.read(read, 200).split()
    return first, random.random(), len({*children, repr(random.random()).encode()})
