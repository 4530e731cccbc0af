"""Lambdas, closures and bound methods can be handed to activities."""

# /// session
# prints = '''
# ['ANN', 'BOB']
# [3, 2, 1]
# 11
# ['0:a', '1:b']
# 5 calls
# '''
# ///

from autokitteh import activity


@activity
def apply(fn, items):
    return [fn(item) for item in items]


@activity
def ordered(items, key):
    return sorted(items, key=key)


class Counter:
    def __init__(self):
        self.calls = 0

    def count(self, item):
        self.calls += 1
        return item


def on_trigger(event):
    print(apply(lambda name: name.upper(), ["ann", "bob"]))
    print(ordered([1, 2, 3], key=lambda n: -n))
    offset = 10

    def shifted(n):
        return n + offset

    print(sum(apply(shifted, [1])))
    print([f"{n}:{letter}" for n, letter in apply(lambda pair: pair, list(enumerate("ab")))])
    counter = Counter()
    apply(counter.count, range(5))
    print(counter.calls, "calls")
