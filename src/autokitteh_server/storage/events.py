"""Events with their verdicts, and the keys by which repeats are recognised."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, tuple_

from autokitteh_server.core.entities import Event, Verdict, VerdictKind
from autokitteh_server.core.errors import NotFound
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of
from autokitteh_server.storage.values import dump_json, load_json, storable_text

_rows = schema.events
_keys = schema.event_keys


class Keyed(NamedTuple):
    """An event that its sender calls something."""

    source_id: str
    key: str
    event_id: str


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


def remember_keys(conn: Connection, keys: Sequence[Keyed], *, now: int) -> dict[tuple[str, str], str]:
    """The event that has each key at its source: an earlier one of the last 24 hours, or else the first one given.

    Of two transactions that remember the same key at once, one waits for the other.
    """
    first: dict[tuple[str, str], str] = {}
    for keyed in keys:
        first.setdefault((keyed.source_id, keyed.key), keyed.event_id)
    # In the same order everywhere, for who waits for whom.
    rows = [
        {"source_id": source_id, "key": key, "event_id": event_id, "seen_at": now}
        for (source_id, key), event_id in sorted(first.items())
    ]
    insert_ = dialect_of(conn).insert(_keys)
    new = insert_.on_conflict_do_update(
        index_elements=[_keys.c.source_id, _keys.c.key],
        set_={"event_id": insert_.excluded.event_id, "seen_at": insert_.excluded.seen_at},
        where=_keys.c.seen_at <= now - KEY_LIFE_US,
    ).returning(_keys.c.source_id, _keys.c.key)
    taken = {(row.source_id, row.key) for row in conn.execute(new, rows)} if rows else set()
    if repeated := first.keys() - taken:
        place = tuple_(_keys.c.source_id, _keys.c.key)
        query = select(_keys.c.source_id, _keys.c.key, _keys.c.event_id).where(place.in_(repeated))
        first |= {(row.source_id, row.key): row.event_id for row in conn.execute(query)}
    return first


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
