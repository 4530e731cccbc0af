"""Runs programs as sessions in a real server with real processes, and kills either wherever a test says."""

import os
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autokitteh_runner.protocol import Limits
from autokitteh_server.builds.source import Source
from autokitteh_server.config import IsolationSettings, Settings
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import Record
from autokitteh_server.engine.surroundings import Credentials
from autokitteh_server.operations.runs import plan_run, submit_run
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.database import Database
from autokitteh_server.wiring import Server

#: Where environments are kept that tests make, for all tests.
ENVIRONMENTS = Path(__file__).resolve().parents[1] / ".environments"

#: Settings of a server whose sessions reach what the test has, its files and packages.
UNCONFINED: dict[str, Any] = {
    "environment": "server",
    "environment_folder": ENVIRONMENTS,
    "isolation": IsolationSettings(mode="off"),
}

#: Seconds after which a session that is not over fails its test.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Result:
    """What came of a session."""

    session: Session
    records: list[Record]

    @property
    def state(self) -> str:
        return self.session.state.value

    @property
    def error(self) -> str:
        return self.session.error or ""

    @property
    def prints(self) -> list[str]:
        """Lines that the code printed, in order."""
        return [record.result for record in self.records if record.kind == "print"]

    @property
    def warnings(self) -> list[str]:
        return [record.result for record in self.records if record.kind == "warning"]

    def calls(self, phase: str = "done") -> list[Record]:
        """Records of activities."""
        return [record for record in self.records if record.kind == "call" and record.phase == phase]


class Growth:
    """A listener on which tests wait for the journal to grow."""

    def __init__(self) -> None:
        self.changed = threading.Condition()

    def journal_grew(self, session_id: str) -> None:
        with self.changed:
            self.changed.notify_all()


class Bench:
    """A server in a folder, and what tests do with it."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        is_only: bool = True,
        credentials: Credentials | None = None,
        **settings: Any,
    ) -> None:
        settings.setdefault("limits", Limits(memory_bytes=1024**3))
        self.settings = Settings(**({"data_dir": folder / "data", "durable": False} | UNCONFINED | settings))
        self.clock = clock
        self.is_only = is_only
        self.credentials = credentials
        self.growth = Growth()
        self.server: Server | None = None

    def __enter__(self) -> "Bench":
        self.server = Server(
            self.settings,
            environ=os.environ,
            clock=self.clock,
            listener=self.growth,
            is_only=self.is_only,
            credentials=self.credentials,
        )
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.close()

    def submit(self, program: str | Mapping[str, str] | Source, entry: str | None = None, **order: Any) -> Session:
        """Make a program's session, or find the one that was cut off, and let it have its turn."""
        assert self.server is not None
        session, found = submit_run(
            self.server.database,
            plan_run(source_of(program), entry=entry, **order),
            now=self.server.clock.now_us(),
            new_id=self.server.new_id,
        )
        if not found:
            self.server.scheduler.start(session.id, session.project_id)
        return session

    def load(self, session_id: str) -> Result:
        """A session as it is now."""
        assert self.server is not None
        return load_result(self.server.database, session_id)

    def wait_until(self, session_id: str, condition: Any) -> Result:
        """Wait until a session fulfils a condition."""
        with self.growth.changed:
            fulfilled = self.growth.changed.wait_for(lambda: condition(self.load(session_id)), PATIENCE_S)
        result = self.load(session_id)
        assert fulfilled, f"waited {PATIENCE_S} s in vain; its journal ends with {result.records[-5:]}"
        return result

    def wait(self, session_id: str) -> Result:
        """Wait until a session is over."""
        return self.wait_until(session_id, lambda result: result.session.state.is_final)


def load_result(database: Database, session_id: str) -> Result:
    """What has come of a session so far."""
    return database.read(
        lambda conn: Result(
            sessions.get(conn, session_id), [stored.record for stored in journal.load(conn, session_id)]
        )
    )


def source_of(program: str | Mapping[str, str] | Source, name: str = "program") -> Source:
    """A source of one file, program.py, or of several. The name is that of its project."""
    if isinstance(program, Source):
        return program
    files = {"program.py": program} if isinstance(program, str) else program
    contents = {path: text.encode() for path, text in sorted(files.items())}
    return Source(name=name, files=contents, manifest=None, manifest_path=None)


def run(folder: Path, program: str | Mapping[str, str] | Source, entry: str | None = None, **options: Any) -> Result:
    """Run a program to its end. `options` are those of a run (data, vars, durable), or settings."""
    order = {name: options.pop(name) for name in ("data", "vars", "durable") if name in options}
    with Bench(folder, **options) as bench:
        return bench.wait(bench.submit(program, entry, **order).id)


def run_killed(
    folder: Path, program: str | Mapping[str, str] | Source, crash_at: str, entry: str | None = None, **options: Any
) -> tuple[bool, Result]:
    """Run a program in a server that dies at a crash point, and then in another one to its end.

    Whether the first one died, and what came of it.
    """
    died = _dies(folder, program, crash_at, entry, **options)
    return died, run(folder, program, entry, **options)


def run_killed_everywhere(
    folder: Path, program: str | Mapping[str, str] | Source, point: str, entry: str | None = None, **options: Any
) -> Iterator[tuple[int, Result]]:
    """Run a program as often as it passes a crash point, each time killed at another passage; numbered from 1."""
    for passage in range(1, 1000):
        here = folder / f"{point}-{passage}"
        here.mkdir()
        died, result = run_killed(here, program, f"{point}:{passage}", entry, **options)
        if not died:
            return
        yield passage, result


def run_killed_throughout(
    folder: Path, program: str | Mapping[str, str] | Source, point: str, entry: str | None = None, **options: Any
) -> tuple[int, Result]:
    """Run a program in one server after another, each of which dies at its next passage of a crash point.

    How many died, and what came of it. Where nothing would ever be committed if each died at its first passage, all
    but the first die at their second.
    """
    again = 2 if point == "turn.before_commit" else 1
    deaths = 0
    while _dies(folder, program, f"{point}:{again if deaths else 1}", entry, **options):
        deaths += 1
        assert deaths < 200, "the session makes no progress"
    with Database.open(Settings(data_dir=folder / "data").database_url) as database:
        oldest = database.read(lambda conn: sessions.list(conn, limit=1000))[-1]
        return deaths, load_result(database, oldest.id)


def _dies(
    folder: Path, program: str | Mapping[str, str] | Source, crash_at: str, entry: str | None, **options: Any
) -> bool:
    """Run a program to its end, in a process of its own, and say whether that was killed at the crash point."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            run(folder, program, entry, crash_at=crash_at, **options)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), f"the server that was to die ended with {code}"
    return code != 0
