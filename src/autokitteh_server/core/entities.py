"""What the server keeps, as frozen values. All times are microseconds since 1970 (UTC), named `*_at`."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.core.states import DeploymentState, SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A named unit of deployment."""

    id: str
    name: str
    display_name: str = ""
    store_slug: str | None = None  # the unguessable part of the URL of its published values; None: it has none yet
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    """A variable of a project or a connection, which code sees in its environment."""

    owner_id: str  # of the project or the connection
    name: str
    value: str  # of a secret one: sealed, as it is stored
    is_secret: bool = False
    is_declared: bool = False  # a manifest declared it, and may remove it; others were set by hand
    description: str = ""
    updated_at: int

    def __repr__(self) -> str:
        value = "***" if self.is_secret else self.value  # reprs end up in logs
        return f"Var(owner_id={self.owner_id!r}, name={self.name!r}, value={value!r}, is_secret={self.is_secret})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came of trying a connection."""

    code: str  # ok, warning or error
    message: str
    remedy: str = ""  # how to mend it
    checked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Named credentials for one integration, in a project."""

    id: str
    project_id: str
    name: str
    integration: str
    is_declared: bool = False  # as for vars
    checked: CheckResult | None = None  # None: it was never tried
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A source of events, which of them matter, and the function that gets them."""

    id: str
    project_id: str
    name: str
    type: TriggerType
    call: str = ""  # "file.py:function"; "": starts no session
    event_type: str = ""  # "": any
    filter: str = ""  # CEL; "": no filter
    connection_id: str | None = None  # whose events it gets
    schedule: str = ""
    timezone: str = ""  # of the schedule; "": UTC
    is_durable: bool = False
    is_sync: bool = False  # a webhook whose sender waits for the session's outcome
    allow_overlap: bool = False  # a schedule: also while the session of an earlier tick is not over
    is_paused: bool = False  # starts nothing until it is resumed
    webhook_slug: str | None = None  # the unguessable part of a webhook's URL; kept as long as the trigger is
    anchor_at: int = 0  # from which the periods of `@every` are counted
    next_tick_at: int | None = None  # of a schedule; None: never again
    last_tick_at: int | None = None
    is_declared: bool = False  # as for vars
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A build made live."""

    id: str
    project_id: str
    build_id: str
    state: DeploymentState
    created_at: int
    updated_at: int


class VerdictKind(StrEnum):
    """What became of an event at one trigger or subscription of its source."""

    STARTED = "started"  # a session, which is named
    QUEUED = "queued"  # for a session's subscription
    TYPE_DIFFERS = "event type differs"
    FILTER_FALSE = "filter false"
    FILTER_FAILED = "filter failed"  # the detail says how
    NOT_DEPLOYED = "not deployed"
    NO_CALL = "no call"  # the trigger only receives, for subscriptions
    PAUSED = "paused"
    OVERLAP = "overlap"  # the session of an earlier tick is not over


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why an event did or did not start a session at one trigger, or reach a subscription."""

    kind: VerdictKind
    trigger_id: str | None = None  # one of these two
    subscription_id: str | None = None
    name: str = ""  # of the trigger, at that time
    session_id: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    id: str
    project_id: str
    source_id: str  # of a connection, or of the trigger that is a webhook or a schedule
    source_name: str  # at that time
    event_type: str
    data: Any  # a JSON value, with bytes
    key: str | None = None  # the sender's own id of it: repeats within 24 hours give this event
    verdicts: tuple[Verdict, ...] = ()
    created_at: int

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The sessions that it started or reached."""
        return tuple(verdict.session_id for verdict in self.verdicts if verdict.session_id is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A session's claim on events of a source, from a moment on."""

    id: str
    session_id: str
    project_id: str
    source_id: str
    filter: str
    created_at: int


class FeedState(StrEnum):
    """How events of a connection come in."""

    OFF = "off"  # none do
    STARTING = "starting"
    PUSHED = "pushed"  # its service was told where to send them
    POLLED = "polled"  # its service is asked
    OPEN = "open"  # a connection to its service is held open
    WAITING = "waiting"  # something does not work, and is tried again
    FAILED = "failed"  # somebody has to mend something


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """How events of a connection come in, as far as something has to be done for that."""

    connection_id: str
    next_at: int | None = None  # when something is to be done; None: a gateway, which is held open
    polled_at: int = 0  # when its service was asked last; 0: never
    worked_at: int = 0  # when something was done last; 0: never
    registered_url: str = ""  # under which its service was told that we are; "": it was not told
    renew_at: int | None = None  # when it is to be told anew, or told at all; None: never
    about: str = ""  # a digest of what polls are about, such as a calendar's id
    failures: int = 0  # in a row
    state: FeedState = FeedState.STARTING
    message: str = ""  # for people
    changed_at: int  # when the state did


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Somebody who is about to let a connection use their account: before or after being sent to the service."""

    digest: str  # of the ticket, or of what the state has in it: the thing itself is nowhere
    kind: str  # "ticket" or "state"
    connection_id: str
    auth_type: str
    browser: str = ""  # the digest of the browser's cookie; "": it is not known yet
    verifier: str = ""  # of PKCE, sealed; "": none
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A way into the API. The secret itself is not kept."""

    id: str
    name: str
    digest: str  # SHA-256 of the secret, in hexadecimal
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None  # None: never
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSetup:
    """What the sessions of a build need around them."""

    lock: str  # the packages, one a line, each in its exact version, after options of their installation; "": none
    modules: tuple[str, ...] = ()  # third-party ones that its code imports when it is loaded
    limits: dict[str, int] = field(default_factory=dict)  # in place of those that the settings say, by their names


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """An immutable snapshot of a project's files."""

    id: str
    project_id: str
    digest: str  # SHA-256 over all paths and contents: equal digests, equal builds
    files: dict[str, str]  # path, relative with "/", to the SHA-256 of the content, which is a blob
    created_at: int
    setup: BuildSetup | None = None  # None: nobody has looked what it needs yet


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
    deployment_id: str | None = None  # None: started without a server
    trigger_id: str | None = None  # that started it; None: a person or a session did
    epoch: int = 0  # counts claims; a writer with an older one is fenced off
    waits: tuple[Wait, ...] | None = None  # None: it has work to do; otherwise what it waits for, between turns
    # Turns lost in a row to the death of a runner, without progress between them; not durable: starts so far.
    failures: int = 0
    result: Any = None  # JSON value that the handler returned, where it is one
    error: str | None = None  # for people: message and traceback
    created_at: int
    updated_at: int

    @property
    def event_id(self) -> str | None:
        """The event that started it; None: a person or a session did."""
        found: str | None = self.event.get("event_id")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A message in a session's inbox."""

    id: int
    session_id: str
    name: str
    payload: Any  # JSON value
    sent_at: int
