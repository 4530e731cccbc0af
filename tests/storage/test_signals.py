"""Inboxes: first in, first out, by name."""

import pytest

from autokitteh_server.core.entities import Signal
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import sessions, signals
from autokitteh_server.storage.database import Database
from storage.rows import add_session


def send(database: Database, session_id: str, name: str, payload: object) -> bool:
    return database.write(lambda conn: signals.send(conn, session_id, name, payload, now=5))


def take(database: Database, session_id: str, *names: str) -> Signal | None:
    return database.write(lambda conn: signals.take(conn, session_id, names))


def test_the_oldest_signal_of_the_names_is_taken_once(database: Database) -> None:
    """Signals of other names and other sessions stay where they are."""
    mine, other = add_session(database), add_session(database)
    for session_id, name, payload in [(mine, "b", 1), (other, "a", 2), (mine, "a", {"n": [3]}), (mine, "c", 4)]:
        assert send(database, session_id, name, payload)
    assert database.read(lambda conn: signals.names_waiting(conn, mine)) == {"a", "b", "c"}
    first = take(database, mine, "c", "a")
    assert first is not None and (first.name, first.payload, first.sent_at) == ("a", {"n": [3]}, 5)
    second = take(database, mine, "c", "a")
    assert second is not None and second.payload == 4 and second.id > first.id
    assert take(database, mine, "c", "a") is None
    assert take(database, mine) is None
    assert database.read(lambda conn: signals.names_waiting(conn, mine)) == {"b"}


def test_nothing_is_sent_to_nobody(database: Database) -> None:
    """A session that does not exist or is final gets no signal, and the sender is told."""
    session_id = add_session(database)
    database.write(lambda conn: sessions.finish(conn, session_id, 1, SessionState.COMPLETED, now=9))
    assert not send(database, session_id, "late", None)
    assert not send(database, "ses_none", "lost", None)
    assert database.read(lambda conn: signals.names_waiting(conn, session_id)) == frozenset()


def test_a_name_that_cannot_be_stored_is_refused(database: Database) -> None:
    """Two names that differ must not become one, so nothing is escaped here."""
    session_id = add_session(database)
    with pytest.raises(InvalidArgument, match="character"):
        send(database, session_id, "a\0", None)


def test_a_taken_id_is_not_given_again(database: Database) -> None:
    """An id in a journal never means two signals."""
    session_id = add_session(database)
    ids = []
    for _ in range(3):
        send(database, session_id, "a", None)
        taken = take(database, session_id, "a")
        assert taken is not None
        ids.append(taken.id)
    assert ids == sorted(set(ids))
