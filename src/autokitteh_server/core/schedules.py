"""Schedules: when a trigger fires. Cron expressions in a time zone, words such as `@daily`, and `@every 10m`."""

import functools
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, tzinfo
from fractions import Fraction

from autokitteh_server.core.manifest_problems import Problem, TextError
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.core.schedule_cron import Cron, CronError, parse_cron

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MAX_LENGTH = 1000
MIN_PERIOD_US = 1_000_000
MAX_PERIOD_US = 10 * 366 * 86_400 * 1_000_000

_UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_PART = r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h)"
_REMEDY = "Write 5 or 6 fields of cron, `@daily` or such, or `@every 10m`."


class ScheduleError(TextError):
    """A schedule, or its time zone, cannot be used."""

    code = "invalid_schedule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a trigger fires. All moments are microseconds since 1970 (UTC)."""

    text: str
    timezone: str  # "" is UTC
    _cron: Cron | None = None
    _period_us: int = 0

    def next_after(self, moment_us: int, *, anchor_us: int = 0) -> int | None:
        """The first moment to fire after this one; None if there is none before the year 10000.

        `@every` fires a period after the anchor, and then at whole periods from it: late or lost ticks shift nothing.
        Other schedules have no use for an anchor.
        """
        if self._cron:
            return self._cron.next_after(moment_us)
        periods = max(1, (moment_us - anchor_us) // self._period_us + 1)
        return anchor_us + periods * self._period_us

    def ticks_between(self, after_us: int, until_us: int, limit: int, *, anchor_us: int = 0) -> tuple[int, ...]:
        """The first moments, `limit` at most, that are after one moment and not after the other."""
        ticks: list[int] = []
        tick = self.next_after(after_us, anchor_us=anchor_us)
        while tick is not None and tick <= until_us and len(ticks) < limit:
            ticks.append(tick)
            tick = self.next_after(tick, anchor_us=anchor_us)
        return tuple(ticks)

    def explain(self) -> str:
        """In words for people: `At 03:00 every day, Europe/Berlin`."""
        if self._cron:
            return f"{self._cron.explain()}, {self.timezone or 'UTC'}"
        return f"Every {_render_period(self._period_us)}"


@functools.lru_cache(maxsize=4096)
def parse_schedule(text: str, timezone: str = "") -> Schedule:
    """Raises ScheduleError with what is wrong. The zone is UTC if none is named."""
    bare = text.strip()
    zone = _zone(timezone)
    try:
        if period_us := _read_period(bare):
            return Schedule(bare, timezone, None, period_us)
        return Schedule(bare, timezone, parse_cron(_cron_text(bare), zone))
    except _Bad as error:
        raise ScheduleError([_problem(text, *error.args)]) from None
    except CronError as error:
        # Fields are counted as if seconds were always there.
        column = error.field - 6 + len(bare.split()) if error.field >= 0 else 0
        remedy = _REMEDY if error.field < 0 else ""  # of a field the message says what it can be
        raise ScheduleError([_problem(text, error.message, remedy, column)]) from None


def _zone(name: str) -> tzinfo:
    if bad := timezone_problem(name):
        raise ScheduleError([Problem(message=bad[0], file="timezone", remedy=bad[1])])
    return zoneinfo.ZoneInfo(name) if name not in ("", "UTC") else UTC


def check_schedule(text: str) -> list[Problem]:
    """What is wrong with a schedule; nothing if it can be used."""
    try:
        parse_schedule(text)
    except ScheduleError as error:
        return list(error.problems)
    return []


def timezone_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a time zone, and the remedy; or None."""
    zones = _zones()
    if name in ("", "UTC") or name in zones:
        return None
    if not zones:
        return f"the time zone {name!r} cannot be looked up: this machine has no time zones", "Install tzdata."
    near = did_you_mean(name, zones)
    return f"there is no time zone {name!r}", f"Did you mean `{near}`?" if near else "Use a name like Europe/Berlin."


@functools.cache  # finding the zones walks directories, and they change with the operating system only
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


class _Bad(Exception):
    """Message and remedy."""


def _cron_text(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise _Bad(f"the schedule has {len(text):,} characters, more than {MAX_LENGTH:,}", _REMEDY)
    if not text.startswith("@"):
        if re.match(r"(CRON_)?TZ=", text):
            raise _Bad("a schedule has no time zone in it", "Put it into the trigger's `timezone`.")
        return text
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    near = did_you_mean(text, (*WORDS, "@every"))
    raise _Bad(f"there is no schedule {text!r}" + (f", but there is {near}" if near else ""), _REMEDY)


def _read_period(text: str) -> int:
    """The period of `@every 1h30m`, or 0 if this is no such text."""
    if not re.match(r"@every\b", text, re.IGNORECASE):
        return 0
    duration = "".join(text[len("@every") :].split())
    if len(text) > MAX_LENGTH or not re.fullmatch(f"({_PART})+", duration, re.ASCII):
        raise _Bad(f"{text[:100]!r} has no duration such as 30s, 10m or 1h30m", "Write `@every 10m`, for example.")
    parts = re.findall(_PART, duration, re.ASCII)
    period_us = int(sum(Fraction(number) * _UNITS_US[unit] for number, unit in parts))
    if period_us < MIN_PERIOD_US:
        raise _Bad(f"{text!r} is more often than once a second", "Write `@every 1s`, or a longer time.")
    if period_us > MAX_PERIOD_US:
        raise _Bad(f"{text!r} is more than 10 years", "Write a shorter time.")
    return period_us


def _problem(text: str, message: str, remedy: str, field: int = 0) -> Problem:
    """A problem with a place: where the given word of the text starts."""
    starts = [each.start() for each in re.finditer(r"\S+", text)] or [0]
    before = text[: starts[field]]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Problem(message=message, line=line, column=column, file="schedule", remedy=remedy)


def _render_period(period_us: int) -> str:
    parts = []
    for name, size in (("hour", 3_600_000_000), ("minute", 60_000_000)):
        count, period_us = divmod(period_us, size)
        if count:
            parts.append(f"{count} {name}{'s' * (count > 1)}")
    if period_us:
        parts.append(f"{period_us / 1e6:g} second{'s' * (period_us != 1_000_000)}")
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
