"""Servers that the programs share, and a service on the network that they talk to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Bench, Growth
from sessions.service import Service


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


def kill_runners() -> int:
    """End the children of this process's fork servers, and say how many there were."""
    pids = [runner for child in _children(os.getpid()) if _is_fork_server(child) for runner in _children(child)]
    for pid in pids:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
    return len(pids)


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


@pytest.fixture(scope="session")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server."""
    with Bench(tmp_path_factory.mktemp("durable")) as bench:
        yield bench


@pytest.fixture(scope="session")
def evicting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server that throws a session's runner away after each effect."""
    with Bench(tmp_path_factory.mktemp("evicting"), effects_per_turn=1, max_warm=0) as bench:
        yield bench


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A service on the network."""
    with Service() as running:
        yield running
