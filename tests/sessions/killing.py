"""Killing the processes in which sessions run, from the test that runs their server."""

import os
import signal
from pathlib import Path

from harness import Bench, Growth


def runner_pids() -> list[int]:
    """The children of this process's fork servers."""
    return [runner for child in _children(os.getpid()) if _is_fork_server(child) for runner in _children(child)]


def kill_runners(sig: int = signal.SIGKILL) -> int:
    """Send a signal to every runner, and say to how many."""
    pids = runner_pids()
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass
    return len(pids)


class RunnerKiller(Growth):
    """Kills every runner, with SIGKILL, whenever an effect of a session has begun or ended and that is durable."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._seen: dict[str, int] = {}
        self.kills = 0

    def journal_grew(self, session_id: str) -> None:
        result = self._bench.load(session_id)
        # A second start of the same activity does not count, or there would never be an end to it.
        effects = {(r.task, r.index, r.phase) for r in result.records if r.kind not in ("print", "log")}
        if len(effects) > self._seen.get(session_id, 0):
            self._seen[session_id] = len(effects)
            self.kills += kill_runners()
        super().journal_grew(session_id)


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except FileNotFoundError:  # it has ended
        return []


def _is_fork_server(pid: int) -> bool:
    try:
        return b"autokitteh_runner" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
