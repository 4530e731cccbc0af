"""How long to wait before something is tried again: longer each time, and not in step with others."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

#: Waits for so many seconds.
Pause = Callable[[float], Awaitable[None]]

#: Whatever has worked for so many seconds has worked: the next failure is a first one.
STEADY_S: Final = 60.0

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 300.0
_MOST_DOUBLINGS: Final = 20  # more would not be longer, and at some point no float


class Backoff:
    """About 1 s, 2 s, 4 s, ... and at last `longest_s`: each up to a half shorter, by chance.

    - `chance`: a number from 0 to 1.
    """

    def __init__(
        self,
        *,
        longest_s: float = _LONGEST_S,
        chance: Callable[[], float] = Random().random,  # noqa: B008 one for all is meant
    ) -> None:
        self._longest_s = longest_s
        self._chance = chance
        self._failures = 0

    def next_s(self) -> float:
        """How long to wait now. It has failed once more."""
        whole: float = min(_FIRST_S * 2**self._failures, self._longest_s)
        self._failures = min(self._failures + 1, _MOST_DOUBLINGS)
        return whole * (1 - self._chance() / 2)

    def reset(self) -> None:
        """It has worked."""
        self._failures = 0
