"""What an activity changes through a closure, a bound method or a partial is changed after a crash, too."""

# /// session
# prints = '''
# bound method: 5
# method of a list: [1, 2]
# closure: ['a', 'b']
# own closure: ['c']
# partial: {'k': 1}
# nonlocal: 3
# callable object: 2
# default: [1]
# '''
# ///

import functools

from autokitteh import activity


@activity
def apply(fn, items):
    return [fn(item) for item in items] and len(items)


class Counter:
    def __init__(self):
        self.calls = 0

    def count(self, item):
        self.calls += 1

    def __call__(self, item):
        self.calls += 1


def set_key(table, key):
    table[key] = 1


def on_trigger(event):
    counter = Counter()
    apply(counter.count, range(5))
    print("bound method:", counter.calls)

    appended = []
    apply(appended.append, [1, 2])
    print("method of a list:", appended)

    seen = []
    apply(lambda item: seen.append(item), "ab")
    print("closure:", seen)

    own = []

    @activity
    def add(item):
        own.append(item)

    add("c")
    print("own closure:", own)

    table = {}
    apply(functools.partial(set_key, table), ["k"])
    print("partial:", table)

    total = 0

    def add_up(item):
        nonlocal total
        total += item

    apply(add_up, [1, 2])
    print("nonlocal:", total)

    called = Counter()
    apply(called, "xy")
    print("callable object:", called.calls)

    default = []

    def with_default(item, found=default):
        found.append(item)

    apply(with_default, [1])
    print("default:", default)
