"""A list that was shuffled has the same order after a crash."""

# /// session
# sweep = ["turn.before_commit", "turn.after_commit", "turn.after_ack"]
# prints = '''
# the same: True
# [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
# the same: True
# the same: True
# '''
# ///

import random
from time import sleep

from autokitteh import activity


@activity
def record(value):
    return repr(value)


def on_trigger(event):
    xs = list(range(10))
    random.shuffle(xs)
    first = record(xs)
    sleep(0.001)
    print("the same:", repr(xs) == first)
    print(sorted(xs))
    random.shuffle(xs)
    second = record(xs)
    print("the same:", repr(xs) == second)
    sleep(0.03)
    print("the same:", repr(xs) == second)
