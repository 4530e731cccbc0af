"""Plays the part of turns and of time for a scheduler: each turn goes on until the test says how it ends."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from autokitteh_server.core.entities import Wait
from autokitteh_server.engine.control import TurnControl
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.engine.surroundings import TurnEnd, TurnResult

#: Seconds after which what has not happened fails the test.
PATIENCE_S = 20.0

ENDED = TurnResult(TurnEnd.ENDED)
AGAIN = TurnResult(TurnEnd.AGAIN)
GONE = TurnResult(TurnEnd.GONE)


def waiting(*names: str, until: int | None = None) -> TurnResult:
    """The result of a turn whose session waits for one of the signals, or the moment."""
    return TurnResult(TurnEnd.WAITING, (Wait(task="0", index=0, kind="next_signal", deadline_at=until, names=names),))


class HandClock:
    """A clock that a test sets."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us
        self._waiting: set[threading.Condition] = set()

    def now_us(self) -> int:
        return self._now_us

    def wait(self, condition: threading.Condition, *, until_us: int, idle: bool) -> None:
        self._waiting.add(condition)
        if self._now_us < until_us:  # it may have been set before anybody could know that somebody waits
            condition.wait()

    def set(self, moment_us: int) -> None:
        """Let it be this moment, without anybody noticing."""
        self._now_us = moment_us

    def reach(self, moment_us: int) -> None:
        """Let it be this moment."""
        self._now_us = max(self._now_us, moment_us)
        for condition in list(self._waiting):
            with condition:
                condition.notify_all()


@dataclass(eq=False)
class Stage:
    """Turns under way, and what happened to them."""

    scheduler: LocalScheduler
    begun: list[str] = field(default_factory=list)  # sessions, in the order in which their turns began
    stopped_idle: list[str] = field(default_factory=list)
    most_at_once: int = 0
    _under_way: dict[str, TurnControl] = field(default_factory=dict)
    _ends: dict[str, TurnResult | Exception] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    on_stop_idle: Callable[[str], None] = lambda session_id: None

    def run_turn(self, session_id: str, control: TurnControl) -> TurnResult:
        """What the scheduler calls."""
        with self._changed:
            assert session_id not in self._under_way, "two turns of one session at once"
            self._under_way[session_id] = control
            self.begun.append(session_id)
            self.most_at_once = max(self.most_at_once, len(self._under_way))
            self._changed.notify_all()
            self._changed.wait_for(lambda: session_id in self._ends)
            del self._under_way[session_id]
            end = self._ends.pop(session_id)
            self._changed.notify_all()
        if isinstance(end, Exception):
            raise end
        return end

    def stop_idle(self, session_id: str) -> None:
        """What the scheduler calls."""
        self.stopped_idle.append(session_id)
        self.on_stop_idle(session_id)

    def end(self, session_id: str, result: TurnResult | Exception) -> None:
        """Have the turn of a session end, once it has begun. Returns when the scheduler knows."""
        self.wait_until(lambda: session_id in self._under_way)
        turns = self.begun.count(session_id)
        with self._changed:
            self._ends[session_id] = result
            self._changed.notify_all()
        self.wait_until(lambda: session_id not in self._ends)
        changed = self.scheduler._changed
        with changed:
            # The next turn may have begun already, which this condition is not notified of.
            while session_id in self.scheduler._running and self.begun.count(session_id) == turns:
                changed.wait(0.01)

    def control(self, session_id: str) -> TurnControl:
        """The control of a turn, once it has begun."""
        self.wait_until(lambda: session_id in self._under_way)
        return self._under_way[session_id]

    @property
    def under_way(self) -> frozenset[str]:
        """The sessions that have a turn."""
        with self._changed:
            return frozenset(self._under_way)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has come of what the scheduler did."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), (self.begun, set(self._under_way))

    def end_all(self) -> None:
        """Have every turn end, now and from now on."""
        with self._changed:
            self._ends = _Always()
            self._changed.notify_all()


class _Always(dict[str, TurnResult | Exception]):
    def __contains__(self, key: object) -> bool:
        return True

    def pop(self, key: str, *_: object) -> TurnResult:  # type: ignore[override]
        return GONE


@contextmanager
def scheduling(max_runners: int = 2) -> Iterator[tuple[LocalScheduler, Stage, HandClock]]:
    """A scheduler that gives turns on a stage."""
    clock = HandClock()
    scheduler = LocalScheduler(clock, max_runners=max_runners)
    stage = Stage(scheduler)
    scheduler.open(stage.run_turn, stage.stop_idle)
    try:
        yield scheduler, stage, clock
    finally:
        stage.end_all()
        scheduler.close()
