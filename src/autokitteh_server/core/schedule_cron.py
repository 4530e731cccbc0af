"""Cron expressions: which times of the wall clock they name, and when the clock shows them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from cronsim import CronSim, CronSimError
from cronsim.explain import explain

from autokitteh_server.core.local_time import first_moment, from_us, offset_at, to_us, turn_between

#: Of a cron expression with 6 fields: what they are called, and what may be in them.
FIELDS = (
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, or SUN to SAT"),
)
_NAMES = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")  # as the library's messages have them
_FIELD = re.compile(r"[0-9A-Z*?/,#-]+")
_DAY = timedelta(days=1)
_SOME_TIME = datetime(2000, 1, 1)


class CronError(Exception):
    """A field is wrong, or (-1) the whole."""

    def __init__(self, field: int, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Cron:
    """Times of the wall clock in a zone.

    An expression that names times of day (`30 2 * * *`) fires once for each, however the clock is turned: at the turn
    if the time is skipped, the first time if it is shown twice. One with a star among second, minute and hour
    (`*/10 * * * *`) means a distance instead: it fires whenever the clock shows what it says.
    """

    text: str  # 5 or 6 fields, in capitals
    zone: tzinfo
    names_times: bool

    def next_after(self, moment_us: int) -> int | None:
        """The first moment after this one, or None if there is none before the calendar ends."""
        try:
            found = self._fixed(from_us(moment_us)) if self.names_times else self._repeated(from_us(moment_us))
        except OverflowError:
            return None
        return None if found is None else to_us(found)

    def explain(self) -> str:
        """In words, without the zone."""
        return explain(self.text)

    def _fixed(self, moment: datetime) -> datetime | None:
        for wall in _times(self.text, moment + offset_at(moment, self.zone)):
            found = first_moment(wall, self.zone)
            if found > moment:
                return found
        return None

    def _repeated(self, moment: datetime) -> datetime | None:
        """Goes by stretches of time in which the clock is not turned."""
        offset = offset_at(moment, self.zone)
        start = moment + offset
        while True:
            wall = next(_times(self.text, start), None)
            if wall is None:
                return None
            found = wall - offset
            # A turn back within the day would show times again that lie before `start`.
            for end in (min(found, moment + _DAY), found):
                if offset_at(end, self.zone) != offset:
                    moment = turn_between(moment, end, self.zone)
                    offset = offset_at(moment, self.zone)
                    start = moment + offset - timedelta(microseconds=1)
                    break
            else:
                return found


def parse_cron(text: str, zone: tzinfo) -> Cron:
    """Raises CronError."""
    fields = text.upper().split()
    if len(fields) not in (5, 6):
        raise CronError(
            -1, f"a cron expression has 5 fields, or 6 with seconds in front, and {text!r} has {len(fields)}"
        )
    shift = 6 - len(fields)
    for at, field in enumerate(fields):
        _check_field(at + shift, field)
    # Quartz and Go write `?` for a day that is not looked at.
    fields = [field.replace("?", "*") if at + shift in (3, 5) else field for at, field in enumerate(fields)]
    plain = " ".join(fields)
    try:
        CronSim(plain, _SOME_TIME)
    except CronSimError as error:
        raise _explained(error, fields, shift) from None
    if next(_times(plain, _SOME_TIME), None) is None:
        raise CronError(-1, f"{text!r} names no day that there is")
    return Cron(plain, zone, not any(field.startswith("*") for field in fields[: 3 - shift]))


def _check_field(at: int, field: str) -> None:
    name, values = FIELDS[at]
    if not _FIELD.fullmatch(field) or ("?" in field and (field != "?" or at not in (3, 5))):
        raise CronError(at, f"{field!r} is not a field of a cron expression: the {name} is {values}")
    if any(len(number) > 4 for number in re.findall(r"\d+", field)):
        raise CronError(at, f"{field!r} cannot be the {name}, which is {values}")


def _explained(error: CronSimError, fields: list[str], shift: int) -> CronError:
    bad = str(error).removeprefix("Bad ")
    if bad not in _NAMES:
        return CronError(-1, str(error))
    at = _NAMES.index(bad)
    field = fields[at - shift]
    if bad == "day-of-month":  # also said of days that are none in these months
        try:
            CronSim(f"0 0 {field} * ?".replace("?", "*"), _SOME_TIME)
            return CronError(at, f"none of these months has a day {field}, so this never fires")
        except CronSimError:
            pass  # it is the field that is wrong
    name, values = FIELDS[at]
    return CronError(at, f"{field!r} cannot be the {name}, which is {values}")


def _times(text: str, start: datetime) -> Iterator[datetime]:
    """Times of the wall clock after a time, on a clock that is never turned. None for 50 years ends them."""
    return CronSim(text, start)
