"""What all turns share, and what comes of one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

from autokitteh_runner.protocol import Limits
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Session, Wait
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.instruments import Instruments, NoInstruments
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.environment import Environment
from autokitteh_server.engine.scheduler import Scheduler
from autokitteh_server.runners.places import Place
from autokitteh_server.runners.pool import RunnerPool
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database


class TurnEnd(Enum):
    """How a turn ended."""

    ENDED = auto()  # the session is final
    WAITING = auto()  # it waits; its row says for what
    AGAIN = auto()  # it should have another turn at once
    GONE = auto()  # it belongs to somebody else now, or does not exist any more


@dataclass(frozen=True, slots=True)
class TurnResult:
    end: TurnEnd
    waits: tuple[Wait, ...] = ()


class Listener(Protocol):
    """Told of what has become durable. Called in turns' threads: it must be quick."""

    def journal_grew(self, session_id: str) -> None: ...


class Outcomes(Protocol):
    """Told of what sessions answer to events, once that is durable. Called in turns' threads: it must be quick."""

    def replied(self, event_id: str, reply: dict[str, Any]) -> None:
        """A session has given an outcome: the arguments of its request."""
        ...

    def session_ended(self, event_id: str, session_id: str, state: SessionState) -> None:
        """A session that an event had started or reached is over."""
        ...


class SessionEvents(Protocol):
    """Makes events of sessions' ends."""

    def dispatch(
        self, conn: Connection, session: Session, state: SessionState, error: str | None, *, now: int
    ) -> Callable[[], None]:
        """In the transaction that ends a session, as its last step: store its event, if somebody waits for such.

        It touches nothing but the connection, for it may be called more than once; what it returns is called once that
        is durable, from a turn's thread.
        """
        ...


class Credentials(Protocol):
    """What sessions are told of their connections' credentials, and no journal is.

    Called in turns' threads, outside transactions: it may wait for a service. It raises `requests.RequestError` for
    what the session's code is to be told.
    """

    def refresh(self, session: Session, connection: str, *, force: bool) -> dict[str, str]:
        """An access token of a connection of the session's project: "access_token", and "expiry" in RFC 3339 or "".

        The one there is, if it is good for five minutes yet, or else a new one; `force`: a new one in any case.
        """
        ...

    def sign(self, session: Session, connection: str, payload: dict[str, Any]) -> str:
        """A JSON Web Token with this payload, signed (RS256) with the key of the connection's app."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How turns are taken."""

    max_failures: int = 3  # turns lost in a row to the death of the runner, after which the session fails
    effects_per_turn: int | None = None  # the runner is thrown away after so many; for tests of replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where a session runs, and within which bounds."""

    root: Path  # the folder with its build's files
    place: Place
    limits: Limits
    confine: bool = False  # whether it may see only what follows, where the kernel can do that
    readable: tuple[str, ...] = ()  # beside the folders of its own
    writable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all turns share."""

    database: Database
    pool: RunnerPool
    clock: Clock
    new_id: IdSource
    scheduler: Scheduler
    workplace: Callable[[Session], Workplace]
    environment: Callable[[Connection, Session], Environment]  # of a session's code
    public_url: str  # under which others reach this server; "": it has no network
    listener: Listener
    outcomes: Outcomes
    credentials: Credentials
    session_events: SessionEvents
    policy: Policy
    instruments: Instruments = field(default_factory=NoInstruments)
