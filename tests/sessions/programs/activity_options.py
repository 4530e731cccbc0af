"""Activities on functions, coroutines and every kind of method; retries, a time-out, a name."""

# /// session
# prints = '''
# function method static class called
# coroutine coroutine method
# retried: ok
# gave up: ValueError('attempt')
# timed out: TimeoutError
# async timed out: TimeoutError
# '''
#
# [not_in]
# plain = "retries and time-outs are those of durable sessions"
# killed-later = "an activity that asks the server for something would be killed each time before its end"
# ///

import asyncio
import time

import autokitteh
from autokitteh import activity


@activity
def function():
    return "function"


@activity(name="renamed")
async def coroutine():
    await asyncio.sleep(0)
    return "coroutine"


class Worker:
    @activity
    def method(self):
        return "method"

    @activity
    @staticmethod
    def static():
        return "static"

    @classmethod
    @activity
    def of_class(cls):
        return "class"

    @activity
    def __call__(self):
        return "called"

    @activity
    async def coroutine(self):
        return "coroutine method"

    @activity(retries=2, retry_delay=0)
    def flaky(self):
        # Not an attribute: what a failed attempt did to its arguments is lost when the process is.
        if autokitteh.add_values("attempts", 1) < 3:
            raise ValueError("not yet")
        return "ok"


@activity(retries=1, retry_delay=0.001)
def hopeless():
    raise ValueError("attempt")


@activity(timeout=0.02)
def slow():
    time.sleep(5)


@activity(timeout=0.02)
async def slow_coroutine():
    await asyncio.sleep(5)


async def on_trigger(event):
    autokitteh.del_value("attempts")
    worker = Worker()
    print(function(), worker.method(), Worker.static(), worker.of_class(), worker())
    print(await coroutine(), await worker.coroutine())
    print("retried:", worker.flaky())
    try:
        hopeless()
    except ValueError as err:
        print(f"gave up: {err!r}")
    try:
        slow()
    except TimeoutError as err:
        print("timed out:", type(err).__name__)
    try:
        await slow_coroutine()
    except TimeoutError as err:
        print("async timed out:", type(err).__name__)
