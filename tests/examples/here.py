"""A server as its users have it, a real `ak up`, and what tests do with it: commands and requests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ak_process import Ak, Ended
from autokitteh_server.client.client import Client
from autokitteh_server.client.discovery import find_server
from autokitteh_server.core.api_types.session_log import LogLine
from autokitteh_server.core.api_types.sessions import Session, SessionQuery, StartSession
from autokitteh_server.core.api_types.variables import SetVar
from autokitteh_server.core.states import SessionState
from harness import PATIENCE_S


class Here:
    """A server, and the command that speaks to it."""

    def __init__(self, folder: Path) -> None:
        self._ak = Ak(folder)
        self._data = str(folder / "data")
        self.start()

    def start(self) -> None:
        """Start the server."""
        self._process = self._ak.start("up", "--addr", "127.0.0.1:0", "--data-dir", self._data)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("autokitteh is up")

    def kill(self) -> None:
        """End the server as a power cut does."""
        self._process.kill()
        self._process.communicate(timeout=PATIENCE_S)

    def __call__(self, *words: str) -> Ended:
        """Run a command of `ak`, which must succeed."""
        ended = self._ak(*words, environ={"AK_DATA_DIR": self._data})
        assert ended.code == 0, ended.err
        return ended

    def start_session(self, project: str, entry: str, data: dict[str, Any] | None = None) -> None:
        """Start a session by hand."""
        with self.client() as client:
            client.sessions.start(
                StartSession(project=project, entry=entry, data=msgspec.Raw(msgspec.json.encode(data or {})))
            )

    def set_vars(self, owner: str, **values: str) -> None:
        """Set vars of a project or a connection."""
        for name, value in values.items():
            with self.client() as client:
                client.vars.put(name, owner, SetVar(value=value))

    def post(self, trigger: str, **content: object) -> None:
        """Send something to a webhook."""
        assert httpx.post(self.url(trigger), json=content).status_code == 202

    def url(self, trigger: str) -> str:
        """Where a webhook receives requests."""
        with self.client() as client:
            return client.triggers.get(trigger).webhook_url or ""

    def wait_for_wait(self, project: str) -> None:
        """Wait until a session of a project waits for something."""
        until = time.monotonic() + PATIENCE_S
        with self.client() as client:
            while not any(each.waits for each in client.sessions.list(SessionQuery(project=project), 10)):
                assert time.monotonic() < until, "no session waits"

    def finish_last(self, session: str = "last") -> list[str]:
        """Wait for the end of the last session, or another one, which must complete; what it printed."""
        with self.client() as client:
            *lines, ended = client.sessions.log(session, follow=True)
        assert isinstance(ended, Session) and ended.state is SessionState.COMPLETED, ended
        return [each.text or "" for each in lines if isinstance(each, LogLine) and each.kind == "print"]

    def client(self) -> Client:
        """The API, for what tests need not do by commands."""
        return Client(find_server(Path(self._data)))


@contextmanager
def serving_here(folder: Path) -> Iterator[Here]:
    """A server that runs, and is killed at the end."""
    here = Here(folder)
    try:
        yield here
    finally:
        here.kill()
