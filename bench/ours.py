"""What AutoKitteh does in a second, measured on a real server with real sessions."""

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autokitteh_server.builds.source import Source
from autokitteh_server.config import Settings
from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import Record
from autokitteh_server.operations.runs import plan_run, submit_run
from autokitteh_server.storage import journal, sessions
from autokitteh_server.wiring import Server
from bench.programs import PROGRAM

_SOURCE = Source(name="bench", files={"program.py": PROGRAM.encode()}, manifest=None, manifest_path=None)


class _Growth:
    """Wakes whoever waits when a journal grows. In long runs nobody does: to look at every commit would slow them."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.is_watched = False

    def journal_grew(self, session_id: str) -> None:
        if self.is_watched:
            with self.changed:
                self.changed.notify_all()


@contextmanager
def _server(db: str, **settings: Any) -> Iterator[tuple[Server, _Growth]]:
    growth = _Growth()
    with tempfile.TemporaryDirectory() as folder:
        # In the server's own Python: what is measured is not how environments come about.
        chosen = Settings(data_dir=Path(folder), db=db, environment="server", **settings)
        with Server(chosen, environ=os.environ, listener=growth) as server:
            server.start()
            yield server, growth


def _submit(server: Server, entry: str, data: Any) -> str:
    order = plan_run(_SOURCE, entry=f"program.py:{entry}", data=data)
    session, _ = submit_run(server.database, order, now=server.clock.now_us(), new_id=server.new_id)
    server.scheduler.start(session.id, session.project_id)
    return session.id


def _wait(server: Server, growth: _Growth, ids: Sequence[str]) -> list[Session]:
    done: list[Session] = []
    with growth.changed:
        for session_id in ids:
            while not (
                session := server.database.read(lambda conn, s=session_id: sessions.get(conn, s))
            ).state.is_final:
                growth.changed.wait(0.05)
            assert session.state == "COMPLETED", session.error
            done.append(session)
    return done


def _records(server: Server, session_id: str) -> list[Record]:
    return [stored.record for stored in server.database.read(lambda conn: journal.load(conn, session_id))]


def steps_a_second(db: str, *, sessions_at_once: int, steps: int) -> float:
    """Journalled activities a second, durable commits, from the first one's start to the last one's end."""
    with _server(db, max_runners=max(8, sessions_at_once)) as (server, growth):
        # Different data, or they would be taken for one run given again.
        ids = [_submit(server, "on_trigger", {"steps": steps, "run": run}) for run in range(sessions_at_once)]
        _wait(server, growth, ids)
        calls = [
            r for session_id in ids for r in _records(server, session_id) if r.kind == "call" and r.phase == "done"
        ]
    assert len(calls) == sessions_at_once * steps
    seconds = (max(r.finished_at for r in calls) - min(r.started_at for r in calls)) / 1e6
    return len(calls) / seconds


def replay_us_a_record(*, records: int) -> float:
    """Microseconds a record, from reading the journal to the replayed code; the start of the process is taken off."""
    steps = records // 2  # each leaves a record of its start and one of its end
    few, many = _replay_seconds(10), _replay_seconds(steps)
    return (many - few) / (2 * (steps - 10)) * 1e6


def _replay_seconds(records: int) -> float:
    with _server("", effects_per_turn=records) as (server, growth):
        # The turn ends with the last step, its process is thrown away, and the next one replays everything.
        session_id = _submit(server, "on_trigger", {"steps": records})
        _wait(server, growth, [session_id])
        states = [r for r in _records(server, session_id) if r.kind == "state"]
    began = [state for state in states if state.name == "RUNNING"]
    assert len(began) == 2 and states[-1].name == "COMPLETED", states
    return (states[-1].finished_at - began[-1].finished_at) / 1e6


def local_call_ns() -> tuple[float, float]:
    """Nanoseconds of a call of a local function in workflow code, and in plain Python, in one process."""
    with _server("") as (server, growth):
        session_id = _submit(server, "on_local_calls", {"calls": 1_000_000})
        (session,) = _wait(server, growth, [session_id])
    return session.result["rewritten"], session.result["plain"]


def start_ms() -> float:
    """Milliseconds from a session's submission to its end, median of 20, for one that does nothing."""
    took = []
    with _server("") as (server, growth):
        growth.is_watched = True
        for run in range(21):
            began = time.perf_counter()
            _wait(server, growth, [_submit(server, "on_trigger", {"steps": 0, "run": run})])
            took.append(time.perf_counter() - began)
    return sorted(took[1:])[10] * 1000
