import threading, time
threading.stack_size(64 << 20)
def solve(x):
    t = []
    def w():
        time.sleep(30)
    for i in range(100):
        th = threading.Thread(target=w, daemon=True); th.start(); t.append(th)
    return 4
