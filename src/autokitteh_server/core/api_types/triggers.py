"""Triggers as the HTTP API shows them."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.sessions import Which
from autokitteh_server.core.api_types.values import Moment
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.timestamps import format_time

Call = Annotated[str, Meta(description='"file.py:function"; "": starts no session')]
Filter = Annotated[str, Meta(description='CEL over event_type and data; "": none')]
ConnectionName = Annotated[str, Meta(description="Name of a connection of the same project")]


class Trigger(Struct, frozen=True, kw_only=True):
    """A source of events, which of them matter, and the function that gets them."""

    id: str
    project_id: str
    name: str
    type: TriggerType
    call: Call
    event_type: str
    filter: Filter
    connection_id: str | None
    schedule: str
    timezone: str
    is_durable: bool
    is_sync: bool
    allow_overlap: bool
    is_paused: bool
    webhook_url: str | None
    next_tick_at: Moment | None
    last_tick_at: Moment | None
    is_declared: bool  # by a manifest, which may change and remove it
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, trigger: entities.Trigger, public_url: str) -> Self:
        return cls(
            id=trigger.id,
            project_id=trigger.project_id,
            name=trigger.name,
            type=trigger.type,
            call=trigger.call,
            event_type=trigger.event_type,
            filter=trigger.filter,
            connection_id=trigger.connection_id,
            schedule=trigger.schedule,
            timezone=trigger.timezone,
            is_durable=trigger.is_durable,
            is_sync=trigger.is_sync,
            allow_overlap=trigger.allow_overlap,
            is_paused=trigger.is_paused,
            webhook_url=None if trigger.webhook_slug is None else f"{public_url}/webhooks/{trigger.webhook_slug}",
            next_tick_at=None if trigger.next_tick_at is None else format_time(trigger.next_tick_at),
            last_tick_at=None if trigger.last_tick_at is None else format_time(trigger.last_tick_at),
            is_declared=trigger.is_declared,
            created_at=format_time(trigger.created_at),
            updated_at=format_time(trigger.updated_at),
        )


class CreateTrigger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trigger that is wanted."""

    project: Which
    name: str
    type: TriggerType
    call: Call = ""
    event_type: str = ""
    filter: Filter = ""
    connection: ConnectionName = ""
    schedule: str = ""
    timezone: str = ""
    is_durable: bool = False
    is_sync: bool = False
    allow_overlap: bool = False


class ChangeTrigger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed about a trigger. What is not given stays as it is."""

    call: Call | UnsetType = UNSET
    event_type: str | UnsetType = UNSET
    filter: Filter | UnsetType = UNSET
    connection: ConnectionName | UnsetType = UNSET
    schedule: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    is_durable: bool | UnsetType = UNSET
    is_sync: bool | UnsetType = UNSET
    allow_overlap: bool | UnsetType = UNSET
