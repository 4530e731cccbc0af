"""Turns of real sessions: who owns a session, which process it has, and what a server's own troubles do to it."""

import dataclasses
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from autokitteh_runner.protocol import Launch, Limits
from autokitteh_server.core.clock import VirtualClock
from autokitteh_server.core.entities import Session
from autokitteh_server.core.errors import InternalError
from autokitteh_server.core.journal import Record
from autokitteh_server.engine.control import TurnControl
from autokitteh_server.engine.turn import TurnEnd, run_turn
from autokitteh_server.runners.places import Place
from autokitteh_server.runners.pool import RunnerPool
from autokitteh_server.runners.process import ForkServer
from autokitteh_server.storage import journal, schema, sessions
from engine.life import (
    HOLD,
    Gate,
    in_activity,
    is_alive,
    is_parked,
    kill,
    processes,
    runner_pids,
    send,
    until,
    waits_for,
)
from harness import Bench
from postgres_cluster import Cluster

TWO_SIGNALS = (
    HOLD
    + """
def main(event):
    print("began")
    print(next_signal("one").payload)
    print(next_signal("two").payload)
"""
)


def test_a_second_owner_fences_off_the_first(tmp_path: Path, store_url: str, gate: Gate) -> None:
    """Nothing of the first is written after the claim of the second, and its process is thrown away."""
    program = HOLD + "def main(event):\n    print('before')\n    hold(event.data.gate)\n    print('after')\n"
    with Bench(tmp_path, db=store_url) as bench:
        session = bench.submit(program, "program.py:main", data={"gate": str(gate.path)})
        before = bench.wait_until(session.id, in_activity("hold"))
        assert bench.server is not None
        claimed = bench.server.database.write(lambda conn: sessions.claim(conn, session.id, now=1))
        assert claimed is not None and claimed.epoch == 2
        (pid,) = runner_pids(bench)
        gate.open()
        until(lambda: not is_alive(pid))
        after = bench.load(session.id)
        assert after.records == before.records
        assert (after.session.epoch, after.state) == (2, "RUNNING")
        bench.server.scheduler.start(session.id, session.project_id)
        result = bench.wait(session.id)
    assert (result.prints, [r.attempt for r in result.calls()]) == (["before", "after"], [2])


def test_a_kept_process_that_missed_what_another_server_did_is_not_used(tmp_path: Path, store_url: str) -> None:
    """Two servers share a database: the first one's process knows nothing of the turns that the second gave."""
    (tmp_path / "other").mkdir()
    with Bench(tmp_path, db=store_url) as here:
        session = here.submit(TWO_SIGNALS, "program.py:main")
        here.wait_until(session.id, is_parked)
        (stale,) = runner_pids(here)
        with Bench(tmp_path / "other", db=store_url, is_only=False) as there:
            send(there, session.id, "one", 1)
            there.wait_until(session.id, lambda result: result.prints[1:] == ["1"] and is_parked(result))
        assert here.server is not None
        send(here, session.id, "two", 2)
        here.server.scheduler.start(session.id, session.project_id)
        result = here.wait(session.id)
        assert not is_alive(stale)
    assert (result.prints, result.error, processes(result)) == (["began", "1", "2"], "", 3)


def test_a_kept_process_goes_on_without_replay(tmp_path: Path) -> None:
    """A session whose process is kept has one process in all."""
    with Bench(tmp_path) as bench:
        session = bench.submit(TWO_SIGNALS, "program.py:main")
        for name in ("one", "two"):
            bench.wait_until(session.id, waits_for(name))
            send(bench, session.id, name, name)
        result = bench.wait(session.id)
    assert (result.prints, processes(result)) == (["began", "one", "two"], 1)


def test_an_evicted_process_is_replaced_by_replay(tmp_path: Path) -> None:
    """A session whose process is not kept has one for each turn, and nothing is done twice."""
    with Bench(tmp_path, max_warm=0) as bench:
        session = bench.submit(TWO_SIGNALS, "program.py:main")
        for name in ("one", "two"):
            bench.wait_until(session.id, waits_for(name))
            until(lambda: not runner_pids(bench))
            send(bench, session.id, name, name)
        result = bench.wait(session.id)
    assert (result.prints, processes(result)) == (["began", "one", "two"], 3)


