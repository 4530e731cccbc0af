"""Following a session, and all that it starts, through the journal as it becomes durable."""

from collections.abc import Iterator
from dataclasses import dataclass

from autokitteh_server.core.entities import Session
from autokitteh_server.core.journal import StoredRecord
from autokitteh_server.operations.session_log import LogBuilder, LogEntry, started_session, with_outcome
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

#: Records read at once.
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class News:
    """An entry of a session's log."""

    session_id: str
    entry: LogEntry


class Follower:
    """Reads what a session and its descendants do from now on. Used by one thread."""

    def __init__(self, database: Database, session_id: str) -> None:
        """Read what there is already, which `earlier` keeps."""
        self._database = database
        self._session_id = session_id
        self._builders: dict[str, LogBuilder] = {}
        self._final: set[str] = set()
        self._seq = 0
        self.earlier: list[News] = []
        database.read(self._catch_up)

    @property
    def is_over(self) -> bool:
        """Whether the session and all its descendants have ended."""
        return len(self._final) == len(self._builders)

    def unfinished(self) -> list[str]:
        """The sessions that have not ended, ancestors first."""
        return [session_id for session_id in self._builders if session_id not in self._final]

    def read(self) -> Iterator[list[News]]:
        """What has become durable since the last call, in portions that are not too large."""
        is_all = False
        while not is_all:
            page = self._database.read(lambda conn: journal.read_news(conn, self._seq, _PAGE))
            is_all = len(page) < _PAGE
            self._seq = page[-1][1].seq if page else self._seq
            news = [each for session_id, stored in page for each in self._take(session_id, stored)]
            yield [self._complete(each) for each in news]

    def under_way(self) -> list[News]:
        """What has begun and not ended."""
        return [
            News(session_id, entry)
            for session_id, builder in self._builders.items()
            for entry in builder.under_way(is_over=session_id in self._final)
        ]

    def load(self, session_id: str | None = None) -> Session:
        """The followed session as it is now, or one of its descendants."""
        return self._database.read(lambda conn: sessions.get(conn, session_id or self._session_id))

    def _complete(self, news: News) -> News:
        if not news.entry.is_final_state:
            return news
        return News(news.session_id, with_outcome(news.entry, self.load(news.session_id)))

    def _catch_up(self, conn: Connection) -> None:
        self._seq = journal.last_seq(conn)
        self._builders[self._session_id] = LogBuilder()
        waiting = [self._session_id]
        while waiting:
            session_id = waiting.pop(0)
            known = set(self._builders)
            for stored in journal.read_log(conn, session_id):
                self.earlier += self._take(session_id, stored)
            waiting += [found for found in self._builders if found not in known]
        self.earlier.sort(key=lambda news: news.entry.seq)

    def _take(self, session_id: str, stored: StoredRecord) -> list[News]:
        builder = self._builders.get(session_id)
        if builder is None:
            return []
        entries = builder.feed(stored)
        for entry in entries:
            child_id = started_session(entry)
            if child_id is not None:
                # A child's records come after the one of its start.
                self._builders.setdefault(child_id, LogBuilder())
            if entry.is_final_state:
                self._final.add(session_id)
        return [News(session_id, entry) for entry in entries]
