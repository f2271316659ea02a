class Account:
    rate = 2
    def __init__(self, start=0):
        self.total = start
    def add(self, n):
        if n < 0:
            raise ValueError("negative")
        self.total += n
        return self
    def __len__(self):
        return self.total
    def __str__(self):
        return "Account %d" % self.total
    def __iter__(self):
        return iter([self.total])