def test_waiting_sessions_keep_no_more_processes_than_allowed(tmp_path: Path) -> None:
    """Twelve sessions wait with three processes; then all of them come to their end."""
    with Bench(tmp_path, max_warm=3, max_runners=4) as bench:
        waiting = [bench.submit(TWO_SIGNALS, "program.py:main", data={"n": number}).id for number in range(12)]
        for session_id in waiting:
            bench.wait_until(session_id, is_parked)
        until(lambda: len(runner_pids(bench)) == 3)
        for session_id in waiting:
            send(bench, session_id, "two", session_id)
            send(bench, session_id, "one", 1)
        results = [bench.wait(session_id) for session_id in waiting]
    assert [result.prints for result in results] == [["began", "1", session_id] for session_id in waiting]


def test_a_wake_up_for_nothing_does_not_hold_a_turn(tmp_path: Path) -> None:
    """A session that has its turn and nothing to do gives it back, with its process kept."""
    with Bench(tmp_path, max_runners=1) as bench:
        idle = bench.submit(TWO_SIGNALS, "program.py:main")
        bench.wait_until(idle.id, is_parked)
        assert bench.server is not None
        bench.server.scheduler.start(idle.id, idle.project_id)
        other = bench.submit("def main(event):\n    print('here')\n", "program.py:main")
        assert bench.wait(other.id).prints == ["here"]
        send(bench, idle.id, "one", 1)
        send(bench, idle.id, "two", 2)
        result = bench.wait(idle.id)
    assert (result.prints, processes(result)) == (["began", "1", "2"], 1)


def test_a_kept_process_that_died_is_no_failure_of_its_session(tmp_path: Path) -> None:
    """Another one takes its place, and nobody is blamed."""
    with Bench(tmp_path, max_failures=1) as bench:
        session = bench.submit(TWO_SIGNALS, "program.py:main")
        bench.wait_until(session.id, is_parked)
        (pid,) = runner_pids(bench)
        kill(pid)
        send(bench, session.id, "one", 1)
        send(bench, session.id, "two", 2)
        result = bench.wait(session.id)
    assert (result.prints, result.state, result.warnings) == (["began", "1", "2"], "COMPLETED", [])


def test_a_record_that_somebody_else_wrote_makes_the_turn_begin_anew(
    tmp_path: Path, store_url: str, gate: Gate
) -> None:
    """The second guard: the store refuses the doubled record, and the next claim reads what is there.

    It counts as a failure, for it may also be that the code forges records.
    """
    program = HOLD + "def main(event):\n    print(hold(event.data.gate))\n"
    with Bench(tmp_path, db=store_url) as bench:
        session = bench.submit(program, "program.py:main", data={"gate": str(gate.path)})
        held = bench.wait_until(session.id, in_activity("hold"))
        (start,) = held.calls("start")
        foreign = start._replace(phase="done", codec="pickle", payload=b"\x80\x04\x8c\x07foreign\x94.")
        assert bench.server is not None
        bench.server.database.write(lambda conn: journal.insert(conn, session.id, [foreign]))
        gate.open()
        result = bench.wait(session.id)
    assert (result.prints, len(result.calls()), result.session.failures) == (["foreign"], 1, 1)
    (warning,) = result.warnings
    assert "sent a record that the journal has already" in warning


@pytest.mark.postgres
def test_a_database_that_goes_away_for_a_moment_costs_nothing(
    tmp_path: Path, postgres_cluster: Cluster, postgres_template: str, gate: Gate
) -> None:
    """All connections are cut in the middle of sessions: they go on, with every effect once."""
    program = (
        HOLD + "def main(event):\n    hold(event.data.gate)\n    print([count(event.data.file) for _ in range(20)])\n"
    )
    name = postgres_cluster.create_database(template=postgres_template)
    with Bench(tmp_path, db=postgres_cluster.url(name), max_runners=4) as bench:
        found = [
            bench.submit(program, "program.py:main", data={"gate": str(gate.path), "file": f"{tmp_path}/{number}"}).id
            for number in range(4)
        ]
        for session_id in found:
            bench.wait_until(session_id, in_activity("hold"))
        gate.open()
        for _ in range(5):
            postgres_cluster.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        results = [bench.wait(session_id) for session_id in found]
    for number, result in enumerate(results):
        assert (result.state, len(result.calls())) == ("COMPLETED", 21), result.error
        repeated = sum(record.attempt - 1 for record in result.calls() if record.name.endswith("count"))
        assert 20 <= len((tmp_path / str(number)).read_text().split()) <= 20 + repeated


