"""A session's log as it grows, a portion at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import StoredRecord
from autokitteh_server.operations.lookups import find_session
from autokitteh_server.operations.services import Services
from autokitteh_server.operations.session_log import LogBuilder, LogEntry, build_log, with_outcome
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What has been added to a session's log."""

    entries: Sequence[LogEntry]
    session: Session  # as it was then

    @property
    def is_last(self) -> bool:
        return self.session.state.is_final


class SessionTail:
    """Reads the log of one session from its beginning on. One thread at a time may use it."""

    def __init__(self, services: Services, session_id: str) -> None:
        self._services = services
        self._session_id = session_id
        self._builder = LogBuilder()
        self._seq = 0

    def read(self) -> Portion:
        """What has become durable since the last call. Raises NotFound once the session has been deleted."""

        def load(conn: Connection) -> tuple[Session, Sequence[StoredRecord]]:
            return sessions.get(conn, self._session_id), journal.read_log(conn, self._session_id, self._seq)

        session, records = self._services.database.read(load)
        self._seq = records[-1].seq if records else self._seq
        entries = [entry for stored in records for entry in self._builder.feed(stored)]
        if session.state.is_final:
            entries = sorted([*entries, *self._builder.under_way(is_over=True)], key=lambda entry: entry.seq)
        return Portion(entries=[with_outcome(entry, session) for entry in entries], session=session)


def read_log(services: Services, which: str) -> Portion:
    """All of a session's log at once, what is under way included. Raises NotFound and InvalidArgument."""

    def load(conn: Connection) -> tuple[Session, Sequence[StoredRecord]]:
        session_id = find_session(conn, which)
        return sessions.get(conn, session_id), journal.read_log(conn, session_id)

    session, records = services.database.read(load)
    return Portion(entries=build_log(session, records), session=session)
