"""Sessions' subscriptions, and the events queued for them."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from autokitteh_server.core.entities import Subscription
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import schema
from autokitteh_server.storage.values import dump_json, load_json

_rows = schema.subscriptions
_queue = schema.subscription_events

# Asked for every event: made once, for making a statement takes as long as running it.
_OF_SOURCES = (
    select(_rows)
    .where(_rows.c.source_id.in_(bindparam("ids", expanding=True)))
    .order_by(_rows.c.created_at, _rows.c.id)
)


class Queued(NamedTuple):
    """An event for a subscription."""

    subscription: Subscription
    event_id: str
    event: dict[str, Any]  # what `next_event` gives: data, event_id, event_type


def create(conn: Connection, subscription: Subscription) -> None:
    """Store a new subscription. Its session must be there."""
    conn.execute(
        insert(_rows).values(
            id=subscription.id,
            session_id=subscription.session_id,
            project_id=subscription.project_id,
            source_id=subscription.source_id,
            filter=subscription.filter,
            created_at=subscription.created_at,
        )
    )


def of_sources(conn: Connection, source_ids: Collection[str]) -> Sequence[Subscription]:
    """The subscriptions to these sources, in order of age."""
    return [_from_row(row) for row in conn.execute(_OF_SOURCES, {"ids": [*source_ids]})]


def of_session(conn: Connection, session_id: str) -> Sequence[Subscription]:
    """The subscriptions of a session, in order of age."""
    query = select(_rows).where(_rows.c.session_id == session_id).order_by(_rows.c.created_at, _rows.c.id)
    return [_from_row(row) for row in conn.execute(query)]


def end(conn: Connection, session_id: str, subscription_id: str) -> None:
    """End a subscription, and forget what is queued for it. It is no error if it had ended."""
    conn.execute(delete(_rows).where(_rows.c.id == subscription_id, _rows.c.session_id == session_id))


def end_all(conn: Connection, session_id: str) -> None:
    """End every subscription of a session."""
    conn.execute(delete(_rows).where(_rows.c.session_id == session_id))


def queue_all(conn: Connection, queued: Sequence[Queued]) -> Sequence[bool]:
    """Put events behind those that wait already; for each whether it could be: its session is not over.

    The sessions' rows are held until the transaction ends. So either a session takes the event before it parks, or
    whoever queued it wakes the session: see `signals.send`.
    """
    if not queued:
        return []
    sessions = schema.sessions
    ids = sorted({each.subscription.session_id for each in queued})
    states = conn.execute(
        select(sessions.c.id, sessions.c.state)
        .where(sessions.c.id.in_(ids))
        .order_by(sessions.c.id)
        .with_for_update(key_share=True)
    )
    alive = {row.id for row in states if not SessionState(row.state).is_final}
    # A session may have ended a subscription while the event was on its way here.
    there = set(conn.execute(select(_rows.c.id).where(_rows.c.session_id.in_(alive))).scalars())
    is_taken = [each.subscription.id in there for each in queued]
    rows = [
        {
            "subscription_id": each.subscription.id,
            "session_id": each.subscription.session_id,
            "event_id": each.event_id,
            "event": dump_json(each.event),
        }
        for each, taken in zip(queued, is_taken, strict=True)
        if taken
    ]
    if rows:
        conn.execute(insert(_queue), rows)
    return is_taken


def take(conn: Connection, session_id: str, subscription_ids: Collection[str]) -> dict[str, Any] | None:
    """Remove and return the oldest event that is queued for one of these subscriptions of a session."""
    oldest = (
        select(_queue.c.id)
        .where(_queue.c.session_id == session_id, _queue.c.subscription_id.in_(subscription_ids))
        .order_by(_queue.c.id)
        .limit(1)
        .scalar_subquery()
    )
    taken = delete(_queue).where(_queue.c.id == oldest).returning(_queue.c.event)
    stored = conn.execute(taken).scalar_one_or_none()
    if stored is None:
        return None
    event: dict[str, Any] = load_json(stored)
    return event


def with_events(conn: Connection, subscription_ids: Collection[str]) -> frozenset[str]:
    """Those of these subscriptions for which events are queued."""
    query = select(_queue.c.subscription_id).where(_queue.c.subscription_id.in_(subscription_ids))
    return frozenset(conn.execute(query.distinct()).scalars())


def sessions_with_events(conn: Connection) -> frozenset[str]:
    """The sessions for whose subscriptions events are queued."""
    return frozenset(conn.execute(select(_queue.c.session_id).distinct()).scalars())


def _from_row(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        session_id=row.session_id,
        project_id=row.project_id,
        source_id=row.source_id,
        filter=row.filter,
        created_at=row.created_at,
    )
