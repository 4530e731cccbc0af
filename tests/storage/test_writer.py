"""The writer: what is durable when, in which order, and who is kept out."""

import sqlite3
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from autokitteh_server.core.entities import Wait
from autokitteh_server.core.errors import Fenced, InternalError, InvalidArgument
from autokitteh_server.core.journal import Record
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.database import Database
from autokitteh_server.storage.errors import DoubledRecord, StorageUnavailable
from postgres_cluster import Cluster
from storage.rows import add_session, call, claim, indexes, load


class Boom(Exception):
    pass


def test_commit_makes_what_was_appended_before_durable_in_order(database: Database) -> None:
    """Appended records ride along with the next commit, before its own."""
    session = add_session(database)
    database.writer.append(session, 1, [call(0), call(1)])
    database.writer.append(session, 1, [call(2)])
    assert indexes(database, session) == []
    database.writer.commit(session, 1, [call(3)])
    assert indexes(database, session) == [0, 1, 2, 3]


def test_appended_records_ride_along_with_another_session(database: Database) -> None:
    """Anybody's commit takes everybody's queue."""
    mine, other = add_session(database), add_session(database)
    database.writer.append(mine, 1, [call(0)])
    database.writer.commit(other, 1)
    assert indexes(database, mine) == [0]


@pytest.mark.parametrize("finish", ["flush", "close"])
def test_flush_and_close_commit_what_nobody_waits_for(database: Database, store_url: str, finish: str) -> None:
    """Nothing that was appended is lost in an orderly end."""
    session = add_session(database)
    database.writer.append(session, 1, [call(0)])
    getattr(database.writer, finish)()
    with Database.open(store_url) as again:
        assert indexes(again, session) == [0]


def test_a_flood_of_appended_records_is_committed_by_itself(database: Database) -> None:
    """The queue is bounded: a loop that prints cannot fill the memory."""
    session = add_session(database)
    for index in range(1001):
        database.writer.append(session, 1, [call(index)])
    assert len(indexes(database, session)) == 1001


def test_a_fenced_session_writes_nothing_and_others_do(database: Database, store_url: str) -> None:
    """After a claim the older owner's records are dropped, whoever commits them."""
    mine, other = add_session(database), add_session(database)
    database.writer.append(mine, 1, [call(0)])
    with Database.open(store_url) as rival:
        claim(rival, mine)
    database.writer.append(other, 1, [call(0)])
    with pytest.raises(Fenced, match="at epoch 2, not 1"):
        database.writer.commit(mine, 1, [call(1)])
    assert indexes(database, mine) == []
    assert indexes(database, other) == [0]
    database.writer.commit(mine, 2, [call(5)])
    assert indexes(database, mine) == [5]


def test_a_deleted_session_is_fenced(database: Database) -> None:
    """Nothing can be written for a session that is not there."""
    with pytest.raises(Fenced, match="deleted"):
        database.writer.commit("ses_none", 1, [call(0)])


def test_transact_runs_after_earlier_records_and_returns_after_the_commit(database: Database) -> None:
    """A function sees what its session queued before, may add records, and its result comes back durable."""
    session = add_session(database)
    database.writer.append(session, 1, [call(0)])

    def park(conn: Connection) -> int:
        seen = len(journal.load(conn, session))
        journal.insert(conn, session, [call(1)])
        sessions.park(conn, session, 1, [Wait(task="0", index=2, kind="sleep", deadline_at=99)], now=30)
        return seen

    assert database.writer.transact(session, 1, park) == 1
    assert indexes(database, session) == [0, 1]
    waits = database.read(lambda conn: sessions.get(conn, session)).waits
    assert waits == (Wait(task="0", index=2, kind="sleep", deadline_at=99),)


def test_a_fenced_transaction_does_not_run(database: Database) -> None:
    """The fence comes before the function."""
    session = add_session(database)
    claim(database, session)
    with pytest.raises(Fenced):
        database.writer.transact(session, 1, lambda conn: pytest.fail("ran"))


def test_an_exception_undoes_its_function_and_nothing_else(database: Database) -> None:
    """A failing function is rolled back to its savepoint; records of the same group stay."""
    session = add_session(database)
    database.writer.append(session, 1, [call(0)])

    def fail(conn: Connection) -> None:
        journal.insert(conn, session, [call(1)])
        raise Boom

    with pytest.raises(Boom):
        database.writer.transact(session, 1, fail)
    database.writer.commit(session, 1, [call(2)])
    assert indexes(database, session) == [0, 2]


def test_a_broken_statement_undoes_its_function_and_nothing_else(database: Database) -> None:
    """An error of the database inside a function is its caller's alone."""
    session = add_session(database)
    database.writer.append(session, 1, [call(0)])
    with pytest.raises(Exception, match="nonsense"):
        database.writer.transact(session, 1, lambda conn: conn.execute(text("SELECT nonsense")))
    assert indexes(database, session) == [0]


