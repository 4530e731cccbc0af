"""What tests of real sessions share: gates at which activities hold, processes, signals from outside."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autokitteh_server.runners.process import ForkServer
from autokitteh_server.storage import signals
from harness import PATIENCE_S, Bench, Result

#: The beginning of programs whose activities hold at a gate.
HOLD = """
import fcntl, os, time
import autokitteh
from autokitteh import activity, next_signal, signal, start

@activity
def hold(gate):
    with open(gate) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
    return "through"

@activity
def count(path, what="x"):
    with open(path, "a") as file:
        file.write(what + chr(10))
    with open(path) as file:
        return file.read().count(what + chr(10))
"""


class Gate:
    """A file that activities wait for, whatever process they are in, until it is opened."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gate"
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def open(self) -> None:
        """Let everybody through, from now on."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._fd)


def until(condition: Callable[[], Any]) -> None:
    """Wait for what nobody announces, such as the end of a process."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("waited in vain")


def fork_server(bench: Bench) -> ForkServer:
    """A server's only fork server."""
    assert bench.server is not None
    (station,) = bench.server.pool._stations.values()
    assert station.server is not None
    return station.server


def fork_server_pid(bench: Bench) -> int:
    """The process of a server's fork server."""
    return fork_server(bench).pid


def runner_pids(bench: Bench) -> list[int]:
    """The processes of a server's sessions."""
    return children(fork_server_pid(bench))


def children(pid: int) -> list[int]:
    """The children of a process, also those that are dead and that nobody has asked about."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it is not dead and forgotten by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    """End a process as the kernel does that wants memory. Returns when it is over."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid))


def send(bench: Bench, session_id: str, name: str, payload: Any = None) -> None:
    """Send a session a signal from outside."""
    server = bench.server
    assert server is not None
    server.database.write(lambda conn: signals.send(conn, session_id, name, payload, now=server.clock.now_us()))
    server.scheduler.wake(session_id, name)


def is_parked(result: Result) -> bool:
    """Whether a session waits, between two turns."""
    return result.session.waits is not None


def waits_for(name: str) -> Callable[[Result], bool]:
    """Whether a session waits, between two turns, for a signal of this name."""
    return lambda result: any(name in wait.names for wait in result.session.waits or ())


def in_activity(name: str) -> Callable[[Result], bool]:
    """Whether a session is in an activity of this name, and that is in the journal."""

    def is_in(result: Result) -> bool:
        phases = [r.phase for r in result.records if r.kind == "call" and r.name.endswith(name)]
        return bool(phases) and phases[-1] == "start"

    return is_in


def processes(result: Result) -> int:
    """How many processes a session has had."""
    return sum(record.kind == "state" and record.name == "RUNNING" for record in result.records)
