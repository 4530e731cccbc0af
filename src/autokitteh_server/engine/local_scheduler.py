"""Turns given by threads of this process: a bounded number of workers, fair among projects, with timers in memory.

The database is the truth. What is kept here, the queue and the timers, is made anew from it by `recover`.
"""

import heapq
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Wait
from autokitteh_server.core.errors import Fenced, ServerError
from autokitteh_server.engine.control import TurnControl
from autokitteh_server.engine.surroundings import TurnEnd, TurnResult
from autokitteh_server.engine.waits import next_deadline

_log = logging.getLogger(__name__)

#: Time before a turn that failed for a reason of the server's own is tried again; doubled with each that fails, up to
#: five minutes.
_RETRY_DELAY_US = 1_000_000
_LONGEST_RETRY_DELAY_US = 300_000_000

#: Timers out of date, beyond as many as there are others, after which they are cleared away.
_STALE_TIMERS = 1_000

#: While the scheduler is held back, the next turn is given when none has begun for so long that is still under way.
#: Most are over by then; one that goes on sits in a slow call, and does not stop the others.
_PACE_US = 100_000

RunTurn = Callable[[str, TurnControl], TurnResult]
StopIdle = Callable[[str], None]


class LocalScheduler:
    """A `Scheduler` in threads. `run_turn` gives one session one turn; `stop_idle` stops one that has none."""

    def __init__(self, clock: Clock, *, max_runners: int) -> None:
        self._clock = clock
        self._max_runners = max_runners
        self._changed = threading.Condition()
        self._queues: OrderedDict[str, deque[str]] = OrderedDict()  # by project; the first has its turn next
        self._queued: set[str] = set()
        self._running: dict[str, TurnControl] = {}
        self._again: set[str] = set()  # started while it had a turn
        self._to_stop: set[str] = set()  # the order to stop came when its turn was as good as over: it has another one
        self._projects: dict[str, str] = {}  # of every session that is not known to be final
        self._names: dict[str, frozenset[str]] = {}  # of waiting sessions: the signals that would wake them
        self._failures: dict[str, int] = {}  # turns in a row that failed for a reason of the server's own
        self._timers: list[tuple[int, str]] = []
        self._timer_of: dict[str, int] = {}  # the one that counts; others in the heap are out of date
        self._threads: list[threading.Thread] = []
        self._began: dict[str, int] = {}  # when the turns under way did
        self._is_held_back = False
        self._closing = False
        self._run_turn: RunTurn | None = None
        self._stop_idle: StopIdle | None = None

    def open(self, run_turn: RunTurn, stop_idle: StopIdle) -> None:
        """Begin to give turns."""
        self._run_turn, self._stop_idle = run_turn, stop_idle
        for number in range(self._max_runners):
            self._spawn(self._work, f"turns-{number}")
        self._spawn(self._keep_time, "timers")

    def close(self, *, grace_s: float = 0.0) -> None:
        """Give no more turns; those under way are left, and nothing is lost: their sessions go on at the next start.

        Activities that are under way have `grace_s` to come to their ends: cut off, they would be made again. Returns
        when all threads have ended.
        """
        with self._changed:
            self._closing = True
            for control in self._running.values():
                control.leave()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running, grace_s)
            for control in self._running.values():
                control.abandon()
        for thread in self._threads:
            thread.join()

    def start(self, session_id: str, project_id: str) -> None:
        with self._changed:
            self._projects[session_id] = project_id
            self._enqueue(session_id)

    def wake(self, session_id: str, name: str) -> None:
        with self._changed:
            control = self._running.get(session_id)
            if control is not None:
                control.poke()
            elif name in self._names.get(session_id, ()) or session_id in self._failures:
                self._enqueue(session_id)

    def retry(self) -> None:
        with self._changed:
            for session_id in self._failures:
                self._enqueue(session_id)

    def stop(self, session_id: str, *, force: bool) -> None:
        with self._changed:
            control = self._running.get(session_id)
            if control is not None:
                control.stop(force=force)
                return
        assert self._stop_idle is not None
        self._stop_idle(session_id)
        with self._changed:
            control = self._running.get(session_id)
            if control is not None:
                # Its turn began meanwhile. It is fenced off, but would notice only when it has something to write.
                control.abandon()
            elif session_id not in self._queued:  # one that is queued finds out in its turn
                self._forget(session_id)

    def hold_back(self, is_wanted: bool) -> None:
        with self._changed:
            self._is_held_back = is_wanted
            self._changed.notify_all()

    def expect(self, session_id: str, project_id: str, waits: tuple[Wait, ...]) -> None:
        """A session waits: it shall have a turn when the first of its waits is over."""
        with self._changed:
            self._projects[session_id] = project_id
            self._park(session_id, waits)

    def count(self) -> tuple[int, int, int]:
        """How many sessions have a turn, are queued for one, and wait for something."""
        with self._changed:
            running, queued = len(self._running), len(self._queued)
            return running, queued, max(0, len(self._projects) - running - queued)

    # --- under the lock ----------------------------------------------------------------------------------------------

    def _enqueue(self, session_id: str) -> None:
        if session_id in self._running:
            self._again.add(session_id)
            return
        if session_id in self._queued:
            return
        self._timer_of.pop(session_id, None)
        self._names.pop(session_id, None)
        self._queued.add(session_id)
        self._queues.setdefault(self._projects[session_id], deque()).append(session_id)
        self._changed.notify_all()

    def _has_turn_to_give(self) -> bool:
        return bool(self._queues) and not (self._is_held_back and self._has_begun_lately())

    def _has_begun_lately(self) -> bool:
        since = self._clock.now_us() - _PACE_US
        return any(began > since for began in self._began.values())

    def _take_next(self) -> str:
        project_id, queue = next(iter(self._queues.items()))
        session_id = queue.popleft()
        self._queued.discard(session_id)
        if queue:
            self._queues.move_to_end(project_id)  # the other projects first
        else:
            del self._queues[project_id]
        return session_id

    def _retry_others(self) -> None:
        for session_id in self._failures.keys() - self._running.keys():  # those that run are trying just now
            self._enqueue(session_id)

    def _park(self, session_id: str, waits: tuple[Wait, ...]) -> None:
        names = frozenset(name for wait in waits for name in wait.names)
        if names:
            self._names[session_id] = names
        deadline = next_deadline(waits)
        if deadline is not None:
            self._set_timer(session_id, deadline)

    def _set_timer(self, session_id: str, at: int) -> None:
        self._timer_of[session_id] = at
        heapq.heappush(self._timers, (at, session_id))
        if len(self._timers) > 2 * len(self._timer_of) + _STALE_TIMERS:
            # A session that gets signals all day, each before a long time-out, leaves a timer behind each time.
            self._timers = [(at, session_id) for session_id, at in self._timer_of.items()]
            heapq.heapify(self._timers)
        self._changed.notify_all()

    def _forget(self, session_id: str) -> None:
        self._projects.pop(session_id, None)
        self._timer_of.pop(session_id, None)
        self._names.pop(session_id, None)
        self._to_stop.discard(session_id)
        self._failures.pop(session_id, None)

    # --- threads -----------------------------------------------------------------------------------------------------

    def _spawn(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        control = TurnControl()
        while True:
            with self._changed:
                while not self._has_turn_to_give() and not self._closing:
                    self._changed.wait()
                if self._closing:
                    break
                session_id = self._take_next()
                control.reset()
                if session_id in self._to_stop:
                    control.stop(force=False)
                self._running[session_id] = control
                self._began[session_id] = self._clock.now_us()
            result = self._have_turn(session_id, control)
            with self._changed:
                del self._running[session_id], self._began[session_id]
                self._settle(session_id, result, control)
                self._changed.notify_all()
        control.close()

    def _have_turn(self, session_id: str, control: TurnControl) -> TurnResult | None:
        assert self._run_turn is not None
        try:
            return self._run_turn(session_id, control)
        except Fenced:
            return TurnResult(TurnEnd.GONE)
        except ServerError as err:
            if self._is_worth_a_line(session_id):
                _log.error("a turn of %s failed and will be tried again: %s", session_id, err)
        except Exception:
            if self._is_worth_a_line(session_id):
                _log.exception("a turn of %s failed and will be tried again", session_id)
        return None

    def _is_worth_a_line(self, session_id: str) -> bool:
        """The first failure in a row is, the second, fourth, eighth: the log must not fill up with one trouble."""
        failures = self._failures.get(session_id, 0) + 1
        return failures & (failures - 1) == 0

    def _settle(self, session_id: str, result: TurnResult | None, control: TurnControl) -> None:
        # What came after the turn's last look at its control must not be lost with the turn.
        is_called = session_id in self._again or control.take_poke()
        again = is_called or control.stop_asked
        self._again.discard(session_id)
        if self._closing:
            return
        if result is not None and self._failures.pop(session_id, 0):
            self._retry_others()  # what was in the way of this one may have been in the way of others
        if result is not None and result.end in (TurnEnd.ENDED, TurnEnd.GONE):
            self._forget(session_id)
            return
        if control.stop_asked:
            self._to_stop.add(session_id)
        if result is None:
            failures = self._failures[session_id] = self._failures.get(session_id, 0) + 1
            if is_called:  # perhaps because the trouble is over
                self._enqueue(session_id)
                return
            delay = min(_RETRY_DELAY_US << min(failures - 1, 20), _LONGEST_RETRY_DELAY_US)
            self._set_timer(session_id, self._clock.now_us() + delay)
        elif result.end is TurnEnd.AGAIN or again:
            self._enqueue(session_id)
        else:
            self._park(session_id, result.waits)

    def _keep_time(self) -> None:
        with self._changed:
            while not self._closing:
                while self._timers and self._timer_of.get(self._timers[0][1]) != self._timers[0][0]:
                    heapq.heappop(self._timers)
                if not self._timers:
                    self._changed.wait()
                    continue
                at, session_id = self._timers[0]
                if at > self._clock.now_us():
                    idle = not self._running and not self._queues
                    self._clock.wait(self._changed, until_us=at, idle=idle)
                    continue
                heapq.heappop(self._timers)
                del self._timer_of[session_id]
                self._enqueue(session_id)
