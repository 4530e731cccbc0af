"""Sleeps of many tasks at once, blocking effects between awaits, and asyncio.run in a handler that is not async."""

# /// session
# prints = '''
# woke: [1, 2, 3]
# blocking inside: /
# loops: 1 2
# returned: coroutine of the handler
# time went on: True
# '''
# ///

import asyncio
import os
import time

from autokitteh import activity


@activity
def record(value):
    return repr(value)


async def sleepers():
    woken = []

    async def sleeper(number):
        await asyncio.sleep(number * 0.015)
        woken.append(number)
        record(number)

    await asyncio.gather(*(sleeper(n) for n in (3, 1, 2)))
    print("woke:", woken)


async def blocking():
    time.sleep(0.001)
    await asyncio.sleep(0)
    print("blocking inside:", os.path.realpath("/"))


async def one(number):
    await asyncio.sleep(0.001)
    return number


def helper():
    return one(2)


async def show():
    return "coroutine of the handler"


def on_trigger(event):
    asyncio.run(sleepers())
    asyncio.run(blocking())
    print("loops:", asyncio.run(one(1)), asyncio.run(helper()))
    print("returned:", asyncio.run(show()))
    before = time.time()
    asyncio.run(asyncio.sleep(0.03))
    print("time went on:", time.time() - before >= 0.03)
