"""Threads and processes are refused in workflow code, with a remedy, and work in activities."""

# /// session
# prints = '''
# threading.Thread: AutoKittehError True
# threading.Timer: AutoKittehError True
# ThreadPoolExecutor: AutoKittehError True
# run_in_executor: NotImplementedError True
# in an activity: [0, 1, 4]
# thread-local: 1
# lock: True
# '''
# not_in = { plain = "there they are allowed" }
# ///

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from autokitteh import activity


def work():
    pass


@activity
def squares(count):
    results = [0] * count

    def square(n):
        results[n] = n * n

    threads = [threading.Thread(target=square, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda n: n, results))


async def in_executor():
    await asyncio.get_running_loop().run_in_executor(None, work)


def on_trigger(event):
    attempts = {
        "threading.Thread": lambda: threading.Thread(target=work),
        "threading.Timer": lambda: threading.Timer(1, work),
        "ThreadPoolExecutor": lambda: ThreadPoolExecutor(2),
        "run_in_executor": lambda: asyncio.run(in_executor()),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except Exception as err:
            print(f"{name}: {type(err).__name__}", "asyncio." in str(err) or "@autokitteh.activity" in str(err))
    print("in an activity:", squares(3))
    local = threading.local()
    local.value = 1
    print("thread-local:", local.value)
    with threading.Lock():
        print("lock:", True)
