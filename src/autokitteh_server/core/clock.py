"""The only places where the server reads time and randomness; everything else is handed them."""

import secrets
import time
from typing import Protocol

from autokitteh_server.core.ids import new_id


class Clock(Protocol):
    """Time as the server sees it."""

    def now_us(self) -> int:
        """Wall-clock time, microseconds since 1970 (UTC)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000


class SystemIds:
    """An `IdSource` of real time and real randomness."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, prefix: str) -> str:
        return new_id(prefix, now_us=self._clock.now_us(), random_bits=secrets.randbits(74))
