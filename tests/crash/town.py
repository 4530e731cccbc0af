"""A folder with a project, and the servers that it outlives, each a process of `ak up`."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ak_process import Ak
from autokitteh_server.storage import sessions
from autokitteh_server.storage.connection import Connection
from harness import PATIENCE_S
from served import Served, serving


class Town:
    """A project, and the servers that it outlives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ak = Ak(folder)

    @contextmanager
    def server(self, **environ: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
        """A server, and its URL; "": it died before it could say that. Killed at the end, if it still lives."""
        process = self.ak.start("up", "--addr", "127.0.0.1:0", "--data-dir", str(self.folder / "data"), environ=environ)
        try:
            assert process.stdout is not None
            said = process.stdout.readline().split()
            yield process, said[-1] if said else ""
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE_S)

    @contextmanager
    def ended(self, patience_s: float = PATIENCE_S) -> Iterator[Served]:
        """A last server, in which everything has come to its end: each event has one session, and that completed."""
        with serving(self.folder, durable=True) as served:
            served.wait_until(lambda: served.database.read(_is_over), patience_s)
            found = served.sessions()
            assert [each for each in found if each.state.value != "COMPLETED"] == []
            assert sorted(each.event_id or "" for each in found) == sorted(each.id for each in served.events())
            yield served


def _is_over(conn: Connection) -> bool:
    # The newest one is among the last, and this is asked after each step of each session.
    newest = sessions.newest(conn)
    return newest is None or (sessions.get(conn, newest).state.is_final and not sessions.unfinished(conn))
