"""Events as the HTTP API shows them."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.sessions import Which
from autokitteh_server.core.api_types.triggers import Filter
from autokitteh_server.core.api_types.values import Moment, PageQuery, Value, raw, readable
from autokitteh_server.core.entities import VerdictKind
from autokitteh_server.core.timestamps import format_time


class Verdict(Struct, frozen=True, kw_only=True):
    """Why an event did or did not start a session at one trigger, or reach a subscription."""

    kind: VerdictKind
    trigger_id: str | None
    subscription_id: str | None
    name: str  # of the trigger, at that time
    session_id: str | None
    detail: str

    @classmethod
    def of(cls, verdict: entities.Verdict) -> Self:
        return cls(
            kind=verdict.kind,
            trigger_id=verdict.trigger_id,
            subscription_id=verdict.subscription_id,
            name=verdict.name,
            session_id=verdict.session_id,
            detail=readable(verdict.detail),
        )


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened."""

    id: str
    project_id: str
    source_id: str
    source_name: str  # at that time
    event_type: str
    data: Value
    key: str | None  # the sender's own id of it
    verdicts: list[Verdict]
    created_at: Moment

    @classmethod
    def of(cls, event: entities.Event) -> Self:
        return cls(
            id=event.id,
            project_id=event.project_id,
            source_id=event.source_id,
            source_name=event.source_name,
            event_type=readable(event.event_type),
            data=raw(event.data),
            key=event.key,
            verdicts=[Verdict.of(verdict) for verdict in event.verdicts],
            created_at=format_time(event.created_at),
        )


class EventQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are wanted: those of whatever is given."""

    project: Which = ""
    source: Annotated[str, Meta(description="Id of a trigger or a connection")] = ""
    event_type: str = ""


class DispatchEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event to be sent by hand."""

    source: Annotated[str, Meta(description="PROJECT/TRIGGER, PROJECT/CONNECTION, or the id of either")]
    event_type: str = ""
    data: Value | UnsetType = UNSET


class TryFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter to be checked, and an event to try it on."""

    filter: Filter
    event_type: str = ""
    data: Annotated[Value, Meta(description="What to try it on")] | UnsetType = UNSET


class FilterProblem(Struct, frozen=True, kw_only=True):
    """What is wrong with a filter, and where. Both count from 1."""

    line: int
    column: int
    message: str
    remedy: str


class FilterVerdict(Struct, frozen=True, kw_only=True):
    """What a filter is worth."""

    problems: list[FilterProblem]  # it can be used if there are none
    matched: Annotated[bool | None, Meta(description="null: it was not tried")]
    failure: Annotated[str, Meta(description="Why it failed on the event; then the event does not match")]
