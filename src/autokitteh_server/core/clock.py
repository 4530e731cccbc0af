"""The only places where the server reads time and randomness; everything else is handed them."""

import secrets
import threading
import time
from typing import Protocol

from autokitteh_server.core.ids import new_id, new_slug


class Clock(Protocol):
    """Time as the server sees it."""

    def now_us(self) -> int:
        """Wall-clock time, microseconds since 1970 (UTC)."""
        ...

    def wait(self, condition: threading.Condition, *, until_us: int, idle: bool) -> None:
        """Wait, holding the condition, until it is notified or the moment has come. `idle`: nothing else goes on."""
        ...

    def reach(self, moment_us: int) -> None:
        """Somebody has waited until this moment by other means, for a real length of time."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def wait(self, condition: threading.Condition, *, until_us: int, idle: bool) -> None:
        # Not longer than an hour: a machine that slept, or whose clock was set, is noticed.
        condition.wait(min(max(0.0, (until_us - self.now_us()) / 1e6), 3600.0))

    def reach(self, moment_us: int) -> None:
        pass


class VirtualClock:
    """A clock for tests that stands still, and jumps to the next moment somebody waits for when nothing goes on."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def wait(self, condition: threading.Condition, *, until_us: int, idle: bool) -> None:
        if idle:
            self.reach(until_us)
        else:
            condition.wait()

    def reach(self, moment_us: int) -> None:
        self._now_us = max(self._now_us, moment_us)


_DRAWN_AT_ONCE = 256


class SystemIds:
    """An `IdSource` of real time and real randomness. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._random: list[int] = []

    def __call__(self, prefix: str) -> str:
        return new_id(prefix, now_us=self._clock.now_us(), random_bits=self._draw())

    def _draw(self) -> int:
        # Many at a time: to ask the system lets go of the interpreter's lock, and under load it takes milliseconds to
        # have that back. `pop` is one step, so no two threads get the same.
        while True:
            try:
                return self._random.pop()
            except IndexError:
                drawn = secrets.token_bytes(8 * _DRAWN_AT_ONCE)
                self._random = [int.from_bytes(drawn[at : at + 8], "big") for at in range(0, len(drawn), 8)]


def system_slug() -> str:
    """A `SlugSource` of real randomness."""
    return new_slug(random_bits=secrets.randbits(130))


def system_bytes(count: int) -> bytes:
    """So many random bytes, fit for keys and nonces."""
    return secrets.token_bytes(count)
