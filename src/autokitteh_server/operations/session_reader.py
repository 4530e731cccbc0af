"""Sessions as people ask for them, read from a store that a server may be using meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autokitteh_server.core.entities import Session
from autokitteh_server.core.errors import InvalidArgument, NotFound
from autokitteh_server.core.journal import StoredRecord
from autokitteh_server.operations.session_log import LogEntry, build_log, started_session
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

#: The name of the newest session that no other one started.
LAST = "last"

_PREFIX = "ses_"
_SHOWN = 10  # candidates in a message


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

    def list(self, limit: int) -> Sequence[Session]:
        """Sessions, newest first."""
        return self._database.read(lambda conn: sessions.list(conn, limit=limit))

    def log(self, which: str) -> SessionLog:
        """A session and its log. `which`: its id, the beginning of it, or `last`.

        Raises NotFound, and InvalidArgument for the beginning of several.
        """

        def read(conn: Connection) -> tuple[Session, Sequence[StoredRecord]]:
            session_id = _resolve(conn, which)
            return sessions.get(conn, session_id), journal.read_log(conn, session_id)

        session, records = self._database.read(read)
        return SessionLog(session=session, entries=build_log(session, records))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _resolve(conn: Connection, which: str) -> str:
    if which == LAST:
        newest = sessions.newest(conn)
        if newest is None:
            raise NotFound("there are no sessions yet", "Start one with `ak run TARGET --data-dir DIR`.")
        return newest
    given = which.lower()
    prefix = given if given.startswith(_PREFIX) or _PREFIX.startswith(given) else _PREFIX + given
    found = sessions.find(conn, prefix, limit=_SHOWN + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"there is no session {which}", "`ak session list` shows those there are.")
    listed = "\n".join(f"  {session_id}" for session_id in found[:_SHOWN])
    raise InvalidArgument(f"more than one session begins with {which}", f"Write more of the id:\n{listed}")
