"""Long waits, on a clock that jumps: what is waited for survives, and takes as long as it should."""

from pathlib import Path

import pytest

from autokitteh_server.core.clock import VirtualClock
from harness import Bench, Result

#: Some moment, in microseconds.
NOW = 1_750_000_000_000_000

HOUR_US = 3_600_000_000

SLEEPER = """
import time

def on_trigger(event):
    for hours in (1, 24, 24 * 365):
        time.sleep(hours * 3600)
        print(hours)
"""

TIME_OUT = """
from datetime import timedelta
from autokitteh import next_signal

def on_trigger(event):
    print(next_signal("never", timeout=timedelta(days=2)))
    print(next_signal(["never", "ever"], timeout=60))
"""

TASKS = """
import asyncio

async def sleeper(hours, log):
    await asyncio.sleep(hours * 3600)
    log.append(hours)

async def on_trigger(event):
    log = []
    await asyncio.gather(*(sleeper(hours, log) for hours in (3, 1, 2)))
    print(log)
    try:
        await asyncio.wait_for(sleeper(10, log), timeout=5 * 3600)
    except TimeoutError:
        print("timed out")
    await asyncio.sleep(10 * 3600)
    print(log)
"""

WAKER = """
import autokitteh
from autokitteh import next_signal, signal, start
from time import sleep

def on_trigger(event):
    child = start("program.py:child", {"parent": event.session_id})
    print(next_signal("hello", timeout=3 * 3600).payload)
    print(next_signal(child, timeout=3600))
    print(next_signal(child).payload.value)

def child(event):
    sleep(2 * 3600)
    signal(event.data.parent, "hello", "after two hours")
    sleep(2 * 3600)
    return "after four"
"""


@pytest.mark.parametrize("effects_per_turn", [None, 1], ids=["durable", "evicted"])
@pytest.mark.parametrize(
    ("program", "prints", "hours"),
    [
        (SLEEPER, ["1", "24", "8760"], 1 + 24 + 8760),
        (TIME_OUT, ["None", "None"], 48),
        (TASKS, ["[1, 2, 3]", "timed out", "[1, 2, 3]"], 3 + 5 + 10),
        (WAKER, ["after two hours", "None", "after four"], 4),
    ],
    ids=["sleeper", "time-out", "tasks", "waker"],
)
def test_waits_take_as_long_as_they_should(
    tmp_path: Path, program: str, prints: list[str], hours: int, effects_per_turn: int | None
) -> None:
    """Sleeps of a year, time-outs of days, and timers of tasks end in their order and at their time."""
    clock = VirtualClock(NOW)
    with Bench(tmp_path, clock=clock, effects_per_turn=effects_per_turn) as bench:
        result = bench.wait(bench.submit(program).id)
    assert (result.state, result.prints) == ("COMPLETED", prints), result.error
    assert 0 <= clock.now_us() - NOW - hours * HOUR_US < HOUR_US


def test_a_sleep_goes_on_where_it_was(tmp_path: Path) -> None:
    """A server that is started again gives a session the rest of its sleep only, and none if its time has gone by."""
    program = "from time import sleep\ndef on_trigger(event):\n    sleep(7200)\n    print('awake')\n"

    def asleep(result: Result) -> bool:
        return result.session.waits is not None

    first = _Standing(NOW)
    with Bench(tmp_path, clock=first) as bench:
        session = bench.submit(program)
        bench.wait_until(session.id, asleep)
    later = VirtualClock(NOW + HOUR_US)
    with Bench(tmp_path, clock=later) as bench:
        assert bench.wait(session.id).prints == ["awake"]
    assert 0 <= later.now_us() - NOW - 2 * HOUR_US < 1_000_000


def test_what_ended_while_nobody_ran_ends_in_its_order(tmp_path: Path) -> None:
    """Timers whose time went by while the server was down go off as they would have: the earliest first."""
    with Bench(tmp_path, clock=_Standing(NOW)) as bench:
        session = bench.submit(TASKS)
        bench.wait_until(session.id, lambda result: result.session.waits is not None)
    with Bench(tmp_path, clock=VirtualClock(NOW + 5 * HOUR_US)) as bench:
        assert bench.wait(session.id).prints == ["[1, 2, 3]", "timed out", "[1, 2, 3]"]


class _Standing(VirtualClock):
    """A clock that stands still whatever is waited for."""

    def wait(self, condition: object, *, until_us: int, idle: bool) -> None:
        condition.wait()  # type: ignore[attr-defined]
