"""A session that a turn has claimed: what is written to its journal and row, fenced by the claim's epoch."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import Record
from autokitteh_server.engine.surroundings import Listener
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

T = TypeVar("T")

#: So much may be queued; whoever says more waits until that is written, instead of filling the server's memory.
_LOOSE_BYTES: Final = 4 * 1024 * 1024


class Claimed:
    """Used by the turn's thread. All raise Fenced, `append` at times, once somebody else has claimed the session."""

    def __init__(self, session: Session, database: Database, listener: Listener) -> None:
        self.session = session
        self._writer = database.writer
        self._listener = listener
        #: Records are queued that nobody has committed.
        self.is_loose = False
        self._loose_bytes = 0

    def append(self, records: Sequence[Record]) -> None:
        """Queue records; they ride along with the next commit, or with one of their own if they have grown large."""
        self._writer.append(self.session.id, self.session.epoch, records)
        self.is_loose = True
        self._loose_bytes += sum(len(record.result) + len(record.payload) for record in records)
        if self._loose_bytes > _LOOSE_BYTES:
            self.commit()

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
        self._loose_bytes = 0
        self._listener.journal_grew(self.session.id)
