"""Where sessions are looked at: in a server, or in the data folder of one that does not run."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from autokitteh_server.cli.names import NameOf, names_by, project_names
from autokitteh_server.cli.server import connect, folder_of
from autokitteh_server.client.client import Client
from autokitteh_server.client.discovery import noted_url
from autokitteh_server.client.transport import NoServer
from autokitteh_server.config_load import load_settings
from autokitteh_server.core.api_types.session_log import LogLine
from autokitteh_server.core.api_types.sessions import Session, SessionQuery
from autokitteh_server.operations.session_log import line_of
from autokitteh_server.operations.session_reader import SessionReader


class SessionSource(Protocol):
    """Answers questions about sessions, which are named by their ids, the beginnings of them, or `last`."""

    def find(self, query: SessionQuery, limit: int) -> Iterable[Session]: ...

    def get(self, which: str) -> tuple[Session, list[str]]:
        """A session, and the ids of those that it started."""
        ...

    def log(self, which: str) -> Iterable[LogLine]: ...

    def project_names(self) -> NameOf: ...


@contextmanager
def open_sessions(data_dir: Path | None, server: str | None, token: str | None) -> Iterator[SessionSource]:
    """The server that is meant. A data folder that is named is read itself if no server runs on it."""
    if data_dir is not None and not server:
        folder = folder_of(data_dir)
        if not _has_server(data_dir, token):
            with SessionReader.open(folder, load_settings(os.environ).db) as reader:
                yield _Folder(reader)
            return
    with connect(data_dir, server, token) as client:
        yield _Server(client)


def _has_server(data_dir: Path, token: str | None) -> bool:
    if noted_url(folder_of(data_dir)) is None:
        return False
    try:
        with connect(data_dir, None, token) as client:
            client.version()
    except NoServer:  # it was killed, and could not take its note with it
        return False
    return True


class _Server:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._sessions = client.sessions

    def find(self, query: SessionQuery, limit: int) -> Iterable[Session]:
        return self._sessions.list(query, limit)

    def get(self, which: str) -> tuple[Session, list[str]]:
        session = self._sessions.get(which)
        children = self._sessions.list(SessionQuery(parent=session.id), 1000)
        return session, [child.id for child in children][::-1]

    def log(self, which: str) -> Iterable[LogLine]:
        return (line for line in self._sessions.log(which) if isinstance(line, LogLine))

    def project_names(self) -> NameOf:
        return project_names(self._client)


class _Folder:
    def __init__(self, reader: SessionReader) -> None:
        self._reader = reader

    def find(self, query: SessionQuery, limit: int) -> Iterable[Session]:
        return [Session.of(session) for session in self._reader.list(query, limit)]

    def get(self, which: str) -> tuple[Session, list[str]]:
        found = self._reader.log(which)
        return Session.of(found.session), found.children

    def log(self, which: str) -> Iterable[LogLine]:
        found = self._reader.log(which)
        return [line_of(entry, found.session.id) for entry in found.entries]

    def project_names(self) -> NameOf:
        return names_by(self._reader.project)
