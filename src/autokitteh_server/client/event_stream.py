"""Server-sent events, read."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class ServerEvent(NamedTuple):
    """One event."""

    kind: str  # "" unless it says
    id: str  # of this one, or the last one before it that had one
    data: str


def read_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """The events in a stream of lines. One that is cut off at the end is none."""
    kind, last_id, data = "", "", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield ServerEvent(kind, last_id, "\n".join(data))
            kind, data = "", []
        elif name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            last_id = value
