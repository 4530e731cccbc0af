"""Stopping a session, gently and by force, wherever it is."""

from pathlib import Path

import pytest

from engine.life import HOLD, Gate, in_activity, is_alive, is_parked, runner_pids, send, until
from harness import Bench, Result

PROGRAM = (
    HOLD
    + """
def main(event):
    print("began")
    print(hold(event.data.gate))
    print("never")
"""
)


def stop(bench: Bench, session_id: str, *, force: bool) -> None:
    """Order it."""
    assert bench.server is not None
    bench.server.scheduler.stop(session_id, force=force)


def check_stopped(result: Result) -> None:
    """Its row and its journal agree, and say it once."""
    assert (result.state, result.error, result.session.waits) == ("STOPPED", "stopped", None)
    assert [record.name for record in result.records if record.kind == "state"][-1] == "STOPPED"
    assert sum(record.name == "STOPPED" for record in result.records) == 1
    assert result.records[-1].name == "STOPPED"


@pytest.mark.parametrize("force", [False, True])
def test_in_an_activity(tmp_path: Path, gate: Gate, force: bool) -> None:
    """Gently: the activity ends and is recorded, and nothing comes after it. By force: it is cut off."""
    with Bench(tmp_path) as bench:
        session = bench.submit(PROGRAM, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(session.id, in_activity("hold"))
        (pid,) = runner_pids(bench)
        stop(bench, session.id, force=force)
        if force:
            until(lambda: not is_alive(pid))
        else:
            assert bench.load(session.id).state == "RUNNING" and is_alive(pid)
            gate.open()
        result = bench.wait(session.id)
        until(lambda: not is_alive(pid))
    check_stopped(result)
    assert (result.prints, len(result.calls())) == (["began"], 0 if force else 1)


def test_first_gently_and_then_by_force(tmp_path: Path, gate: Gate) -> None:
    """Who has waited long enough for an activity to end need not wait any longer."""
    with Bench(tmp_path) as bench:
        session = bench.submit(PROGRAM, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(session.id, in_activity("hold"))
        stop(bench, session.id, force=False)
        assert bench.load(session.id).state == "RUNNING"
        stop(bench, session.id, force=True)
        check_stopped(bench.wait(session.id))


def test_several_activities_under_way_all_end(tmp_path: Path, gate: Gate) -> None:
    """Gently means for each of those that overlap."""
    program = (
        HOLD
        + """
import asyncio

@activity
async def hold_async(gate, n):
    await asyncio.to_thread(lambda: fcntl.flock(open(gate), fcntl.LOCK_SH))
    return n

async def main(event):
    print(await asyncio.gather(*(hold_async(event.data.gate, n) for n in range(3))))
"""
    )
    with Bench(tmp_path) as bench:
        session = bench.submit(program, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(session.id, lambda result: len(result.calls("start")) == 3)
        stop(bench, session.id, force=False)
        gate.open()
        result = bench.wait(session.id)
    check_stopped(result)
    assert (len(result.calls()), result.prints) == (3, [])


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("durable", [False, True])
def test_in_workflow_code_that_does_not_come_back(tmp_path: Path, force: bool, durable: bool) -> None:
    """There is nothing to wait for: the process is ended."""
    program = "def main(event):\n    print('began')\n    while True:\n        pass\n"
    with Bench(tmp_path) as bench:
        session = bench.submit(program, "program.py:main", durable=durable)
        bench.wait_until(session.id, lambda result: result.prints == ["began"])
        stop(bench, session.id, force=force)
        check_stopped(bench.wait(session.id))
        until(lambda: not runner_pids(bench))


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("max_warm", [0, 4])
def test_while_it_waits(tmp_path: Path, force: bool, max_warm: int) -> None:
    """Asleep or waiting for a signal it has no turn: it is stopped in the database, and its process is let go."""
    program = HOLD + "def main(event):\n    print('began')\n    next_signal('go', timeout=3600)\n    print('never')\n"
    with Bench(tmp_path, max_warm=max_warm) as bench:
        session = bench.submit(program, "program.py:main")
        bench.wait_until(session.id, is_parked)
        stop(bench, session.id, force=force)
        send(bench, session.id, "go")
        result = bench.wait(session.id)
        until(lambda: not runner_pids(bench))
    check_stopped(result)
    assert result.prints == ["began"]


def test_while_it_is_queued(tmp_path: Path, gate: Gate) -> None:
    """It never begins, and does not take a turn from others."""
    with Bench(tmp_path, max_runners=1) as bench:
        busy = bench.submit(PROGRAM, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(busy.id, in_activity("hold"))
        queued = bench.submit(PROGRAM, "program.py:main", data={"gate": str(gate.path), "n": 2})
        stop(bench, queued.id, force=False)
        check_stopped(bench.wait(queued.id))
        gate.open()
        assert bench.wait(busy.id).state == "COMPLETED"
        assert len(bench.load(queued.id).records) == 1


@pytest.mark.parametrize("force", [False, True])
def test_when_it_is_over(tmp_path: Path, force: bool) -> None:
    """It stays what it is."""
    with Bench(tmp_path) as bench:
        session = bench.submit("def main(event):\n    return 7\n", "program.py:main")
        before = bench.wait(session.id)
        stop(bench, session.id, force=force)
        stop(bench, "ses_00000000000000000000000000", force=force)
        assert bench.load(session.id) == before


def test_a_stopped_session_stays_so_after_a_restart(tmp_path: Path, gate: Gate) -> None:
    """No server gives it a turn again."""
    with Bench(tmp_path) as bench:
        session = bench.submit(PROGRAM, "program.py:main", data={"gate": str(gate.path)})
        bench.wait_until(session.id, in_activity("hold"))
        stop(bench, session.id, force=True)
        before = bench.wait(session.id)
    with Bench(tmp_path) as bench:
        bench.wait(bench.submit("def main(event):\n    pass\n", "program.py:main").id)
        assert bench.load(session.id) == before
