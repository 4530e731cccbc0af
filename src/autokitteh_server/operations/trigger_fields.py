"""The fields of a trigger that is made by hand, and whether they make sense together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from autokitteh_server.core import manifest
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.filters import check_filter
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.names import parse_entry
from autokitteh_server.core.schedules import check_schedule, timezone_problem
from autokitteh_server.operations.checks import check_name, check_text


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFields:
    """As in a manifest, all as text or flag."""

    type: TriggerType
    call: str = ""  # "file.py:function"; "": starts no session
    event_type: str = ""
    filter: str = ""
    connection: str = ""  # name, of a connection of the same project
    schedule: str = ""
    timezone: str = ""
    is_durable: bool = False
    is_sync: bool = False
    allow_overlap: bool = False


def fields_of(trigger: manifest.Trigger, changes: Mapping[str, Any]) -> TriggerFields:
    """The fields of a trigger, some of them changed. Raises InvalidArgument for unknown fields, and for the type."""
    known = [field.name for field in fields(TriggerFields) if field.name != "type"]
    for name in changes:
        if name not in known:
            raise InvalidArgument(f"a trigger has no field {name!r} that can be changed", f"It has {', '.join(known)}.")
    present = TriggerFields(
        type=trigger.type,
        call=str(trigger.call or ""),
        event_type=trigger.event_type,
        filter=trigger.filter,
        connection=trigger.connection,
        schedule=trigger.schedule,
        timezone=trigger.timezone,
        is_durable=trigger.is_durable,
        is_sync=trigger.is_sync,
        allow_overlap=trigger.allow_overlap,
    )
    return replace(present, **changes)


def check_fields(name: str, given: TriggerFields) -> manifest.Trigger:
    """The trigger that is wanted. Raises InvalidArgument with all that is wrong; the connection is not looked up."""
    check_name("trigger", name)
    for what in ("call", "event_type", "filter", "connection", "schedule", "timezone"):
        check_text(what, getattr(given, what))
    if problems := list(_problems(given)):
        raise InvalidArgument("\n".join(problems))
    return manifest.Trigger(
        name=name,
        type=given.type,
        is_durable=given.is_durable,
        call=parse_entry(given.call) if given.call else None,
        event_type=given.event_type,
        filter=given.filter,
        schedule=given.schedule.strip(),
        timezone=given.timezone,
        connection=given.connection,
        is_sync=given.is_sync,
        allow_overlap=given.allow_overlap,
    )


#: Fields that only triggers of one type have.
_OWNED = {
    "schedule": TriggerType.SCHEDULE,
    "timezone": TriggerType.SCHEDULE,
    "allow_overlap": TriggerType.SCHEDULE,
    "connection": TriggerType.CONNECTION,
    "is_sync": TriggerType.WEBHOOK,
}


def _problems(given: TriggerFields) -> Iterator[str]:
    for name, owner in _OWNED.items():
        if getattr(given, name) and given.type is not owner:
            yield f"{name}: a {given.type} trigger has none; only a {owner} trigger has"
    if given.call:
        try:
            parse_entry(given.call)
        except InvalidArgument as error:
            yield f"call: {error.message}. {error.remedy}"
    for problem in check_filter(given.filter):
        yield f"filter: line {problem.line}, column {problem.column}: {problem.message}. {problem.remedy}".rstrip()
    if given.type is TriggerType.CONNECTION and not given.connection:
        yield "connection: a connection trigger needs the name of one of the project's connections"
    if given.type is TriggerType.SCHEDULE:
        yield from _schedule_problems(given)


def _schedule_problems(given: TriggerFields) -> Iterator[str]:
    for problem in check_schedule(given.schedule):
        yield f"schedule: {problem.message}. {problem.remedy}".rstrip()
    if bad := timezone_problem(given.timezone):
        yield f"timezone: {'. '.join(bad)}"
    if not given.call:
        yield "call: a schedule has to call something, such as program.py:on_tick"
