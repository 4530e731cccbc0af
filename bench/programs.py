"""The program whose sessions are measured."""

PROGRAM = '''
import time

import autokitteh


@autokitteh.activity
def step(number):
    return {"number": number, "text": "x" * 200}


def on_trigger(event):
    for number in range(event.data.steps):
        step(number)


def helper(number):
    return number * 2 + 1


def run_helpers(count):
    for number in range(count):
        helper(number)


def on_local_calls(event):
    """Nanoseconds of a call of a local function: rewritten, and as plain Python runs it."""
    plain = {}
    exec(SOURCE_OF_PLAIN, plain)
    count = event.data.calls
    return {"rewritten": best(run_helpers, count), "plain": best(plain["run_helpers"], count)}


def best(function, count):
    times = []
    for _ in range(5):
        began = time.perf_counter()
        function(count)
        times.append(time.perf_counter() - began)
    return min(times) / count * 1e9


SOURCE_OF_PLAIN = """
def helper(number):
    return number * 2 + 1


def run_helpers(count):
    for number in range(count):
        helper(number)
"""
'''
