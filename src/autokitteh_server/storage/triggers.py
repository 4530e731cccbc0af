"""Triggers' rows, and the claims of schedules' ticks."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, insert, or_, select, update

from autokitteh_server.core.entities import Trigger
from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.storage import schema

_rows = schema.triggers
_FIELDS = tuple(field.name for field in fields(Trigger))

# Asked for every event: made once, for making a statement takes as long as running it.
_BY_SLUGS = select(_rows).where(_rows.c.webhook_slug.in_(bindparam("slugs", expanding=True)))
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OF_SOURCES = select(_rows).where(or_(_rows.c.id.in_(_IDS), _rows.c.connection_id.in_(_IDS))).order_by(_rows.c.name)


class Due(NamedTuple):
    """A schedule whose tick is due."""

    trigger: Trigger
    at: int  # the moment of the tick


def create(conn: Connection, trigger: Trigger) -> None:
    """Store a new trigger. Its project and connection must be there, and the name be free in the project."""
    conn.execute(insert(_rows).values(**_values(trigger)))


def update_row(conn: Connection, trigger: Trigger) -> None:
    """Store a trigger anew."""
    conn.execute(update(_rows).where(_rows.c.id == trigger.id).values(**_values(trigger)))


def get(conn: Connection, trigger_id: str) -> Trigger:
    """The trigger. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == trigger_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no trigger {trigger_id}")
    return _from_row(row)


def of_ids(conn: Connection, trigger_ids: Collection[str]) -> Sequence[Trigger]:
    """Those of these triggers that there are."""
    return [_from_row(row) for row in conn.execute(select(_rows).where(_rows.c.id.in_(trigger_ids)))]


def find_by_name(conn: Connection, project_id: str, name: str) -> Trigger | None:
    """The project's trigger of this name, if there is one."""
    query = select(_rows).where(_rows.c.project_id == project_id, _rows.c.name == name)
    row = conn.execute(query).one_or_none()
    return None if row is None else _from_row(row)


def list(conn: Connection, project_id: str | None = None) -> Sequence[Trigger]:
    """The triggers of a project, or all there are, by project and name."""
    query = select(_rows).order_by(_rows.c.project_id, _rows.c.name)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    return [_from_row(row) for row in conn.execute(query)]


def by_slugs(conn: Connection, slugs: Collection[str]) -> dict[str, Trigger]:
    """The webhooks that have these slugs, by slug."""
    found = map(_from_row, conn.execute(_BY_SLUGS, {"slugs": [*slugs]}))
    return {trigger.webhook_slug: trigger for trigger in found if trigger.webhook_slug is not None}


def of_sources(conn: Connection, source_ids: Collection[str]) -> dict[str, Sequence[Trigger]]:
    """The triggers that get the events of these sources, by source, in order of name.

    A source is a connection, or the trigger itself that is a webhook or a schedule.
    """
    found: dict[str, Any] = {source_id: [] for source_id in source_ids}
    for trigger in map(_from_row, conn.execute(_OF_SOURCES, {"ids": [*source_ids]})):
        # A connection's trigger is no source itself, and may be asked for by hand as if it were.
        for source_id in (trigger.id, trigger.connection_id):
            if source_id in found:
                found[source_id].append(trigger)
    return found


def remove(conn: Connection, trigger_id: str) -> None:
    """Delete a trigger. Raises NotFound."""
    if not conn.execute(delete(_rows).where(_rows.c.id == trigger_id)).rowcount:
        raise NotFound(f"there is no trigger {trigger_id}")


def due(conn: Connection, now: int, *, limit: int) -> Sequence[Due]:
    """Schedules whose next tick has come, the oldest tick first. Those that are paused have none."""
    query = select(_rows).where(_rows.c.next_tick_at <= now).order_by(_rows.c.next_tick_at).limit(limit)
    return [Due(_from_row(row), row.next_tick_at) for row in conn.execute(query)]


def next_tick_at(conn: Connection) -> int | None:
    """The moment of the first tick that is to come, if there is one."""
    query = select(_rows.c.next_tick_at).where(_rows.c.next_tick_at.is_not(None))
    return conn.execute(query.order_by(_rows.c.next_tick_at).limit(1)).scalar_one_or_none()


def claim_tick(conn: Connection, trigger_id: str, at: int, next_at: int | None) -> bool:
    """Take a tick, and note when the next one is. False if somebody else has taken it, or the schedule has changed."""
    taken = (
        update(_rows)
        .where(_rows.c.id == trigger_id, _rows.c.next_tick_at == at)
        .values(next_tick_at=next_at, last_tick_at=at)
    )
    return bool(conn.execute(taken).rowcount)


def _values(trigger: Trigger) -> dict[str, Any]:
    return asdict(trigger) | {"type": trigger.type.value}


def _from_row(row: Row[Any]) -> Trigger:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Trigger(**(values | {"type": TriggerType(row.type)}))
