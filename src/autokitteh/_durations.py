"""Time-outs and delays as people give them, timedelta or seconds, as seconds."""

import math
from datetime import timedelta

#: A wait longer than this is a mistake in units; it would not fit the server's timers either.
LONGEST_S = 100 * 366 * 86_400


def to_seconds(duration: timedelta | float, what: str) -> float:
    """`duration` in seconds. `what` names it in messages.

    Raises TypeError if it is neither a timedelta nor a number, ValueError if it is negative, over 100 years or NaN.
    """
    if isinstance(duration, timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration)
    else:
        raise TypeError(f"{what} must be a timedelta or seconds, not {type(duration).__name__}")
    if seconds < 0 or math.isnan(seconds):
        raise ValueError(f"{what} must not be negative, and is {seconds:g} s")
    if seconds > LONGEST_S:
        raise ValueError(f"{what} of {seconds:g} s is over 100 years; None waits for ever")
    return seconds


def timeout_to_seconds(timeout: timedelta | float | None) -> float | None:
    """A time-out in seconds; None, which waits for ever, stays None. Raises what `to_seconds` raises."""
    return None if timeout is None else to_seconds(timeout, "timeout")
