"""Settings of a server, with their defaults."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autokitteh_runner.protocol import Limits
from autokitteh_server.core.crashpoints import parse_crash_point
from autokitteh_server.core.errors import InvalidArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server needs to know before it starts."""

    data_dir: Path
    db: str = ""  # URL; "" is SQLite in the data folder
    durable: bool = True  # False: a power cut may lose what was committed; for stores that are thrown away
    max_runners: int = field(default_factory=lambda: max(8, 4 * (os.cpu_count() or 1)))  # sessions that run at once
    max_warm: int = 16  # processes of waiting sessions that are kept
    max_failures: int = 3  # deaths of its process in a row, after which a session fails
    effects_per_turn: int | None = None  # throw a session's process away after so many; for tests of replay
    limits: Limits = field(default_factory=Limits)
    crash_at: str = ""  # "name:count" of a crash point

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.db or f"sqlite:///{self.data_dir / 'autokitteh.db'}"


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("it must be at least 1")
    return number


def _count_or_none(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("it must not be negative")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError("it must be a number of seconds; 0 is no limit")
    return seconds


def _crash_point(text: str) -> str:
    parse_crash_point(text)
    return text


#: Variables, the settings they are for, and how they are read. Those that tests and demonstrations set are among them.
_FROM_ENVIRONMENT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "AK_MAX_RUNNERS": ("max_runners", _count),
    "AK_MAX_WARM": ("max_warm", _count_or_none),
    "AK_EFFECTS_PER_TURN": ("effects_per_turn", _count),
    "AK_CRASH_AT": ("crash_at", _crash_point),
    "AK_DB": ("db", str),
}

#: The same for what one session may use, see `Limits`.
_LIMITS_FROM_ENVIRONMENT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "AK_LIMITS__WARN_AFTER_S": ("warn_after_s", _seconds),
    "AK_LIMITS__FAIL_AFTER_S": ("fail_after_s", _seconds),
    "AK_LIMITS__RESULT_BYTES": ("result_bytes", _count_or_none),
    "AK_LIMITS__MEMORY_BYTES": ("memory_bytes", _count_or_none),
}


def settings_from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that environment variables give, by the names of their fields. Raises InvalidArgument."""
    found = _read(environ, _FROM_ENVIRONMENT)
    if limits := _read(environ, _LIMITS_FROM_ENVIRONMENT):
        found["limits"] = Limits(**limits)
    return found


def _read(environ: Mapping[str, str], variables: Mapping[str, tuple[str, Callable[[str], Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, (name, read) in variables.items():
        if environ.get(variable):
            try:
                found[name] = read(environ[variable])
            except ValueError as error:
                raise InvalidArgument(f"{variable}={environ[variable]}: {error}", "Change or unset it.") from error
    return found


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where a server keeps its data unless told otherwise: AK_DATA_DIR, or a folder in the XDG data directory."""
    if given := environ.get("AK_DATA_DIR"):
        return Path(given).expanduser()
    data_home = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data_home).expanduser() / "autokitteh"
