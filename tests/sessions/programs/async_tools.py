"""asyncio's own tools in workflow code: groups, queues, locks, events, time-outs, cancellation, threads, generators."""

# /// session
# prints = '''
# group: [1, 2]
# group failed: ['ValueError(2)']
# queue: ['0', '1', '2', 'end']
# lock: ['a in', 'a out', 'b in', 'b out']
# event: ['waited', 'set']
# timed out: wait_for
# timed out: timeout
# in time: 3
# cancelled: ['began', 'cancelled']
# shielded: 5
# thread: 6 MainThread False
# generator: [0, 1, 2]
# context: ['enter', 'body', 'exit']
# semaphore: 2
# task result: 9 True
# sleep result: x
# nested: 10
# '''
# ///

import asyncio
import contextlib
import threading

from autokitteh import activity


@activity
async def work(number, delay=0.0):
    await asyncio.sleep(delay)
    return number


@activity
async def fail(number):
    raise ValueError(number)


def blocking(number):
    return number, threading.current_thread().name


async def numbers(count):
    for number in range(count):
        yield await work(number)


@contextlib.asynccontextmanager
async def managed(log):
    log.append("enter")
    await work(0)
    yield log
    await asyncio.sleep(0.001)
    log.append("exit")


async def group():
    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(work(n)) for n in (1, 2)]
    print("group:", [task.result() for task in made])
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail(2))
            tasks.create_task(asyncio.sleep(30))
    except* ValueError as err:
        print("group failed:", [repr(e) for e in err.exceptions])


async def queue():
    items, got = asyncio.Queue(maxsize=1), []

    async def produce():
        for number in range(3):
            await items.put(str(await work(number)))
        await items.put("end")

    async def consume():
        while (item := await items.get()) != "end":
            got.append(item)
            await asyncio.sleep(0.001)
        got.append(item)

    await asyncio.gather(produce(), consume())
    print("queue:", got)


async def lock():
    mutex, log = asyncio.Lock(), []

    async def enter(name):
        async with mutex:
            log.append(f"{name} in")
            await work(0, 0.001)
            log.append(f"{name} out")

    await asyncio.gather(enter("a"), enter("b"))
    print("lock:", log)


async def event():
    flag, log = asyncio.Event(), []

    async def wait():
        await flag.wait()
        log.append("waited")

    waiting = asyncio.create_task(wait())
    await work(0)
    flag.set()
    await waiting
    log.append("set")
    print("event:", log)


async def time_outs():
    try:
        await asyncio.wait_for(asyncio.Event().wait(), timeout=0.01)
    except TimeoutError:
        print("timed out: wait_for")
    try:
        async with asyncio.timeout(0.03):
            await asyncio.sleep(60)
    except TimeoutError:
        print("timed out: timeout")
    print("in time:", await asyncio.wait_for(work(3), timeout=30))


async def cancellation():
    log = []

    async def sleeper():
        log.append("began")
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    task = asyncio.create_task(sleeper())
    await work(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    print("cancelled:", log)
    print("shielded:", await asyncio.shield(work(5)))


async def on_trigger(_):
    await group()
    await queue()
    await lock()
    await event()
    await time_outs()
    await cancellation()
    number, thread = await asyncio.to_thread(blocking, 6)
    print("thread:", number, threading.current_thread().name, thread == "MainThread")
    print("generator:", [number async for number in numbers(3)])
    log = []
    async with managed(log):
        log.append("body")
    print("context:", log)
    semaphore, at_once = asyncio.Semaphore(2), []

    async def limited():
        async with semaphore:
            at_once.append(2 - semaphore._value)
            await work(0)

    await asyncio.gather(*(limited() for _ in range(4)))
    print("semaphore:", max(at_once))
    task = asyncio.create_task(work(9))
    await task
    print("task result:", task.result(), task.done())
    print("sleep result:", await asyncio.sleep(0.001, "x"))
    print("nested:", await asyncio.create_task(asyncio.wait_for(asyncio.shield(work(10)), 5)))
