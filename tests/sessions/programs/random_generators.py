"""Generators of one's own, seeded or not, and the system's go on where they were."""

# /// session
# prints = '''
# seeded: 42
# a generator: True
# reseeded: True
# the system's: True
# '''
# ///

import random

from autokitteh import activity


@activity
def record(value):
    return repr(value)


def on_trigger(event):
    seeded = random.Random(7)
    print("seeded:", seeded.randrange(1, 65))
    own = random.Random()
    numbers = [own.random() for _ in range(3)]
    kept = record(numbers)
    numbers += [own.random(), random.Random(None).random()]
    kept_later = record(numbers)
    print("a generator:", kept == repr(numbers[:3]) and kept_later == repr(numbers))
    random.seed(42)
    first = record(random.random())
    random.seed(42)
    print("reseeded:", first == repr(random.random()))
    system = random.SystemRandom()
    number = system.randrange(10**12)
    kept = record(number)
    record("a place to crash")
    print("the system's:", kept == repr(number))
