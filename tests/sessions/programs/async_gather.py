"""Async activities overlap, and what comes of them is the same in replay, whatever the order of their ends was."""

# /// session
# prints = '''
# [0, 1, 2, 3]
# overlapped: True
# same order: True [0, 1, 2, 3]
# as completed: True [0, 1, 2]
# first: True 1 2
# order of a set of tasks: True True 0
# errors: [0, 'ValueError: 1', 2]
# raised: ValueError
# '''
# ///

import asyncio

from autokitteh import activity

BEGUN = []


@activity
async def work(number, delay=0.0):
    await asyncio.sleep(delay)
    return number


@activity
async def meet(name):
    """Whether the other one has begun before this one ends."""
    BEGUN.append(name)
    for _ in range(50):
        if len(BEGUN) > 1:
            return True
        await asyncio.sleep(0.01)
    return False


@activity
async def fail_odd(number):
    if number % 2:
        raise ValueError(number)
    return number


@activity
def record(value):
    return repr(value)


async def on_trigger(event):
    print(await asyncio.gather(*(work(n, 0.004 - n / 1000) for n in range(4))))

    # One that has ended before a crash is not there to be met by the one that is repeated.
    print("overlapped:", any(await asyncio.gather(meet("a"), meet("b"))))

    order = []

    async def note(number):
        order.append(await work(number, 0.004 - number / 1000))

    await asyncio.gather(*(note(n) for n in range(4)))
    kept = record(order)
    print("same order:", kept == repr(order), sorted(order))

    completed = [await future for future in asyncio.as_completed([work(n, 0.003 - n / 1000) for n in range(3)])]
    kept = record(completed)
    print("as completed:", kept == repr(completed), sorted(completed))

    tasks = {asyncio.create_task(work(n, n / 100)) for n in range(3)}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    kept = record([task.result() for task in done])
    print("first:", kept == repr([task.result() for task in done]), len(done), len(pending))
    await asyncio.gather(*pending)

    done, pending = await asyncio.wait({asyncio.create_task(work(n)) for n in range(12)})
    order = [task.result() for task in done]
    kept = record(order)
    print("order of a set of tasks:", kept == repr(order), sorted(order) == list(range(12)), len(pending))

    results = await asyncio.gather(*(fail_odd(n) for n in range(3)), return_exceptions=True)
    print("errors:", [f"{type(r).__name__}: {r}" if isinstance(r, Exception) else r for r in results])
    try:
        await asyncio.gather(fail_odd(0), fail_odd(1))
    except ValueError as err:
        print("raised:", type(err).__name__)