def test_doubled_records_are_refused_and_spoil_the_session_until_it_is_claimed(database: Database) -> None:
    """The unique key is the second guard, and the neighbours in the group do not notice."""
    mine, other = add_session(database), add_session(database)
    database.writer.commit(mine, 1, [call(0)])
    database.writer.append(other, 1, [call(0)])
    database.writer.append(mine, 1, [call(1), call(0)])
    with pytest.raises(DoubledRecord):
        database.writer.commit(mine, 1, [call(2)])
    with pytest.raises(DoubledRecord):
        database.writer.commit(mine, 1, [call(3)])
    assert indexes(database, mine) == [0]
    assert indexes(database, other) == [0]
    claim(database, mine)
    database.writer.commit(mine, 2, [call(1)])
    assert indexes(database, mine) == [0, 1]


def test_records_without_a_place_may_repeat(database: Database) -> None:
    """Only effects and prints of workflow code have a place that is unique."""
    session = add_session(database)
    state = Record(kind="state", phase="done", result="RUNNING")
    database.writer.commit(session, 1, [state, call(0), state])
    assert [stored.record.kind for stored in load(database, session)] == ["state", "call", "state"]


def test_a_record_that_cannot_be_stored_spoils_only_its_session(database: Database) -> None:
    """An integer of more than 64 bits is our mistake, and not the neighbour's."""
    mine, other = add_session(database), add_session(database)
    database.writer.append(mine, 1, [call(1 << 70)])
    database.writer.commit(other, 1, [call(0)])
    assert indexes(database, other) == [0]
    with pytest.raises(InternalError, match="cannot be stored"):
        database.writer.commit(mine, 1)


def test_a_claim_in_the_same_group_fences_what_comes_after_a_function(database: Database) -> None:
    """The fence is looked at again after every function of a group."""
    session, other = add_session(database), add_session(database)
    errors: list[BaseException] = []

    def late() -> None:
        try:
            database.writer.transact(session, 1, lambda conn: journal.insert(conn, session, [call(0)]))
        except BaseException as error:
            errors.append(error)

    group = _Group(database)
    group.add(lambda: claim(database, session))
    group.add(late)
    group.add(lambda: database.writer.commit(other, 1, [call(0)]))
    group.run()
    assert [type(error) for error in errors] == [Fenced]
    assert indexes(database, session) == []
    assert indexes(database, other) == [0]


def test_records_stay_behind_the_function_that_was_queued_before_them(database: Database) -> None:
    """Others' records may overtake a function within a group; its own session's may not."""
    session = add_session(database)
    group = _Group(database)
    group.add(lambda: database.writer.append(session, 1, [call(0)]))
    group.add(
        lambda: database.writer.transact(session, 1, lambda conn: journal.insert(conn, session, [call(1), call(2)]))
    )
    group.add(lambda: database.writer.append(session, 1, [call(3)]))
    group.run()
    database.writer.flush()
    assert indexes(database, session) == [0, 1, 2, 3]


def test_many_threads_share_commits(database: Database) -> None:
    """What queues while another commits goes into one transaction."""
    ids = [add_session(database) for _ in range(8)]
    before = database.writer.commits
    group = _Group(database)
    for session in ids:
        group.add(lambda session=session: database.writer.commit(session, 1, [call(0)]))  # type: ignore[misc]
    group.run()
    assert [indexes(database, session) for session in ids] == [[0]] * 8
    assert database.writer.commits - before == 2  # the one that held them up, and theirs


def test_one_thread_commits_by_itself(database: Database) -> None:
    """Without others there is a commit for each call, in the calling thread."""
    session = add_session(database)
    ran_in = database.write(lambda conn: threading.get_ident())
    assert ran_in == threading.get_ident()
    before = database.writer.commits
    database.writer.commit(session, 1, [call(0)])
    database.writer.commit(session, 1, [call(1)])
    assert database.writer.commits - before == 2


def test_writing_from_within_a_function_is_refused(database: Database) -> None:
    """A leader that waited for itself would wait for ever."""
    with pytest.raises(InternalError, match="asked the writer"):
        database.write(lambda conn: database.write(lambda inner: None))


