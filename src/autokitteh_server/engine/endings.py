"""What the end of a session means to others."""

from typing import Any

from autokitteh_server.core.entities import Session
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import signals
from autokitteh_server.storage.connection import Connection


def end_session(conn: Connection, session: Session, state: SessionState, result: Any, *, now: int) -> None:
    """Tell a session's parent, in the transaction that ends it, with a signal named by the child's id."""
    if session.parent_id is None:
        return
    completed = state is SessionState.COMPLETED
    payload = {"completed": True, "value": result} if completed else {"completed": False}
    signals.send(conn, session.parent_id, session.id, payload, now=now)
