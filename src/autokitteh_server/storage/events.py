"""Events with their verdicts, and the keys by which repeats are recognised."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from autokitteh_server.core.entities import Event, Verdict, VerdictKind
from autokitteh_server.core.errors import NotFound
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of
from autokitteh_server.storage.values import dump_json, load_json, storable_text

_rows = schema.events
_keys = schema.event_keys

#: For so long the repeat of a key is recognised.
KEY_LIFE_US = 24 * 3600 * 1_000_000


def save_all(conn: Connection, events: Sequence[Event]) -> None:
    """Store new events. Their projects must be there."""
    if not events:
        return
    rows = [
        {
            "id": event.id,
            "project_id": event.project_id,
            "source_id": event.source_id,
            "source_name": event.source_name,
            "event_type": storable_text(event.event_type),
            "key": event.key,
            "created_at": event.created_at,
            "verdicts": _dump_verdicts(event.verdicts),
            "data": dump_json(event.data),
        }
        for event in events
    ]
    conn.execute(insert(_rows), rows)


def remember_key(conn: Connection, source_id: str, key: str, event_id: str, *, now: int) -> str:
    """The event that has this key at its source: an earlier one of the last 24 hours, or else this one from now on."""
    found = select(_keys.c.event_id, _keys.c.seen_at).where(_keys.c.source_id == source_id, _keys.c.key == key)
    dialect_of(conn).lock_name(conn, f"{source_id} {key}")
    earlier = conn.execute(found).one_or_none()
    if earlier is not None and earlier.seen_at > now - KEY_LIFE_US:
        first: str = earlier.event_id
        return first
    row = dialect_of(conn).insert(_keys).values(source_id=source_id, key=key, event_id=event_id, seen_at=now)
    changed = {"event_id": row.excluded.event_id, "seen_at": row.excluded.seen_at}
    conn.execute(row.on_conflict_do_update(index_elements=[_keys.c.source_id, _keys.c.key], set_=changed))
    return event_id


def forget_keys(conn: Connection, *, now: int) -> int:
    """Delete the keys whose time is over; how many there were."""
    return conn.execute(delete(_keys).where(_keys.c.seen_at <= now - KEY_LIFE_US)).rowcount


def get(conn: Connection, event_id: str) -> Event:
    """The event. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == event_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no event {event_id}")
    return _from_row(row)


def list(
    conn: Connection,
    project_id: str | None = None,
    source_id: str | None = None,
    event_type: str | None = None,
    *,
    limit: int,
    after_id: str | None = None,
) -> Sequence[Event]:
    """Events, newest first. `after_id`: the last one of the page before."""
    query = select(_rows).order_by(_rows.c.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    if source_id is not None:
        query = query.where(_rows.c.source_id == source_id)
    if event_type is not None:
        query = query.where(_rows.c.event_type == event_type)
    if after_id is not None:
        query = query.where(_rows.c.id < after_id)
    return [_from_row(row) for row in conn.execute(query)]


def _dump_verdicts(verdicts: Iterable[Verdict]) -> str:
    return dump_json([{name: value for name, value in asdict(each).items() if value} for each in verdicts])


def _from_row(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        project_id=row.project_id,
        source_id=row.source_id,
        source_name=row.source_name,
        event_type=row.event_type,
        data=load_json(row.data),
        key=row.key,
        verdicts=tuple(
            Verdict(**(verdict | {"kind": VerdictKind(verdict["kind"])})) for verdict in load_json(row.verdicts)
        ),
        created_at=row.created_at,
    )
