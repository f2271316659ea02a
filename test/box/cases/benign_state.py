counter, log = 0, []
class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next
nodes = [Node(i) for i in range(100)]
def solve():
    global counter
    counter += 1
    log.append(counter)
    return nodes
