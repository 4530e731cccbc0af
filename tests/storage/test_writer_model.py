"""The writer against a model: random scripts of several sessions at once, each in a thread of its own."""

import itertools
import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from autokitteh_server.core.errors import Fenced
from autokitteh_server.core.journal import Record
from autokitteh_server.storage import journal
from autokitteh_server.storage.database import Database
from storage.rows import add_session, call, claim, indexes

#: One step of a session's owner: what it does, with how many records. At a `steal` somebody else claims the session,
#: and the owner does not know.
STEPS = st.tuples(st.sampled_from(["append", "commit", "transact", "fail", "steal"]), st.integers(0, 3))
SCRIPTS = st.lists(st.lists(STEPS, max_size=12), min_size=1, max_size=5)


class Boom(Exception):
    pass


class Owner:
    """Plays a script on one session, and knows what must be in its journal."""

    def __init__(self, database: Database, rival: Database) -> None:
        self._database = database
        self._rival = rival
        self._session = add_session(database)
        self._epoch = 1
        self._numbers = itertools.count()
        self._durable: list[int] = []  # committed, for certain
        self._queued: list[int] = []  # appended in time: committed if somebody commits before the session is stolen
        self._stolen = False
        self.error: BaseException | None = None

    def play(self, script: list[tuple[str, int]]) -> None:
        try:
            for step, count in script:
                getattr(self, step)([call(next(self._numbers)) for _ in range(count)])
            self.commit([])
            self._check()
        except BaseException as error:
            self.error = error

    def append(self, records: list[Record]) -> None:
        self._database.writer.append(self._session, self._epoch, records)
        if not self._stolen:
            self._queued += [record.index for record in records]

    def commit(self, records: list[Record]) -> None:
        try:
            self._database.writer.commit(self._session, self._epoch, records)
        except Fenced:
            self._take_back()
        else:
            self._expect_success(records)

    def transact(self, records: list[Record]) -> None:
        try:
            self._database.writer.transact(self._session, self._epoch, lambda conn: self._insert(conn, records))
        except Fenced:
            self._take_back()
        else:
            self._expect_success(records)

    def fail(self, records: list[Record]) -> None:
        def insert_and_fail(conn: Connection) -> None:
            self._insert(conn, records)
            raise Boom

        try:
            self._database.writer.transact(self._session, self._epoch, insert_and_fail)
        except Fenced:
            self._take_back()
        except Boom:
            self._expect_success([])

    def steal(self, _records: list[Record]) -> None:
        claim(self._rival, self._session)
        self._stolen = True

    def _insert(self, conn: Connection, records: list[Record]) -> None:
        journal.insert(conn, self._session, records)

    def _expect_success(self, records: list[Record]) -> None:
        assert not self._stolen, "a fenced owner has written"
        self._durable += self._queued + [record.index for record in records]
        self._queued = []

    def _take_back(self) -> None:
        """Claim anew and read what is there, as an engine does: a prefix of what was queued may have got through."""
        assert self._stolen, "an owner was fenced by nobody"
        claimed = claim(self._rival, self._session)
        assert claimed is not None
        found = indexes(self._database, self._session)
        through = found[len(self._durable) :]
        assert found[: len(self._durable)] == self._durable
        assert through == self._queued[: len(through)]
        self._epoch, self._stolen, self._durable, self._queued = claimed.epoch, False, found, []

    def _check(self) -> None:
        assert indexes(self._database, self._session) == self._durable


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts=SCRIPTS)
def test_journals_are_what_their_owners_know(
    database: Database, store_url: str, scripts: list[list[tuple[str, int]]]
) -> None:
    """Order is kept, nothing is lost or doubled, and fenced owners write nothing, whoever shares their commits."""
    with Database.open(store_url) as rival:
        owners = [Owner(database, rival) for _ in scripts]
        threads = [
            threading.Thread(target=owner.play, args=(script,)) for owner, script in zip(owners, scripts, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for owner in owners:
        if owner.error is not None:
            raise owner.error
