"""What comes in, and what became of it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from autokitteh_server.core.entities import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Something that has happened, and is not stored yet."""

    event_id: str
    source_id: str = ""  # of a connection, or of a trigger; "": `slug` says which
    slug: str = ""  # of a webhook
    event_type: str
    data: Any  # a JSON value, with bytes
    key: str | None = None  # the sender's own id of it
    received_at: int
    unheard_by: frozenset[str] = frozenset()  # sessions whose subscriptions do not get it
    kind: str = "webhook"  # what sent it, for those who count: webhook, schedule, connection or manual

    @property
    def source(self) -> str:
        """What it calls its source."""
        return self.source_id or self.slug


class Wake(NamedTuple):
    """A session that an event has reached."""

    session_id: str
    subscription_id: str


class Start(NamedTuple):
    """A session that an event has started."""

    session_id: str
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """What became of something that came in. Everything it names is durable."""

    event_id: str  # of the first one, where this was a repeat
    event: Event | None = None  # None: it was a repeat, or there is no such source
    is_repeat: bool = False
    is_sync: bool = False  # its sender waits for the outcome of a session
    is_deployed: bool = False  # the source's project has an active deployment
    starts: tuple[Start, ...] = ()
    wakes: tuple[Wake, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether there is such a source."""
        return self.event is not None or self.is_repeat

    @property
    def has_effect(self) -> bool:
        """Whether a session was started or reached."""
        return bool(self.starts or self.wakes)
