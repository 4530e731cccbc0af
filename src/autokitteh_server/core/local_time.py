"""Moments and what clocks on the wall show at them, where clocks are turned forward and back."""

from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)


def from_us(moment_us: int) -> datetime:
    """A moment in UTC, without a zone in it. Raises OverflowError beyond the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=moment_us)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of a moment in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def offset_at(moment: datetime, zone: tzinfo) -> timedelta:
    """How far the clock in the zone is ahead of UTC at a moment."""
    offset = moment.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    assert offset is not None, "every zone has one"
    return offset


def first_moment(wall: datetime, zone: tzinfo) -> datetime:
    """When the clock shows a time for the first time, or, if it is turned past that time, when it is turned."""
    earlier = wall - _offset(wall, zone, fold=0)
    later = wall - _offset(wall, zone, fold=1)
    if earlier <= later:  # the same, or shown twice
        return earlier
    # Skipped: by the clock of before it would be after the turn, by the clock of after it before.
    return turn_between(later, earlier, zone)


def turn_between(start: datetime, end: datetime, zone: tzinfo) -> datetime:
    """The second, after start and not after end, at which the clock is turned. The offsets at both must differ."""
    before = offset_at(start, zone)
    while end - start > _SECOND:
        middle = start + (end - start) / 2
        if offset_at(middle, zone) == before:
            start = middle
        else:
            end = middle
    whole = end.replace(microsecond=0)
    return whole if whole > start else end


def _offset(wall: datetime, zone: tzinfo, fold: int) -> timedelta:
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None, "every zone has one"
    return offset
