"""How fast sessions' processes start with packages imported, what they take, and how long their build takes."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from autokitteh_runner.protocol import VERSION, End, Journal, Run
from autokitteh_server.application import Application
from autokitteh_server.builds.source import source_from_files
from autokitteh_server.config import Settings
from autokitteh_server.engine.surroundings import Workplace
from autokitteh_server.operations import sessions
from autokitteh_server.operations.deploying import deploy

_MODULES = ("slack_sdk", "openai", "googleapiclient.discovery")
_PROGRAM = (
    "".join(f"import {module}\n" for module in _MODULES)
    + """
from autokitteh import next_signal

def main(event):
    pass

def wait(event):
    next_signal("never")
"""
)
_MANIFEST = "version: v2\nproject:\n  name: bench\n"


@contextmanager
def _server(folder: str) -> Iterator[Application]:
    settings = Settings(data_dir=Path(folder), max_warm=100, environment_folder=_cache())
    with Application(settings, environ=os.environ) as app:
        app.start()
        yield app


def measure() -> tuple[float, float, float, float]:
    """Milliseconds of a warm start, of a cold one; MiB of a waiting runner's own memory; seconds of a build."""
    with tempfile.TemporaryDirectory() as folder, _server(folder) as app:
        _deploy(app, "")  # makes the environment, if it is not there
        seconds = median(_timed(lambda n=number: _deploy(app, f"# {n}\n")) for number in range(5))  # type: ignore[misc]
        workplace = _workplace(app)
        warm = median(_timed(lambda: _start(app, workplace)) for _ in range(100)) * 1000
        cold = median(_timed(lambda: _start_cold(workplace)) for _ in range(5)) * 1000
        return warm, cold, _private_mib(app), seconds


def _timed(do: Any) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _cache() -> Path:
    return Path(__file__).resolve().parents[1] / ".environments"


def _deploy(app: Application, more: str) -> None:
    files = {"autokitteh.yaml": _MANIFEST.encode(), "program.py": (_PROGRAM + more).encode()}
    deploy(app.services, source_from_files("", files))


def _workplace(app: Application) -> Workplace:
    started = sessions.start(app.services, "bench", "program.py:main", durable=False)
    return app.server._workplace(started)


def _start(app: Application, workplace: Workplace) -> None:
    """From the wish for a process to the end of a handler that does nothing, in a process of its own."""
    runner = app.server.pool.fork(workplace.place)
    connection = runner.connection
    temporary = str(runner.temporary)
    connection.send(
        Run(
            version=VERSION, session_id="ses_bench", project="bench", root=str(workplace.root),
            entry="program.py:main", durable=True, created_at=1, vars={}, limits=asdict(workplace.limits),
            temporary=temporary, confine=workplace.confine, readable=[*workplace.readable, str(workplace.root)],
            writable=[*workplace.writable, temporary], body=b'{"data": {}, "event_id": null, "event_type": null}',
        )
    )  # fmt: skip
    connection.send(Journal([], True, b""))
    while not isinstance(message := connection.receive(), End):
        assert message is not None
    assert message.state == "COMPLETED", message.error
    runner.kill()


def _start_cold(workplace: Workplace) -> None:
    """An interpreter that imports the same."""
    subprocess.run([workplace.place.python, "-c", f"import {', '.join(_MODULES)}"], check=True)


def _private_mib(app: Application) -> float:
    """What waiting sessions' processes have for themselves, each, in the median."""
    for _ in range(20):
        sessions.start(app.services, "bench", "program.py:wait", durable=True)
    while app.server.pool.count_warm() < 20:
        time.sleep(0.05)
    with app.server.pool._lock:
        pids = [warm.runner.pid for warm in app.server.pool._warm.values()]
    return median(_private_bytes(pid) for pid in pids) / 2**20


def _private_bytes(pid: int) -> int:
    rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return 1024 * sum(int(row[1]) for row in rows if row[0] in ("Private_Dirty:", "Private_Clean:"))