def test_a_session_that_was_deleted_is_not_asked_for_again(tmp_path: Path) -> None:
    """A turn for a session that is not there any more is nothing to be tried again."""
    with Bench(tmp_path) as bench:
        assert bench.server is not None
        session = bench.submit("def main(event):\n    pass\n", "program.py:main")
        bench.wait(session.id)
        bench.server.database.write(lambda conn: sessions.delete(conn, session.id))
        control = TurnControl()
        assert run_turn(bench.server._surroundings, session.id, control).end is TurnEnd.GONE
        control.close()


REFUSING = """#!{python}
import os, socket, sys
control = socket.socket(fileno=int(sys.argv[-2]))
while True:
    data, fds, _, _ = socket.recv_fds(control, 1, 1)
    if not data:
        break
    os.close(fds[0])
    control.sendall(b'{{"refused": 11}}' + bytes([10]))
"""


def test_a_process_that_cannot_be_forked_is_no_failure_of_the_session(tmp_path: Path) -> None:
    """The machine has no room for another process: that is the server's trouble, and the turn is tried again later."""
    refusing = tmp_path / "python"
    refusing.write_text(REFUSING.format(python=sys.executable))
    refusing.chmod(refusing.stat().st_mode | stat.S_IXUSR)
    with Bench(tmp_path) as bench:
        assert bench.server is not None
        session = bench.submit(TWO_SIGNALS, "program.py:main")
        bench.wait_until(session.id, is_parked)

        def start(place: Place) -> ForkServer:
            launch = Launch(False, [], None, {}, False, [], [])
            return ForkServer(refusing, launch, sdk=tmp_path, hash_seed=1, environ=os.environ, cwd=tmp_path)

        pool = RunnerPool(start, max_warm=0, clock=bench.server.clock)
        control = TurnControl()
        with pytest.raises(InternalError, match="no process can be had"):
            run_turn(dataclasses.replace(bench.server._surroundings, pool=pool), session.id, control)
        control.close()
        pool.close()
        after = bench.load(session.id)
    assert after.session.failures == 0
    (warning,) = after.warnings
    assert "cannot go on now" in warning and "no process can be had" in warning


def test_that_a_process_began_is_durable_before_it_does_anything(tmp_path: Path) -> None:
    """What a process does first may be done twice if the server dies with it: the next one must see that it began."""
    with Bench(tmp_path, max_warm=0) as bench:
        assert bench.server is not None
        session = bench.submit(TWO_SIGNALS, "program.py:main")
        before = bench.wait_until(session.id, is_parked).records
        around = bench.server._surroundings
        seen: list[Record] = []

        class Root:
            """The folder of the build, which is looked at when the process is told what to run."""

            def __str__(self) -> str:
                seen[:] = bench.load(session.id).records
                return str(around.workplace(session).root)

        def workplace(session: Session) -> Any:
            return dataclasses.replace(around.workplace(session), root=Root())  # type: ignore[arg-type]

        control = TurnControl()
        run_turn(dataclasses.replace(around, workplace=workplace), session.id, control)
        control.close()
    (began,) = seen[len(before) :]
    assert (began.kind, began.name) == ("state", "RUNNING")


def test_code_that_writes_to_the_servers_socket_fails_and_not_for_ever(tmp_path: Path) -> None:
    """What is no message counts as the loss of the process."""
    program = """
import os, stat
from autokitteh import activity

@activity
def vandalize():
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                os.write(fd, b"\\0\\0\\0\\4\\0\\0\\0\\0oops")
        except OSError:
            pass

def main(event):
    vandalize()
"""
    with Bench(tmp_path, max_failures=2) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
    assert result.state == "ERROR"
    assert "sent what is no message" in result.error and "vandalize" in result.error


