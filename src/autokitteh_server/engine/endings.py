"""What the end of a session means to others."""

from collections.abc import Callable
from typing import Any

from autokitteh_server.core.entities import Session
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.surroundings import Surroundings
from autokitteh_server.storage import deployments, signals
from autokitteh_server.storage.connection import Connection

#: What is to be done once the end of a session is durable.
Then = Callable[[], None]


def end_session(
    around: Surroundings,
    conn: Connection,
    session: Session,
    state: SessionState,
    result: Any,
    error: str | None,
    *,
    now: int,
) -> Then:
    """In the transaction that ends a session: let its deployment end if it was the last, and tell who wants to know.

    Its parent gets a signal named by the child's id. Whatever gets an event of it is told once that is durable: by
    `tell_of_end`, which gets what this returns.
    """
    if session.deployment_id is not None:
        deployments.settle(conn, session.deployment_id, now=now)
    if session.parent_id is not None:
        completed = state is SessionState.COMPLETED
        payload = {"completed": True, "value": result} if completed else {"completed": False}
        signals.send(conn, session.parent_id, session.id, payload, now=now)
    return around.session_events.dispatch(conn, session, state, error, now=now)


def tell_of_end(around: Surroundings, session: Session, state: SessionState, then: Then) -> None:
    """Once the end is durable: count it, wake the session's parent, and answer whoever waits for an outcome."""
    around.instruments.session_ended(state)
    if session.parent_id is not None:
        around.scheduler.wake(session.parent_id, session.id)
    if session.event_id is not None:
        around.outcomes.session_ended(session.event_id, session.id, state)
    then()
