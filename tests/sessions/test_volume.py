"""Sessions that do a great deal."""

from pathlib import Path

import pytest

from harness import Bench

MANY_CALLS = """
def step(n):
    return n + 1

def on_trigger(event):
    n = 0
    for _ in range(1_000_000):
        n = step(n)
    return n
"""

MANY_RECORDS = """
import time
from autokitteh import activity

@activity
def work(n):
    return n

def on_trigger(event):
    total = 0
    for n in range(1500):
        total += work(n)
        if n % 100 == 0:
            print(n)
            time.time()
    time.sleep(0.03)
    return total
"""

MANY_PRINTS = """
def on_trigger(event):
    for n in range(20_000):
        print("line", n)
    print("x" * 250_000)
"""

MANY_TASKS = """
import asyncio
from autokitteh import activity

@activity
async def work(n):
    await asyncio.sleep(0)
    return n

async def both(n):
    await asyncio.sleep(0.001)
    return await work(n)

async def on_trigger(event):
    return sum(await asyncio.gather(*(both(n) for n in range(300))))
"""


@pytest.mark.slow
def test_a_million_calls_of_a_helper(durable: Bench) -> None:
    """Calls of the project's own functions leave no trace, and the session is not taken for one that hangs."""
    result = durable.wait(durable.submit(MANY_CALLS).id)
    assert (result.state, result.session.result, result.warnings, result.calls()) == ("COMPLETED", 1_000_000, [], [])


@pytest.mark.slow
def test_many_records(tmp_path: Path) -> None:
    """A session of thousands of records loses its process at the end, and is replayed."""
    with Bench(tmp_path, max_warm=0) as bench:
        result = bench.wait(bench.submit(MANY_RECORDS).id)
    assert (result.state, result.session.result) == ("COMPLETED", sum(range(1500)))
    assert result.prints == [str(n) for n in range(0, 1500, 100)]
    [resumed] = [r.result for r in result.records if r.result.startswith("resumed")]
    assert resumed == f"resumed, {1500 + 2 * 15} records replayed"


@pytest.mark.slow
def test_many_prints(durable: Bench) -> None:
    """All lines are there in their order, and one that is too long comes in pieces."""
    result = durable.wait(durable.submit(MANY_PRINTS).id)
    assert result.prints[:20_000] == [f"line {n}" for n in range(20_000)]
    assert [len(line) for line in result.prints[20_000:]] == [100_000, 100_000, 50_000]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["durable", "plain"])
def test_many_tasks_at_once(durable: Bench, way: str) -> None:
    """Hundreds of tasks sleep and call activities at the same time."""
    result = durable.wait(durable.submit(MANY_TASKS, durable=way == "durable").id)
    assert (result.state, result.session.result) == ("COMPLETED", sum(range(300)))
