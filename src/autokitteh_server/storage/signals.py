"""Sessions' inboxes: signals that were sent and have not been taken."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from autokitteh_server.core.entities import Signal
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import schema
from autokitteh_server.storage.values import dump_json, is_storable, load_json

_rows = schema.signals


def send(conn: Connection, session_id: str, name: str, payload: object, *, now: int) -> bool:
    """Put a signal into a session's inbox. False, and nothing is put there, if it does not exist or is final.

    The session's row is held until the transaction ends. So either the receiver takes the signal before it parks, or
    whoever sends sees, in this transaction, what the receiver waits for; a signal that wakes nobody cannot be.
    """
    if not is_storable(name):
        raise InvalidArgument("the name of a signal has a character that cannot be stored", "Use ordinary text.")
    sessions = schema.sessions
    receiver = select(sessions.c.state).where(sessions.c.id == session_id).with_for_update(key_share=True)
    state = conn.execute(receiver).scalar_one_or_none()
    if state is None or SessionState(state).is_final:
        return False
    conn.execute(insert(_rows).values(session_id=session_id, name=name, payload=dump_json(payload), sent_at=now))
    return True


def take(conn: Connection, session_id: str, names: Collection[str]) -> Signal | None:
    """Remove and return the oldest signal that has one of the names."""
    oldest = (
        select(_rows.c.id)
        .where(_rows.c.session_id == session_id, _rows.c.name.in_(names))
        .order_by(_rows.c.id)
        .limit(1)
        .scalar_subquery()
    )
    row = conn.execute(delete(_rows).where(_rows.c.id == oldest).returning(_rows)).one_or_none()
    if row is None:
        return None
    return Signal(
        id=row.id, session_id=row.session_id, name=row.name, payload=load_json(row.payload), sent_at=row.sent_at
    )


def names_waiting(conn: Connection, session_id: str) -> frozenset[str]:
    """The names of the signals in a session's inbox."""
    return frozenset(conn.execute(select(_rows.c.name).where(_rows.c.session_id == session_id).distinct()).scalars())


def sessions_with_signals(conn: Connection) -> frozenset[str]:
    """The sessions whose inboxes are not empty."""
    return frozenset(conn.execute(select(_rows.c.session_id).distinct()).scalars())
