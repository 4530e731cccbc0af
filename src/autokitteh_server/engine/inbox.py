"""What waits for a session that waits: signals sent to it, and events of its subscriptions."""

from collections.abc import Iterable
from typing import Any

from autokitteh_server.core.entities import Wait
from autokitteh_server.storage import signals, subscriptions
from autokitteh_server.storage.connection import Connection


def take(conn: Connection, session_id: str, wait: Wait) -> dict[str, Any] | None:
    """Remove and return the oldest that a wait is for, as the runner gets it; None if there is nothing."""
    if not wait.names:
        return None
    if wait.kind == "next_event":
        return subscriptions.take(conn, session_id, wait.names)
    signal = signals.take(conn, session_id, wait.names)
    return None if signal is None else {"name": signal.name, "payload": signal.payload}


def has_for(conn: Connection, session_id: str, waits: Iterable[Wait]) -> bool:
    """Whether there is something for one of the waits."""
    by_kind: dict[bool, set[str]] = {False: set(), True: set()}
    for wait in waits:
        by_kind[wait.kind == "next_event"].update(wait.names)
    ids, names = by_kind[True], by_kind[False]
    return bool(ids and subscriptions.with_events(conn, ids)) or bool(
        names and names & signals.names_waiting(conn, session_id)
    )


def sessions_with_something(conn: Connection) -> frozenset[str]:
    """The sessions for which something waits."""
    return signals.sessions_with_signals(conn) | subscriptions.sessions_with_events(conn)
