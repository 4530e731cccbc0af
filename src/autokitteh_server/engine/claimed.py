"""A session that a turn has claimed: what is written to its journal and row, fenced by the claim's epoch."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import Record
from autokitteh_server.engine.surroundings import Listener
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

T = TypeVar("T")


class Claimed:
    """Used by the turn's thread. All but `append` raise Fenced once somebody else has claimed the session."""

    def __init__(self, session: Session, database: Database, listener: Listener) -> None:
        self.session = session
        self._writer = database.writer
        self._listener = listener
        #: Records are queued that nobody has committed.
        self.is_loose = False

    def append(self, records: Sequence[Record]) -> None:
        """Queue records; they ride along with the next commit."""
        self._writer.append(self.session.id, self.session.epoch, records)
        self.is_loose = True

    def commit(self) -> None:
        """Return when everything queued is durable."""
        self._writer.commit(self.session.id, self.session.epoch)
        self._has_grown()

    def transact(self, fn: Callable[[Connection], T]) -> T:
        """Run a function in a transaction, behind everything queued, and return its result once that is durable."""
        result = self._writer.transact(self.session.id, self.session.epoch, fn)
        self._has_grown()
        return result

    def _has_grown(self) -> None:
        self.is_loose = False
        self._listener.journal_grew(self.session.id)
