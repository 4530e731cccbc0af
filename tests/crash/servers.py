"""Servers that die where a test says, one after another, over one store."""

import os
import signal
import traceback
from collections.abc import Sequence
from pathlib import Path

from autokitteh_server.storage import sessions
from crash.truth import Program, check
from harness import Bench


def run_through_crashes(folder: Path, program: Program, crashes: Sequence[str], db: str = "") -> int:
    """Run a program in servers that each die at a crash point, if they come to it, and in a last one to its end.

    Checks what must be true then, and says how many have died.
    """
    folder.mkdir(exist_ok=True)
    effects = folder / "effects"
    died = sum(_dies(folder, program, crash_at, effects, db) for crash_at in crashes)
    _serve(folder, program, effects, db)
    check(program, db or f"sqlite:///{folder}/data/autokitteh.db", effects, crashes=died)
    return died


def _serve(folder: Path, program: Program, effects: Path, db: str, crash_at: str = "") -> None:
    """Start a server, submit the program if none before did, and wait until it is over."""
    with Bench(folder, db=db, crash_at=crash_at) as bench:
        assert bench.server is not None
        found = bench.server.database.read(lambda conn: sessions.newest(conn))
        bench.wait(found or bench.submit(program.source(effects), "program.py:main").id)


def _dies(folder: Path, program: Program, crash_at: str, effects: Path, db: str) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            _serve(folder, program, effects, db, crash_at)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the server that was to die ended with {code}"
    return code != 0
