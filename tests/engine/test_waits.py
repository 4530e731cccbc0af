"""Sleeping and waiting sessions: nothing is forgotten, whatever happens to servers and processes meanwhile."""

from pathlib import Path

import pytest

from autokitteh_server.core.clock import VirtualClock
from autokitteh_server.storage import signals
from engine.life import HOLD, Gate, in_activity, is_parked, processes, runner_pids, send, until, waits_for
from engine.stage import HandClock
from harness import Bench, Result

NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000

SLEEPER = """
import time

def main(event):
    print("sleeps")
    time.sleep(3600)
    print("awake")
"""


@pytest.mark.parametrize("max_warm", [0, 4])
def test_time_slept_before_a_restart_counts(tmp_path: Path, max_warm: int) -> None:
    """A session that was asleep when its server closed wakes at the moment that was recorded, not later."""
    clock = HandClock(NOW)
    with Bench(tmp_path, clock=clock, max_warm=max_warm) as bench:
        session = bench.submit(SLEEPER, "program.py:main")
        asleep = bench.wait_until(session.id, is_parked)
    assert asleep.session.waits is not None and asleep.session.waits[0].deadline_at is not None
    deadline = asleep.session.waits[0].deadline_at
    assert NOW + HOUR <= deadline < NOW + HOUR + 10_000_000
    clock.reach(deadline - 1_000_000)
    with Bench(tmp_path, clock=clock, max_warm=max_warm) as bench:
        other = bench.submit("def main(event):\n    print('meanwhile')\n", "program.py:main")
        bench.wait(other.id)
        assert bench.load(session.id).prints == ["sleeps"]
        clock.reach(deadline)
        result = bench.wait(session.id)
    assert (result.prints, processes(result)) == (["sleeps", "awake"], 2)
    (woke,) = (record for record in result.records if record.kind == "sleep" and record.phase == "done")
    assert deadline <= woke.finished_at < deadline + 1_000_000


def test_a_deadline_that_passed_while_no_server_ran_is_over_at_the_start(tmp_path: Path) -> None:
    """Whoever should have woken in the meantime wakes at once."""
    with Bench(tmp_path, clock=HandClock(NOW)) as bench:
        session = bench.submit(SLEEPER, "program.py:main")
        bench.wait_until(session.id, is_parked)
    with Bench(tmp_path, clock=HandClock(NOW + 2 * HOUR)) as bench:
        assert bench.wait(session.id).prints == ["sleeps", "awake"]


def test_long_sleeps_cost_no_time_under_a_virtual_clock(tmp_path: Path) -> None:
    """Sessions that sleep for years, side by side, wake in the order of their deadlines."""
    program = HOLD + "def main(event):\n    time.sleep(event.data.s)\n    count(event.data.file, str(event.data.s))\n"
    seconds = [100_000_000, 1_000, 50_000_000]
    with Bench(tmp_path, clock=VirtualClock(NOW), max_runners=1, max_warm=1) as bench:
        file = tmp_path / "order"
        found = [bench.submit(program, "program.py:main", data={"s": s, "file": str(file)}).id for s in seconds]
        for session_id in found:
            assert bench.wait(session_id).state == "COMPLETED"
    assert sorted(file.read_text().split(), key=int) == [str(s) for s in sorted(seconds)]


def test_a_signal_that_woke_nobody_is_found_at_the_next_start(tmp_path: Path, store_url: str) -> None:
    """As when a server dies between the commit of a signal and the wake-up that follows."""
    program = HOLD + "def main(event):\n    print(next_signal('go', timeout=3600).payload)\n"
    with Bench(tmp_path, db=store_url) as bench:
        session = bench.submit(program, "program.py:main")
        bench.wait_until(session.id, is_parked)
        assert bench.server is not None
        bench.server.database.write(lambda conn: signals.send(conn, session.id, "go", "found", now=1))
    with Bench(tmp_path, db=store_url) as bench:
        assert bench.wait(session.id).prints == ["found"]


CROWD = (
    HOLD
    + """
def talk(event, session_id):
    for number in range(event.data.times):
        signal(event.data.to, "said", [event.data.who, number])
    return event.data.who

def main(event, session_id):
    children = [start("program.py:talk", {"to": session_id, "who": who, "times": 20}) for who in range(3)]
    for _ in range(60):
        print(*next_signal("said").payload)
    for child in children:
        end = next_signal(child)
        print(end.name == child, end.payload.completed, end.payload.value)
"""
)


@pytest.mark.parametrize("settings", [{}, {"max_warm": 0, "max_runners": 2}, {"max_runners": 1}], ids=str)
def test_signals_arrive_in_order_none_lost_and_none_twice(
    tmp_path: Path, store_url: str, settings: dict[str, int]
) -> None:
    """Three children talk to their parent at once: it hears all of each, in order, and then of their ends."""
    with Bench(tmp_path, db=store_url, **settings) as bench:
        result = bench.wait(bench.submit(CROWD, "program.py:main").id)
    assert result.state == "COMPLETED", result.error
    said = [line.split() for line in result.prints[:60]]
    for who in range(3):
        assert [number for speaker, number in said if speaker == str(who)] == [str(number) for number in range(20)]
    assert result.prints[60:] == [f"True True {who}" for who in range(3)]


