"""What is let into the event loop, and that it is told when nothing ever will be."""

from collections.abc import Callable
from typing import Any

import pytest

from autokitteh_runner.arrivals import Arrival, Arrivals
from autokitteh_runner.outbox import Outbox
from autokitteh_runner.protocol import Append, Done, Idle, ReplayRecord, Unwait, Wait
from autokitteh_runner.replay import Replay
from autokitteh_runner.stopwatch import Stopwatch


class Channel:
    """A server that answers each `Idle` with what it was told to."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.answers: list[Callable[[], None]] = []

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def wait(self, ready: Callable[[], bool], *, wakeable: bool = False) -> None:
        while not ready():
            self.answers.pop(0)()

    def wake(self) -> None: ...


def wait(index: int, seconds: float = 5, *, deadline_at: int | None = None) -> Wait:
    """A wait of the main task."""
    return Wait("0", index, "timer", "asyncio.timer", "", "", [], seconds, deadline_at is not None, deadline_at)


def done(index: int, at: int = 7) -> Done:
    """Its end."""
    return Done("0", index, "json", at, b"null")


def make(replay: Replay | None = None) -> tuple[Arrivals, Channel, list[int]]:
    """Arrivals, the channel behind, and the numbers of waits that were let in."""
    channel, stopwatch = Channel(), Stopwatch()
    outbox = Outbox(channel, stopwatch)  # type: ignore[arg-type]
    return Arrivals(channel, outbox, replay or Replay(), stopwatch), channel, []  # type: ignore[arg-type]


def begin(arrivals: Arrivals, seen: list[int], index: int, seconds: float = 5) -> None:
    """Wait for something that no journal knows of."""
    arrivals.receive(("0", index), lambda codec, payload: seen.append(index))
    arrivals.expect(("0", index), None, wait(index, seconds))


def test_waits_are_told_and_let_in_one_by_one() -> None:
    """The server is told of waits only when there is nothing else to do, the first to be over first."""
    arrivals, channel, seen = make()
    begin(arrivals, seen, 0, 9)
    begin(arrivals, seen, 1, 3)
    assert channel.sent == []
    channel.answers.append(lambda: [arrivals.handle(done(n, 7 + n)) for n in (1, 0)] and None)
    arrivals.let_in_next()
    assert [type(message) for message in channel.sent] == [Wait, Wait, Idle]
    assert [message.index for message in channel.sent[:2]] == [1, 0]
    assert seen == [1]
    assert arrivals.now() == 8e-6
    arrivals.let_in_next()
    assert seen == [1, 0]
    assert arrivals.now() == 8e-6  # time never goes back


def test_a_deadlock_is_told() -> None:
    """If nothing is waited for, nothing will ever come."""
    arrivals, _, _ = make()
    with pytest.raises(RuntimeError, match="wait for one another"):
        arrivals.let_in_next()


@pytest.mark.parametrize("announced", [False, True])
def test_a_deadlock_behind_what_was_called_off_is_told(announced: bool) -> None:
    """A time-out that is over no longer counts as something that may come."""
    arrivals, channel, seen = make()
    begin(arrivals, seen, 0)
    if announced:
        begin(arrivals, seen, 1)
        channel.answers.append(lambda: arrivals.handle(done(1)))
        arrivals.let_in_next()
    arrivals.call_off(("0", 0))
    assert any(type(message) is Unwait for message in channel.sent) is announced
    with pytest.raises(RuntimeError, match="wait for one another"):
        arrivals.let_in_next()


def test_what_arrives_although_it_was_called_off() -> None:
    """It is passed over, before it was called off or after, and does not move the clock."""
    arrivals, channel, seen = make()
    for index in range(4):
        begin(arrivals, seen, index)
    channel.answers.append(lambda: [arrivals.handle(done(n, n)) for n in (0, 1)] and None)
    arrivals.let_in_next()
    arrivals.call_off(("0", 1))
    arrivals.call_off(("0", 2))
    channel.answers.append(lambda: [arrivals.handle(done(n, 10 - n)) for n in (2, 3)] and None)
    arrivals.let_in_next()
    assert seen == [0, 3]
    assert arrivals.now() == 7e-6


def test_replay_passes_over_the_same() -> None:
    """In replay what was called off is passed over, too, and everything else comes in the recorded order."""
    replay = Replay()
    for index in (2, 0, 1):
        replay.add(
            ReplayRecord("timer", "done", "0", index, "asyncio.timer", "", "", 1, 20 - index, "json", 0), b"null"
        )
    arrivals, channel, seen = make(replay)
    for index in range(3):
        entry = replay.take("0", index, "timer", "asyncio.timer", "")
        arrivals.receive(("0", index), lambda codec, payload, index=index: seen.append(index))  # type: ignore[misc]
        arrivals.expect(("0", index), entry, wait(index))
    arrivals.call_off(("0", 2))
    arrivals.let_in_next()
    assert arrivals.now() == 20e-6
    arrivals.let_in_next()
    assert seen == [0, 1]
    assert channel.sent == []


def test_what_has_gone_by_meanwhile_is_told_first() -> None:
    """Waits that were open already come first, by their deadlines; the others by their length; endless ones last."""
    arrivals, channel, _ = make()
    for each in (wait(0, 1), wait(1, deadline_at=50), wait(2, deadline_at=40), wait(3, 0.5)):
        arrivals.receive(("0", each.index), lambda codec, payload: None)
        arrivals.expect(("0", each.index), None, each)
    channel.answers.append(lambda: arrivals.handle(done(2)))
    arrivals.let_in_next()
    assert [message.index for message in channel.sent if type(message) is Wait] == [2, 1, 3, 0]


def test_activities_that_end_are_recorded_before_they_are_let_in() -> None:
    """The end of an activity is let in when it is durable, and meanwhile the session is not idle."""
    arrivals, channel, seen = make()
    arrivals.begun()
    arrivals.receive(("0", 0), lambda codec, payload: seen.append(0))
    channel.answers.append(lambda: arrivals.ended(lambda: Arrival(("0", 0), "pickle", b"", 3)))
    arrivals._outbox.answered = 1
    arrivals.let_in_next()
    assert seen == [0]
    assert [type(message) for message in channel.sent] == [Append]
    assert arrivals.under_way == 0
