"""Moments as texts: RFC 3339, in UTC, with microseconds, so that they sort as they follow one another."""

from datetime import UTC, datetime, timedelta

from autokitteh_server.core.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_time(at: int) -> str:
    """The text of a moment, which is microseconds since 1970."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1_000_000:06d}Z"


def parse_time(text: str) -> int:
    """The moment of a text, in microseconds since 1970. Raises InvalidArgument for one without a time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidArgument(f"{text!r} is not a moment", "Write it like 2030-01-31T12:00:00Z.")
    return (moment - _EPOCH) // timedelta(microseconds=1)
