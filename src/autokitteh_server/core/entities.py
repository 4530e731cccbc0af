"""What the server keeps, as frozen values. All times are microseconds since 1970 (UTC), named `*_at`."""

from dataclasses import dataclass, field
from typing import Any

from autokitteh_server.core.states import SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """An immutable snapshot of a project's files."""

    id: str
    project_id: str
    digest: str  # SHA-256 over all paths and contents: equal digests, equal builds
    files: dict[str, str]  # path, relative with "/", to the SHA-256 of the content, which is a blob
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Something a session waits for: a moment, one of several signals, or whichever comes first."""

    task: str
    index: int
    kind: str  # sleep, timer, next_signal, next_event
    deadline_at: int | None = None  # None: for ever
    names: tuple[str, ...] = ()  # signals, or subscription ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of one handler."""

    id: str
    project_id: str
    build_id: str
    entry: str  # "file.py:function"
    durable: bool
    state: SessionState
    event: dict[str, Any] = field(default_factory=dict)  # what the handler gets: data, event_id, event_type
    vars: dict[str, str] = field(default_factory=dict)  # environment variables of the project's code
    memo: dict[str, str] = field(default_factory=dict)
    parent_id: str | None = None
    epoch: int = 0  # counts claims; a writer with an older one is fenced off
    waits: tuple[Wait, ...] | None = None  # None: it has work to do; otherwise what it waits for, between turns
    failures: int = 0  # turns lost in a row to the death of a runner, without progress between them
    result: Any = None  # JSON value that the handler returned, where it is one
    error: str | None = None  # for people: message and traceback
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A message in a session's inbox."""

    id: int
    session_id: str
    name: str
    payload: Any  # JSON value
    sent_at: int
