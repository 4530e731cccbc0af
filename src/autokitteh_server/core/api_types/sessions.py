"""Sessions as the HTTP API shows them, and what may be asked of them."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.values import Moment, PageQuery, Value, raw, readable
from autokitteh_server.core.states import SessionState
from autokitteh_server.core.timestamps import format_time

Which = Annotated[str, Meta(description="Name or id")]


class Wait(Struct, frozen=True, kw_only=True):
    """Something a session waits for."""

    kind: str
    names: list[str]
    deadline: Moment | None

    @classmethod
    def of(cls, wait: entities.Wait) -> Self:
        deadline = None if wait.deadline_at is None else format_time(wait.deadline_at)
        return cls(kind=wait.kind, names=[readable(name) for name in wait.names], deadline=deadline)


class Session(Struct, frozen=True, kw_only=True):
    """One run of one handler."""

    id: str
    state: SessionState
    entry: str
    durable: bool
    created_at: Moment
    updated_at: Moment
    project_id: str
    build_id: str
    deployment_id: str | None
    trigger_id: str | None
    event_id: str | None
    parent_id: str | None
    waits: list[Wait] | None  # None: it has work to do, or is over
    event: Value  # what the handler gets: data, event_id, event_type
    vars: list[str]  # names only, for some are secrets
    memo: dict[str, str]
    result: Value
    error: str | None

    @classmethod
    def of(cls, session: entities.Session) -> Self:
        return cls(
            id=session.id,
            state=session.state,
            entry=session.entry,
            durable=session.durable,
            created_at=format_time(session.created_at),
            updated_at=format_time(session.updated_at),
            project_id=session.project_id,
            build_id=session.build_id,
            deployment_id=session.deployment_id,
            trigger_id=session.trigger_id,
            event_id=session.event_id,
            parent_id=session.parent_id,
            waits=None if session.waits is None else [Wait.of(wait) for wait in session.waits],
            event=raw(session.event),
            vars=sorted(session.vars),
            memo={readable(name): readable(value) for name, value in session.memo.items()},
            result=raw(session.result),
            error=session.error,
        )


class SessionQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions are wanted: those of whatever is given."""

    project: Which = ""
    deployment: Annotated[str, Meta(description="Id of a deployment")] = ""
    event: Annotated[str, Meta(description="Id of the event that started them")] = ""
    parent: Annotated[str, Meta(description="Id of the session that started them")] = ""
    state: SessionState | UnsetType = UNSET


class StartSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session to be started by hand, on the build of the project's active deployment."""

    project: Which
    entry: Annotated[str, Meta(description='"file.py:function"')]
    data: Value | UnsetType = UNSET
    memo: dict[str, str] = {}
    durable: Annotated[bool | None, Meta(description="null: as the triggers that call the entry; else true")] = None


class StopSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a session is to be stopped."""

    force: Annotated[bool, Meta(description="At once, not after the activity under way")] = False
