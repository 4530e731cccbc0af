"""How events of connections come in: rows for those for which something has to be done."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from autokitteh_server.core.entities import Feed, FeedState
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of
from autokitteh_server.storage.values import storable_text

_rows = schema.feeds


def add(conn: Connection, feed: Feed) -> bool:
    """Store a feed; False if its connection has one. The connection must be there."""
    row = dialect_of(conn).insert(_rows).values(**_values(feed))
    stored = row.on_conflict_do_nothing().returning(_rows.c.connection_id)
    return conn.execute(stored).one_or_none() is not None


def of_connections(conn: Connection, connection_ids: Collection[str]) -> dict[str, Feed]:
    """The feeds of these connections, by connection."""
    query = select(_rows).where(_rows.c.connection_id.in_(connection_ids))
    return {row.connection_id: _from_row(row) for row in conn.execute(query)}


def all_of(conn: Connection) -> dict[str, Feed]:
    """Every feed, by connection."""
    return {row.connection_id: _from_row(row) for row in conn.execute(select(_rows))}


def due(conn: Connection, now: int, *, limit: int) -> Sequence[Feed]:
    """Those for which something is to be done, the longest overdue first."""
    query = select(_rows).where(_rows.c.next_at <= now).order_by(_rows.c.next_at).limit(limit)
    return [_from_row(row) for row in conn.execute(query)]


def next_at(conn: Connection, *, besides: Collection[str]) -> int | None:
    """When something is to be done next, if ever, for a connection besides these."""
    query = select(_rows.c.next_at).where(_rows.c.next_at.is_not(None), _rows.c.connection_id.not_in(besides))
    return conn.execute(query.order_by(_rows.c.next_at).limit(1)).scalar_one_or_none()


def claim(conn: Connection, feed: Feed, until: int) -> bool:
    """Take what is to be done, until this moment, at which somebody else takes it. False if somebody else has it."""
    is_as_it_was = (_rows.c.connection_id == feed.connection_id, _rows.c.next_at == feed.next_at)
    return bool(conn.execute(update(_rows).where(*is_as_it_was).values(next_at=until)).rowcount)


def hurry(conn: Connection, connection_ids: Collection[str] | None, now: int) -> None:
    """Have something done for these connections, or for all, as soon as can be, also if somebody is at it.

    Of these, those that have failed wait all the same: a service that wants to be left alone may say a lot is new.
    """
    hurried = update(_rows).where(_rows.c.next_at > now).values(next_at=now)
    if connection_ids is not None:
        hurried = hurried.where(_rows.c.connection_id.in_(connection_ids), _rows.c.failures == 0)
    conn.execute(hurried)


def renew(conn: Connection, connection_ids: Collection[str], now: int) -> None:
    """Have these services told anew, as soon as can be, whatever has become of that before."""
    is_due = (_rows.c.connection_id.in_(connection_ids), _rows.c.next_at.is_not(None))
    conn.execute(update(_rows).where(*is_due).values(next_at=now, registered_url="", renew_at=None, failures=0))


def save(conn: Connection, feed: Feed, *, claimed_until: int | None) -> None:
    """Store what has become of a feed. If it is to be hurried meanwhile, it stays so."""
    values = _values(feed)
    del values["connection_id"], values["next_at"]
    own = _rows.c.connection_id == feed.connection_id
    conn.execute(update(_rows).where(own).values(**values))
    conn.execute(update(_rows).where(own, _rows.c.next_at == claimed_until).values(next_at=feed.next_at))


def note(conn: Connection, connection_id: str, state: FeedState, message: str, now: int) -> None:
    """Store how a gateway stands."""
    values = {"state": state.value, "message": storable_text(message), "changed_at": now, "worked_at": now}
    conn.execute(update(_rows).where(_rows.c.connection_id == connection_id).values(**values))


def remove(conn: Connection, connection_id: str) -> None:
    """Forget a feed."""
    conn.execute(delete(_rows).where(_rows.c.connection_id == connection_id))


def _values(feed: Feed) -> dict[str, Any]:
    return asdict(feed) | {"state": feed.state.value, "message": storable_text(feed.message)}


def _from_row(row: Row[Any]) -> Feed:
    return Feed(**(dict(row._mapping) | {"state": FeedState(row.state)}))
