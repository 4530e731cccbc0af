"""Sleeps: long, short, of zero; a negative one and one of no number fail at once, as in plain Python."""

# /// session
# prints = '''
# slept 0.03 0 True
# ValueError: sleep length must be non-negative
# TypeError
# numpy-like
# loop 0
# loop 1
# loop 2
# aliases
# '''
# ///

import time
from fractions import Fraction
from time import sleep

snooze = sleep


def on_trigger(event):
    sleep(0.03)
    time.sleep(0)
    sleep(True and 0.001)
    print("slept 0.03 0 True")
    try:
        sleep(-1)
    except ValueError as err:
        print(f"ValueError: {str(err)[:33]}")
    try:
        sleep("1")
    except TypeError as err:
        print(type(err).__name__)
    sleep(float(Fraction(1, 1000)))
    print("numpy-like")
    for number in range(3):
        print("loop", number)
        time.sleep(0.025)
    snooze(0.001)
    list(map(sleep, [0.001]))
    print("aliases")