def test_a_journal_of_twenty_thousand_records_is_replayed(tmp_path: Path) -> None:
    """A long session goes on in another process, with the same values."""
    program = """
import time
from autokitteh import next_signal

def main(event):
    moments = [time.time() for _ in range(20_000)]
    print(hash(tuple(moments)))
    next_signal("go")
    print(hash(tuple(moments)))
"""
    with Bench(tmp_path, max_warm=0) as bench:
        session = bench.submit(program, "program.py:main")
        bench.wait_until(session.id, is_parked)
        send(bench, session.id, "go")
        result = bench.wait(session.id)
    assert result.prints[0] == result.prints[1]
    assert any("20,001 records" in r.result or "20001 records" in r.result for r in result.records if r.kind == "state")


LARGE = """
import hashlib
from autokitteh import activity, next_signal
from autokitteh.errors import ResultTooLargeError

@activity
def fetch(n):
    return bytes(range(256)) * (n // 256)

def main(event):
    try:
        data = fetch(event.data.size)
    except ResultTooLargeError as err:
        print("too large", "the limit is 1,000,000" in str(err))
        data = fetch(1024)
    next_signal("go")
    print(len(data), hashlib.sha256(data).hexdigest())
"""


@pytest.mark.parametrize("size", [5 * 1024 * 1024])
def test_a_large_result_is_a_blob_and_comes_back_in_replay(tmp_path: Path, store_url: str, size: int) -> None:
    """Five megabytes are kept beside the journal, once, however many sessions return them."""
    with Bench(tmp_path, db=store_url, max_warm=0) as bench:
        found = [bench.submit(LARGE, "program.py:main", data={"size": size, "n": n}).id for n in range(2)]
        for session_id in found:
            bench.wait_until(session_id, is_parked)
            send(bench, session_id, "go")
        results = [bench.wait(session_id) for session_id in found]
        assert bench.server is not None
        blobs = bench.server.database.read(lambda conn: conn.execute(schema.blobs.select()).all())
    assert results[0].prints == results[1].prints and results[0].prints[0].startswith(str(size))
    (first,), (second,) = ([r.blob for r in result.calls()] for result in results)
    assert first == second and first in {row.hash for row in blobs}


def test_a_result_above_the_limit_is_an_error_that_code_can_catch(tmp_path: Path) -> None:
    """The limit is the server's; the code gets ResultTooLargeError, in replay as well."""
    limits = Limits(result_bytes=1_000_000, memory_bytes=1024**3)
    with Bench(tmp_path, limits=limits, max_warm=0) as bench:
        session = bench.submit(LARGE, "program.py:main", data={"size": 2_000_000})
        bench.wait_until(session.id, is_parked)
        send(bench, session.id, "go")
        result = bench.wait(session.id)
    assert result.prints[0] == "too large True"
    assert result.prints[1].startswith("1024 ") and len(result.prints) == 2


def test_a_short_sleep_ends_under_a_clock_that_stands_still(tmp_path: Path) -> None:
    """A wait that is too short to end the turn is over once it has been waited for."""
    program = "import time\n\ndef main(event):\n    for _ in range(3):\n        time.sleep(0.004)\n    print('woke')\n"
    with Bench(tmp_path, clock=VirtualClock(1_700_000_000_000_000)) as bench:
        assert bench.wait(bench.submit(program, "program.py:main").id).prints == ["woke"]


def test_the_journal_of_a_turn_tells_everything_in_order(tmp_path: Path) -> None:
    """One process, one end, and between them each effect with its start."""
    program = HOLD + f"def main(event):\n    print(count({str(tmp_path / 'file')!r}))\n"
    with Bench(tmp_path) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
    kinds = [(record.kind, record.phase) for record in result.records]
    assert kinds == [("state", "done"), ("call", "start"), ("call", "done"), ("print", "done"), ("state", "done")]