def test_an_interrupted_leader_leaves_nobody_waiting(database: Database) -> None:
    """Ctrl-C in one thread's function gives the others of the group an error, and the writer goes on."""
    session = add_session(database)
    errors: list[BaseException] = []

    def interrupt(conn: Connection) -> None:
        raise KeyboardInterrupt

    def collect(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                errors.append(error)

        return run

    group = _Group(database)
    group.add(collect(lambda: database.write(interrupt)))
    group.add(collect(lambda: database.writer.commit(session, 1, [call(0)])))
    group.run()
    assert {type(error) for error in errors} <= {KeyboardInterrupt, StorageUnavailable}
    assert len(errors) == 2
    claim(database, session)
    database.writer.commit(session, 2, [call(0)])
    assert indexes(database, session) == [0]


def test_a_closed_writer_says_so(database: Database) -> None:
    """Work after the end is refused, and closing twice is fine."""
    database.close()
    database.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        database.write(lambda conn: None)
    with pytest.raises(StorageUnavailable, match="closed"):
        database.writer.append("ses_1", 1, [call(0)])


def test_server_errors_of_functions_come_back_as_they_are(database: Database) -> None:
    """An InvalidArgument raised inside stays one outside."""

    def refuse(conn: Connection) -> None:
        raise InvalidArgument("no", "yes")

    with pytest.raises(InvalidArgument, match="no"):
        database.write(refuse)


@pytest.mark.parametrize("dialect_name", ["sqlite"], indirect=True)
def test_waits_for_another_process_that_writes(database: Database, store_url: str) -> None:
    """A lock of somebody else delays a commit and does not fail it."""
    session = add_session(database)
    other = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=lambda: database.writer.commit(session, 1, [call(0)]))
    thread.start()
    assert indexes(database, session) == []
    other.execute("ROLLBACK")
    thread.join()
    other.close()
    assert indexes(database, session) == [0]


@pytest.mark.postgres
@pytest.mark.parametrize("dialect_name", ["postgresql"], indirect=True)
def test_a_connection_lost_between_commits_is_replaced(database: Database, postgres_cluster: Cluster) -> None:
    """A server that dropped the idle connection is asked again on another one; nobody notices."""
    session = add_session(database)
    _terminate_connections(postgres_cluster)
    database.writer.commit(session, 1, [call(0)])
    assert indexes(database, session) == [0]


@pytest.mark.postgres
@pytest.mark.parametrize("dialect_name", ["postgresql"], indirect=True)
def test_a_connection_lost_in_a_transaction_runs_the_group_again(database: Database, postgres_cluster: Cluster) -> None:
    """Before COMMIT was sent nothing can have been written, so the whole group is repeated."""
    session = add_session(database)
    runs: list[int] = []
    database.writer.append(session, 1, [call(0)])

    def lose_connection_once(conn: Connection) -> None:
        runs.append(1)
        if len(runs) == 1:
            _terminate_connections(postgres_cluster)
        journal.insert(conn, session, [call(1)])

    database.writer.transact(session, 1, lose_connection_once)
    assert len(runs) == 2
    assert indexes(database, session) == [0, 1]


@pytest.mark.postgres
@pytest.mark.parametrize("dialect_name", ["postgresql"], indirect=True)
def test_two_servers_that_lock_in_a_circle_both_get_through(database: Database, store_url: str) -> None:
    """PostgreSQL ends a deadlock by failing one transaction; that group runs again."""
    first, second = add_session(database), add_session(database)
    both_hold_one = threading.Barrier(2)

    def finish(opened: Database, mine: str, other: str) -> None:
        met: list[int] = []

        def stop_both(conn: Connection) -> None:
            sessions.stop(conn, mine, "first", now=1)
            if not met:
                met.append(1)
                both_hold_one.wait()
            sessions.stop(conn, other, "second", now=1)

        opened.write(stop_both)

    with Database.open(store_url) as rival:
        threads = [
            threading.Thread(target=finish, args=(database, first, second)),
            threading.Thread(target=finish, args=(rival, second, first)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    states = [database.read(lambda conn, one=one: sessions.get(conn, one)).state for one in (first, second)]  # type: ignore[misc]
    assert states == [SessionState.STOPPED] * 2


def _terminate_connections(cluster: Cluster) -> None:
    cluster.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'template1\\_%'"
        " AND pid <> pg_backend_pid()"
    )


class _Group:
    """Holds the writer up until several threads have queued, in the order given, and lets them go together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._works: list[Callable[[], object]] = []

    def add(self, work: Callable[[], object]) -> None:
        self._works.append(work)

    def run(self) -> None:
        writer = self._database.writer
        holding, go_on = threading.Event(), threading.Event()

        def hold(conn: Connection) -> None:
            holding.set()
            go_on.wait()

        threads = [threading.Thread(target=self._database.write, args=(hold,))]
        threads[0].start()
        holding.wait()
        for queued, work in enumerate(self._works, start=1):
            threads.append(threading.Thread(target=work))
            threads[-1].start()
            while writer.queued < queued:
                pass  # a few microseconds: the thread has only to put its work into the queue
        go_on.set()
        for thread in threads:
            thread.join()
