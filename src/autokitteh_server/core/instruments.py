"""What the server's parts tell of their work, for whoever measures it. They know nothing of who that is.

Every method may be called from any thread, must return at once, and must not raise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from autokitteh_server.core.entities import VerdictKind
from autokitteh_server.core.states import SessionState


class Instruments(Protocol):
    """Told of things when they are over and durable."""

    def session_started(self) -> None:
        """A session has its first turn."""
        ...

    def session_ended(self, state: SessionState) -> None:
        """A session is over."""
        ...

    def turn_ended(self, seconds: float, end: str) -> None:
        """A turn is over. `end`: how it ended, a word of a few."""
        ...

    def event_dispatched(self, source_kind: str, verdicts: Iterable[VerdictKind]) -> None:
        """An event has been stored. `source_kind`: webhook, schedule, connection or manual."""
        ...

    def event_repeated(self, source_kind: str) -> None:
        """An event came that had been stored already."""
        ...

    def webhook_answered(self, status: int, seconds: float) -> None:
        """A webhook's sender has its answer."""
        ...

    def request_done(self, route: str, status: int, seconds: float) -> None:
        """A request to the API has its answer. `route`: such as "GET /api/v1/sessions/{session}"."""
        ...

    def swept(self, counts: Mapping[str, int]) -> None:
        """So many things of each kind were deleted for their age."""
        ...


class NoInstruments:
    """Nobody measures anything."""

    def session_started(self) -> None:
        pass

    def session_ended(self, state: SessionState) -> None:
        pass

    def turn_ended(self, seconds: float, end: str) -> None:
        pass

    def event_dispatched(self, source_kind: str, verdicts: Iterable[VerdictKind]) -> None:
        pass

    def event_repeated(self, source_kind: str) -> None:
        pass

    def webhook_answered(self, status: int, seconds: float) -> None:
        pass

    def request_done(self, route: str, status: int, seconds: float) -> None:
        pass

    def swept(self, counts: Mapping[str, int]) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How things stand at this moment."""

    turns_running: int  # each has a runner
    runners_warm: int  # kept for sessions that wait
    sessions_queued: int  # for a turn
    sessions_waiting: int  # for a moment, a signal or an event
    journal_commits: int  # since the start
    journal_queued: int  # pieces of work that the next commits will carry
