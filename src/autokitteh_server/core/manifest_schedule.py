"""Whether a schedule and a time zone are written as such; when the schedule fires is not known here."""

import functools
import re
import zoneinfo

from autokitteh_server.core.names import did_you_mean

_WORDS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_EVERY = re.compile(r"@every\s+(\d+(\.\d+)?(ms|s|m|h))+", re.ASCII)
_CRON_FIELD = re.compile(r"[0-9A-Za-z*?/,#-]+")


def schedule_problem(text: str) -> str:
    """What is wrong with the shape of a schedule, or ""."""
    text = text.strip()
    if text in _WORDS or _EVERY.fullmatch(text):
        return ""
    if text.startswith("@every"):
        return f"{text!r} has no duration such as 30s, 10m or 1h30m"
    if text.startswith("@"):
        near = did_you_mean(text, _WORDS)
        return f"there is no schedule {text!r}" + (f", but there is {near}" if near else "")
    fields = text.split()
    if len(fields) not in (5, 6):
        return f"a cron expression has 5 fields, or 6 with seconds in front, and {text!r} has {len(fields)}"
    bad = next((field for field in fields if not _CRON_FIELD.fullmatch(field)), "")
    return f"{bad!r} is not a field of a cron expression" if bad else ""


def timezone_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a time zone, and the remedy; or None."""
    zones = _zones()
    if name == "UTC" or name in zones:
        return None
    if not zones:
        return f"the time zone {name!r} cannot be looked up: this machine has no time zones", "Install tzdata."
    near = did_you_mean(name, zones)
    return f"there is no time zone {name!r}", f"Did you mean `{near}`?" if near else "Use a name like Europe/Berlin."


@functools.cache  # finding the zones walks directories, and they change with the operating system only
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
