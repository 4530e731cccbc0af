"""What is wanted of a trigger, turned into the row that is kept of it."""

from dataclasses import replace
from typing import Any

from autokitteh_server.core import manifest
from autokitteh_server.core.entities import Trigger
from autokitteh_server.core.ids import IdSource, SlugSource
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.names import parse_entry
from autokitteh_server.core.schedules import parse_schedule


def make_row(
    wanted: manifest.Trigger,
    *,
    project_id: str,
    connection_id: str | None,
    is_declared: bool,
    now: int,
    new_id: IdSource,
    new_slug: SlugSource,
) -> Trigger:
    """A new trigger. A webhook gets its slug, and a schedule its first tick."""
    row = Trigger(
        id=new_id("trg"),
        project_id=project_id,
        name=wanted.name,
        type=wanted.type,
        webhook_slug=new_slug() if wanted.type is TriggerType.WEBHOOK else None,
        anchor_at=now,
        is_declared=is_declared,
        created_at=now,
        updated_at=now,
        **_fields(wanted, connection_id),
    )
    return with_next_tick(row, now)


def change_row(
    row: Trigger, wanted: manifest.Trigger, *, connection_id: str | None, is_declared: bool, now: int
) -> Trigger:
    """A trigger with other fields. Its id, slug and pause stay; another schedule or zone is counted from now."""
    changed = replace(row, is_declared=is_declared, updated_at=now, **_fields(wanted, connection_id))
    if (row.schedule, row.timezone) == (changed.schedule, changed.timezone):
        return changed
    return with_next_tick(replace(changed, anchor_at=now), now)


def with_next_tick(row: Trigger, now: int) -> Trigger:
    """A trigger with the moment of its next tick after now: none if it is paused, or no schedule."""
    if row.type is not TriggerType.SCHEDULE or row.is_paused:
        return replace(row, next_tick_at=None)
    schedule = parse_schedule(row.schedule, row.timezone)
    return replace(row, next_tick_at=schedule.next_after(now, anchor_us=row.anchor_at))


def wanted_of(row: Trigger, connection_name: str) -> manifest.Trigger:
    """The trigger as a manifest would have it."""
    return manifest.Trigger(
        name=row.name,
        type=row.type,
        is_durable=row.is_durable,
        call=parse_entry(row.call) if row.call else None,
        event_type=row.event_type,
        filter=row.filter,
        schedule=row.schedule,
        timezone=row.timezone,
        connection=connection_name,
        is_sync=row.is_sync,
        allow_overlap=row.allow_overlap,
    )


def _fields(wanted: manifest.Trigger, connection_id: str | None) -> dict[str, Any]:
    return {
        "call": str(wanted.call or ""),
        "event_type": wanted.event_type,
        "filter": wanted.filter,
        "connection_id": connection_id,
        "schedule": wanted.schedule,
        "timezone": wanted.timezone,
        "is_durable": wanted.is_durable,
        "is_sync": wanted.is_sync,
        "allow_overlap": wanted.allow_overlap,
    }
