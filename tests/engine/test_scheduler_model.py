"""No interleaving of starts, signals, stops and ends of turns loses a session: commands against a model."""

import random
import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autokitteh_server.core.clock import SystemClock
from autokitteh_server.engine.control import TurnControl
from autokitteh_server.engine.local_scheduler import LocalScheduler
from autokitteh_server.engine.surroundings import TurnResult
from engine.stage import AGAIN, ENDED, GONE, PATIENCE_S, scheduling, waiting

SESSIONS = st.integers(0, 4).map(lambda number: f"s{number}")
NAMES = st.sampled_from("xy")
RUNNERS = 2


class SchedulerModel(RuleBasedStateMachine):
    """A session is to have a turn (`runnable`), waits (`parked`), or is none of the scheduler's business."""

    @initialize()
    def open(self) -> None:
        self._context = scheduling(RUNNERS)
        self.scheduler, self.stage, self.clock = self._context.__enter__()
        self.runnable: set[str] = set()
        self.parked: dict[str, tuple[frozenset[str], int | None]] = {}
        self.again: set[str] = set()  # whose turn under way is not enough
        self.stopping: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "_context"):
            self._context.__exit__(None, None, None)

    @rule(session_id=SESSIONS)
    def start(self, session_id: str) -> None:
        self.scheduler.start(session_id, f"project of {int(session_id[1:]) % 2}")
        if session_id in self.running:
            self.again.add(session_id)
        self.parked.pop(session_id, None)
        self.runnable.add(session_id)

    @rule(session_id=SESSIONS, name=NAMES)
    def wake(self, session_id: str, name: str) -> None:
        self.scheduler.wake(session_id, name)
        if session_id in self.running:
            self.again.add(session_id)
        elif name in self.parked.get(session_id, (frozenset(), 0))[0]:
            del self.parked[session_id]
            self.runnable.add(session_id)

    @rule(session_id=SESSIONS, force=st.booleans())
    def stop(self, session_id: str, force: bool) -> None:
        self.scheduler.stop(session_id, force=force)
        if session_id in self.running:
            self.stopping.add(session_id)
        self.parked.pop(session_id, None)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), names=st.frozensets(NAMES), until=st.none() | st.integers(1, 50))
    def end_waiting(self, data: Any, names: frozenset[str], until: int | None) -> None:
        session_id = self._end(data, waiting(*sorted(names), until=until))
        if session_id in self.again | self.stopping or (until is not None and until <= self.clock.now_us()):
            self.again.discard(session_id)
            return
        self.runnable.discard(session_id)
        self.parked[session_id] = (names, until)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end_again(self, data: Any) -> None:
        self.again.discard(self._end(data, AGAIN))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), result=st.sampled_from([ENDED, GONE]))
    def end_for_ever(self, data: Any, result: TurnResult) -> None:
        session_id = self._end(data, result)
        for known in (self.runnable, self.again, self.stopping):
            known.discard(session_id)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def fail(self, data: Any) -> None:
        self.again.discard(self._end(data, RuntimeError("the database is away")))
        self.clock.reach(self.clock.now_us() + 300_000_000)  # the longest that a failed turn waits for another
        self._let_timers_go_off()

    @rule(microseconds=st.integers(1, 30))
    def pass_time(self, microseconds: int) -> None:
        self.clock.reach(self.clock.now_us() + microseconds)
        self._let_timers_go_off()

    def _let_timers_go_off(self) -> None:
        scheduler, now = self.scheduler, self.clock.now_us()
        with scheduler._changed:
            # A session whose timer is about to go off and one that is queued are told to stop in different ways.
            assert scheduler._changed.wait_for(lambda: all(at > now for at in scheduler._timer_of.values()), PATIENCE_S)
        for session_id, (_, until) in list(self.parked.items()):
            if until is not None and until <= self.clock.now_us():
                del self.parked[session_id]
                self.runnable.add(session_id)

    def _end(self, data: Any, result: TurnResult | Exception) -> str:
        session_id: str = data.draw(st.sampled_from(sorted(self.running)))
        self.stage.end(session_id, result)
        return session_id

    @property
    def running(self) -> frozenset[str]:
        return self.stage.under_way

    @invariant()
    def everybody_who_should_has_a_turn(self) -> None:
        """As many as may run do run, and they are all sessions that should."""
        if not hasattr(self, "stage"):
            return
        self.stage.wait_until(lambda: len(self.stage._under_way) == min(RUNNERS, len(self.runnable)))
        assert self.running <= self.runnable
        for session_id in self.running:
            assert self.stage.control(session_id).stop_asked == (session_id in self.stopping)


TestSchedulerModel = SchedulerModel.TestCase
TestSchedulerModel.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    # Not shrunk: each try of what loses a session would wait for it.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


class World:
    """Sessions and their inboxes, as a database would have them; its turns take signals as real ones do."""

    def __init__(self, goals: dict[str, int]) -> None:
        self.lock = threading.Lock()
        self.goals = goals  # how many signals each session takes before it ends
        self.inboxes: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.stopped: set[str] = set()
        self.under_way: set[str] = set()
        self.over = threading.Condition(self.lock)

    def run_turn(self, session_id: str, control: TurnControl) -> TurnResult:
        with self.lock:
            assert session_id not in self.under_way, "two turns of one session at once"
            self.under_way.add(session_id)
        try:
            while (result := self._step(session_id, control)) is None:
                pass
            return result
        finally:
            with self.lock:
                self.under_way.discard(session_id)

    def _step(self, session_id: str, control: TurnControl) -> TurnResult | None:
        with self.lock:
            control.take_poke()
            if control.stop_asked:
                self.stopped.add(session_id)
            if self.is_over(session_id):
                self.over.notify_all()
                return ENDED
            if self.inboxes[session_id]:
                self.inboxes[session_id] -= 1
                self.taken[session_id] += 1
                return None if self.taken[session_id] % 3 else AGAIN
            return waiting("x")

    def stop_idle(self, session_id: str) -> None:
        with self.lock:
            self.stopped.add(session_id)
            self.over.notify_all()

    def is_over(self, session_id: str) -> bool:
        return session_id in self.stopped or self.taken[session_id] >= self.goals[session_id]


@pytest.mark.parametrize("seed", range(3))
def test_threads_that_race_with_turns_lose_no_session(seed: int) -> None:
    """Many threads send signals and stop sessions while turns end at every moment: all sessions come to their end."""
    choose = random.Random(seed)
    sessions = [f"s{number}" for number in range(12)]
    world = World(dict.fromkeys(sessions, 60))
    scheduler = LocalScheduler(SystemClock(), max_runners=3)
    scheduler.open(world.run_turn, world.stop_idle)
    orders = [session_id for session_id in sessions for _ in range(60)]
    choose.shuffle(orders)
    to_stop = set(choose.sample(sessions, 4))

    def send(part: list[str]) -> None:
        for session_id in part:
            with world.lock:
                world.inboxes[session_id] += 1
            scheduler.wake(session_id, "x")
        for session_id in to_stop:
            scheduler.stop(session_id, force=True)

    senders = [threading.Thread(target=send, args=(orders[number::4],)) for number in range(4)]
    for session_id in sessions:
        scheduler.start(session_id, session_id[-1])
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    with world.lock:
        done = world.over.wait_for(lambda: all(map(world.is_over, sessions)), PATIENCE_S)
        left = {session_id: world.taken[session_id] for session_id in sessions if not world.is_over(session_id)}
    scheduler.close()
    assert done, left
    assert all(world.taken[session_id] == 60 for session_id in sessions if session_id not in to_stop)
