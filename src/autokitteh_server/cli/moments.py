"""Moments and durations as people read them, in the time zone of this machine."""

from datetime import datetime
from itertools import pairwise

from autokitteh_server.core.timestamps import parse_time

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def local_time(moment: str | None) -> str:
    """A moment of the API to the second; "" for none."""
    return "" if moment is None else format_local_time(parse_time(moment)).partition(".")[0]


def local_time_ms(moment: str) -> str:
    """A moment of the API to the millisecond."""
    return format_local_time(parse_time(moment))


def format_local_time(at: int) -> str:
    """A moment to the millisecond."""
    seconds, microseconds = divmod(at, 1_000_000)
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}.{microseconds // 1000:03d}"


def format_seconds(seconds: float) -> str:
    """A duration as people say it: 1.2 ms, 3.40 s, 2 min 5 s, 3 h 20 min, 4 d 2 h."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    for (unit, size), (smaller, part) in pairwise(_UNITS):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit} {rest // part} {smaller}" if rest // part else f"{whole} {unit}"
    return f"{seconds:.2f} s"
