"""Sessions as people ask for them, read from a store that a server may be using meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autokitteh_server.core.api_types.sessions import SessionQuery
from autokitteh_server.core.entities import Project, Session
from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.journal import StoredRecord
from autokitteh_server.operations.lookups import find_session, list_sessions
from autokitteh_server.operations.session_log import LogEntry, build_log, started_session
from autokitteh_server.storage import journal, projects, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLog:
    """A session and what happened in it."""

    session: Session
    entries: Sequence[LogEntry]

    @property
    def children(self) -> list[str]:
        """The sessions that it started."""
        return [child for child in map(started_session, self.entries) if child is not None]


class SessionReader:
    """Answers questions about sessions. Use it in a `with` statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, data_dir: Path, url: str = "") -> Self:
        """Read the store of a data folder, or the database at `url`. Raises NotFound if there is none."""
        file = data_dir / "autokitteh.db"
        if not url and not file.exists():
            raise NotFound(f"{data_dir}: there are no sessions here", "Name the data folder with --data-dir.")
        return cls(Database.open(url or f"sqlite:///{file}", migrate=False))

    def list(self, query: SessionQuery, limit: int) -> Sequence[Session]:
        """Sessions, newest first, those of whatever the query names."""
        return self._database.read(lambda conn: list_sessions(conn, query, limit=limit, after_id=None))

    def project(self, project_id: str) -> Project:
        """The project of this id. Raises NotFound."""
        return self._database.read(lambda conn: projects.get(conn, project_id))

    def log(self, which: str) -> SessionLog:
        """A session and its log. `which`: its id, the beginning of it, or `last`.

        Raises NotFound, and InvalidArgument for the beginning of several.
        """

        def read(conn: Connection) -> tuple[Session, Sequence[StoredRecord]]:
            session_id = find_session(conn, which)
            return sessions.get(conn, session_id), journal.read_log(conn, session_id)

        session, records = self._database.read(read)
        return SessionLog(session=session, entries=build_log(session, records))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
