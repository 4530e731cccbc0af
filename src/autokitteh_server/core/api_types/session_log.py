"""A session's log as the HTTP API shows it."""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from autokitteh_server.core.api_types.values import Moment, PageQuery


class LogLine(Struct, frozen=True, kw_only=True):
    """One thing that happened in a session. Which fields there are depends on the kind; see the page "session log"."""

    t: Moment
    kind: str
    session: str
    task: str | UnsetType = UNSET
    stream: str | UnsetType = UNSET  # of a print
    level: str | UnsetType = UNSET  # of a log
    about: str | UnsetType = UNSET  # of a warning
    state: str | UnsetType = UNSET
    name: str | UnsetType = UNSET  # of what was called
    site: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    args: str | UnsetType = UNSET
    deadline: Moment | UnsetType | None = UNSET
    # Of a call a preview; of a final state what the handler returned.
    result: Annotated[Raw, Meta(description="Any JSON value")] | UnsetType = UNSET
    error: str | UnsetType | None = UNSET
    seconds: float | UnsetType | None = UNSET
    attempt: int | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET
    running: bool | UnsetType = UNSET
    interrupted: bool | UnsetType = UNSET


class LogQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a session's log is wanted."""

    kind: Annotated[str, Meta(description="Only lines of this kind, such as print")] = ""


class StreamQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a session's log is to be sent."""

    after: Annotated[int, Meta(ge=0, description="Only what comes after the event of this id")] = 0
    follow: Annotated[bool, Meta(description="Also what is to come, until the session is over")] = True