def test_a_wait_with_a_time_out_gives_none_when_it_is_over(tmp_path: Path) -> None:
    """Nothing came in time: None. What came before the time was over is given, whichever of the names it has."""
    program = (
        HOLD
        + """
def main(event, session_id):
    print(next_signal("never", timeout=86_400))
    signal(session_id, "b", 2)
    signal(session_id, "a", 1)
    for _ in range(3):
        found = next_signal(["a", "b"], timeout=60)
        print(found and (found.name, found.payload))
    print(next_signal("never", timeout=0))
"""
    )
    with Bench(tmp_path, clock=VirtualClock(NOW)) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
    assert result.prints == ["None", "('b', 2)", "('a', 1)", "None", "None"]


def test_how_children_end_is_told_to_their_parent(tmp_path: Path) -> None:
    """Returned, raised, stopped, and with a process that always dies."""
    program = (
        HOLD
        + """
def good(event):
    return {"n": 1}

def bad(event):
    raise ValueError("no")

def endless(event):
    next_signal("never")

def deadly(event):
    os.kill(os.getpid(), 9)

def main(event):
    for name in ("good", "bad", "endless", "deadly"):
        child = start(f"program.py:{name}")
        print(child)
        print(name, next_signal(child).payload)
"""
    )
    with Bench(tmp_path, max_failures=2) as bench:
        session = bench.submit(program, "program.py:main")
        waits = bench.wait_until(session.id, lambda result: len(result.prints) == 5)
        child = waits.prints[4]
        bench.wait_until(child, is_parked)
        assert bench.server is not None
        bench.server.scheduler.stop(child, force=False)
        result = bench.wait(session.id)
    assert result.prints[1::2] == [
        "good {'completed': True, 'value': {'n': 1}}",
        "bad {'completed': False}",
        "endless {'completed': False}",
        "deadly {'completed': False}",
    ]


def test_a_signal_to_who_is_over_is_no_error_and_to_nobody_is(tmp_path: Path) -> None:
    """A session that is over gets it no more; an id that was never given is a mistake."""
    program = (
        HOLD
        + """
def child(event):
    pass

def main(event):
    over = start("program.py:child")
    next_signal(over)
    signal(over, "late", 1)
    try:
        signal("ses_00000000000000000000000000", "x")
    except autokitteh.AutoKittehError as err:
        print(err)
"""
    )
    with Bench(tmp_path) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
        assert bench.server is not None
        left = bench.server.database.read(lambda conn: signals.sessions_with_signals(conn))
    assert result.state == "COMPLETED" and "there is no session" in result.prints[0]
    assert not left


def test_a_signal_is_heard_while_an_async_activity_goes_on(tmp_path: Path, gate: Gate) -> None:
    """A wait for a signal that is there already does not wait for the activities under way."""
    program = (
        HOLD
        + """
import asyncio

@activity
async def hold_async(gate):
    await asyncio.to_thread(lambda: fcntl.flock(open(gate), fcntl.LOCK_SH))

async def main(event, session_id):
    signal(session_id, "go", 1)
    task = asyncio.create_task(hold_async(event.data.gate))
    await asyncio.sleep(0)
    print("heard", next_signal("go").payload)
    print(await task)
"""
    )
    with Bench(tmp_path) as bench:
        session = bench.submit(program, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(session.id, lambda result: result.prints == ["heard 1"])
        gate.open()
        assert bench.wait(session.id).prints == ["heard 1", "None"]


def test_a_timer_that_was_called_off_wakes_nobody(tmp_path: Path) -> None:
    """`asyncio.wait_for` over something quick leaves no wait behind; replay has the same timers."""
    program = (
        HOLD
        + """
import asyncio

async def quick(n):
    await asyncio.sleep(0.001)
    return n

async def main(event):
    print([await asyncio.wait_for(quick(n), 3600) for n in range(3)])
    try:
        await asyncio.wait_for(asyncio.sleep(7200), 60)
    except TimeoutError:
        print("timed out")
    print(next_signal("go", timeout=5))
"""
    )
    with Bench(tmp_path, clock=VirtualClock(NOW), max_warm=0) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
    assert result.prints == ["[0, 1, 2]", "timed out", "None"], result.error


def test_a_server_that_starts_finds_every_session_again(tmp_path: Path, store_url: str, gate: Gate) -> None:
    """In an activity, asleep, waiting for a signal, queued: closing loses none of them."""
    hold = HOLD + "def main(event):\n    print(hold(event.data.gate))\n"
    listen = HOLD + "def main(event):\n    print(next_signal('go').payload)\n"
    with Bench(tmp_path, db=store_url, max_runners=1) as bench:
        waiting = bench.submit(listen, "program.py:main").id
        bench.wait_until(waiting, waits_for("go"))
        busy = bench.submit(hold, "program.py:main", data={"gate": str(gate.path)}).id
        bench.wait_until(busy, in_activity("hold"))
        queued = bench.submit(hold, "program.py:main", data={"gate": str(gate.path), "n": 2}).id
    gate.open()
    with Bench(tmp_path, db=store_url, max_runners=1) as bench:
        send(bench, waiting, "go", "gone")
        results = [bench.wait(session_id) for session_id in (busy, queued, waiting)]
        until(lambda: not runner_pids(bench))
    assert [result.prints for result in results] == [["through"], ["through"], ["gone"]]
    assert [attempts(result) for result in results] == [[1, 2], [1], []]


def attempts(result: Result) -> list[int]:
    """The attempts of a session's activities, in the order of their starts."""
    return [record.attempt for record in result.calls("start")]
