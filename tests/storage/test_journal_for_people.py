"""Reading journals for people: of all sessions, by what is new, and without what is large; finding sessions by id."""

from autokitteh_server.core.journal import Record
from autokitteh_server.storage import journal, sessions
from autokitteh_server.storage.database import Database
from storage.rows import add_session, call


def append(database: Database, session_id: str, *records: Record) -> None:
    """Append and commit."""
    database.writer.transact(session_id, 1, lambda conn: journal.insert(conn, session_id, records))


def test_news_of_all_sessions_in_order(database: Database) -> None:
    """What was committed after a seq, with its session, in portions."""
    one, two = add_session(database), add_session(database)
    append(database, one, call(0))
    seen = database.read(journal.last_seq)
    append(database, two, call(0), call(1))
    append(database, one, call(1))

    first = database.read(lambda conn: journal.read_news(conn, seen, 2))
    rest = database.read(lambda conn: journal.read_news(conn, first[-1][1].seq, 2))

    assert [(session_id, stored.record.index) for session_id, stored in first] == [(two, 0), (two, 1)]
    assert [(session_id, stored.record.index) for session_id, stored in rest] == [(one, 1)]
    assert rest[-1][1].seq == database.read(journal.last_seq)


def test_log_leaves_payloads_out(database: Database) -> None:
    """But for those of waits' starts, which say when the wait will be over."""
    session_id = add_session(database)
    wait = Record(kind="sleep", phase="start", index=1, payload=b"deadline")
    append(database, session_id, call(0, payload=b"p", result="shown"), call(2, payload=b"x" * 100_000), wait)

    records = [stored.record for stored in database.read(lambda conn: journal.read_log(conn, session_id))]

    assert [(each.index, each.result, bytes(each.payload)) for each in records] == [
        (0, "shown", b""), (2, "", b""), (1, "", b"deadline"),
    ]  # fmt: skip


def test_empty_store_has_no_news(database: Database) -> None:
    """Seq 0 comes before everything."""
    assert database.read(journal.last_seq) == 0
    assert database.read(lambda conn: journal.read_news(conn, 0, 10)) == []
    assert database.read(sessions.newest) is None


def test_sessions_by_the_beginning_of_their_ids(database: Database) -> None:
    """Newest first, and no more than asked for; the newest of all is one that no other started."""
    ids = [add_session(database, id=f"ses_{name}") for name in ("a1", "a2", "b1")]
    add_session(database, id="ses_c1", parent_id=ids[0])

    assert database.read(lambda conn: sessions.find(conn, "ses_a", limit=5)) == ["ses_a2", "ses_a1"]
    assert database.read(lambda conn: sessions.find(conn, "ses_", limit=1)) == ["ses_c1"]
    assert database.read(lambda conn: sessions.find(conn, "ses_x", limit=5)) == []
    assert database.read(sessions.newest) == "ses_b1"
