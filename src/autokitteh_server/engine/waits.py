"""When is a wait over? Pure functions."""

from collections.abc import Iterable

from autokitteh_server.core.entities import Wait


def next_deadline(waits: Iterable[Wait]) -> int | None:
    """The first moment, in microseconds, at which one of the waits is over by itself; None if none ever is."""
    return min((wait.deadline_at for wait in waits if wait.deadline_at is not None), default=None)


def is_due(wait: Wait, now: int) -> bool:
    """Whether a wait's time is over."""
    return wait.deadline_at is not None and wait.deadline_at <= now


def in_order(waits: Iterable[Wait]) -> list[Wait]:
    """Waits in the order in which they are to be looked at: the earliest deadline first, the endless ones last."""
    return sorted(waits, key=lambda wait: (wait.deadline_at is None, wait.deadline_at or 0, wait.task, wait.index))
