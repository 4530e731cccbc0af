"""What workflow code waits for in its event loop, and in which order it is let in.

In replay that order is the recorded one. Afterwards it is that of the server's messages: what has arrived is in the
journal already, in the same order.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from autokitteh_runner.channel import Channel
from autokitteh_runner.outbox import Outbox
from autokitteh_runner.protocol import Done, Idle, Unwait, Wait
from autokitteh_runner.replay import Entry, Place, Replay
from autokitteh_runner.stopwatch import Stopwatch

#: Put before the codec of an async activity's result: in replay, too, it has to be awaited.
AWAIT: Final = "await "

#: Receives the codec and the payload of what has arrived.
Receive = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """The end of an effect that is durable."""

    place: Place
    codec: str
    payload: bytes
    at: int  # microseconds since 1970


class Arrivals:
    """Used by the main thread, but for `ended`."""

    def __init__(self, channel: Channel, outbox: Outbox, replay: Replay, stopwatch: Stopwatch) -> None:
        self._channel = channel
        self._outbox = outbox
        self._replay = replay
        self._stopwatch = stopwatch
        self._receivers: dict[Place, Receive] = {}
        self._recorded: dict[Place, Entry] = {}  # met in replay, and to be let in when their turn comes
        self._unannounced: dict[Place, Wait] = {}  # waits that the server need not know of yet
        self._arrived: deque[Arrival] = deque()
        self._ended: deque[Callable[[], Arrival]] = deque()  # async activities that are not recorded yet
        self.under_way = 0  # async activities
        self._clock_us = 0
        self.seen = 0  # answers of the server so far

    # --- what is waited for ------------------------------------------------------------------------------------------

    async def wait_for(self, place: Place) -> tuple[str, bytes]:
        """The codec and payload of the effect at a place, once it is let in."""
        future: asyncio.Future[tuple[str, bytes]] = asyncio.get_running_loop().create_future()

        def receive(codec: str, payload: bytes) -> None:
            if not future.done():  # the task that waited may have been cancelled
                future.set_result((codec, payload))

        self.receive(place, receive)
        return await future

    def receive(self, place: Place, receive: Receive) -> None:
        """Have a function called with what arrives for a place."""
        self._receivers[place] = receive

    def expect(self, place: Place, entry: Entry | None, wait: Wait | None = None) -> None:
        """An effect has been met: its end is recorded in `entry`, or the server is to be told to `wait` for it."""
        if entry is not None and entry.done is not None:
            self._recorded[place] = entry
        elif wait is not None:
            self._unannounced[place] = wait

    def call_off(self, place: Place) -> None:
        """Nobody waits for this wait any more. Should its end arrive all the same, it is passed over, as in replay."""
        self._receivers.pop(place, None)
        if self._unannounced.pop(place, None) is None and place not in self._recorded:
            self._channel.send(Unwait(*place))

    # --- async activities --------------------------------------------------------------------------------------------

    def begun(self) -> None:
        """An async activity is under way: the session is not idle."""
        self.under_way += 1

    def ended(self, record: Callable[[], Arrival]) -> None:
        """It has ended. `record` is called in the main thread, and gives what is let in once it is durable."""
        self._ended.append(record)
        self._channel.wake()

    def record_ended(self) -> None:
        """Record the async activities that have ended."""
        ended: list[Arrival] = []
        while self._ended:
            self.under_way -= 1
            ended.append(self._ended.popleft()())
        if ended:
            self._outbox.send_and_wait()
            self._arrived.extend(ended)

    # --- letting in --------------------------------------------------------------------------------------------------

    def let_in_next(self) -> None:
        """Wait for the next arrival, in the recorded order as long as there is one, and let it in."""
        place = self._replay.next_over(self._receivers)
        if place is not None:
            entry = self._recorded.pop(place)
            assert entry.done is not None
            self._let_in(Arrival(place, entry.done.codec, entry.payload, entry.done.finished_at))
            return
        with self._stopwatch.paused():
            while (arrival := self._next_arrived()) is None:
                self.record_ended()
                if not self._arrived:
                    self._wait_for_any()
        self._let_in(arrival)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait in blocking code, while async activities go on."""
        with self._stopwatch.paused():
            while not condition():
                self.record_ended()
                self._say_if_idle()
                self._channel.wait(lambda: condition() or bool(self._ended), wakeable=self.under_way > 0)

    def handle(self, done: Done) -> None:
        """The server says that a wait is over."""
        place = (done.task, done.index)
        if place in self._receivers:
            self._arrived.append(Arrival(place, done.codec, done.body, done.finished_at))

    def now(self) -> float:
        """The session's own time in seconds: that of the last arrival which was let in. The same in replay."""
        return self._clock_us / 1e6

    def advance_clock(self, at: int) -> None:
        """Something happened at this moment. The session's time never goes back."""
        self._clock_us = max(self._clock_us, at)

    def _next_arrived(self) -> Arrival | None:
        while self._arrived:
            arrival = self._arrived.popleft()
            if arrival.place in self._receivers:  # not called off in the meantime
                return arrival
        return None

    def _let_in(self, arrival: Arrival) -> None:
        self.advance_clock(arrival.at)
        self._receivers.pop(arrival.place)(arrival.codec, arrival.payload)

    def _wait_for_any(self) -> None:
        self._outbox.send()
        # The first to be over first: those whose time has gone by meanwhile end as soon as the server knows them.
        for wait in sorted(self._unannounced.values(), key=_urgency):
            self._channel.send(wait)
        self._unannounced.clear()
        if not self._receivers:
            raise RuntimeError(
                "All tasks of the session wait for one another, and for nothing from outside: this would never end"
            )
        self._say_if_idle()
        self._channel.wait(lambda: bool(self._arrived or self._ended), wakeable=self.under_way > 0)

    def _say_if_idle(self) -> None:
        if self.under_way == 0:
            self._channel.send(Idle(self.seen))


def _urgency(wait: Wait) -> tuple[bool, float]:
    moment = wait.deadline_at if wait.opened else wait.seconds
    return not wait.opened, math.inf if moment is None else moment
