"""Settings of a server, with their defaults."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from autokitteh_runner.protocol import Limits


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


#: Variables that tests and demonstrations set; see the fields of the same names.
_FROM_ENVIRONMENT = {
    "AK_MAX_RUNNERS": ("max_runners", int),
    "AK_MAX_WARM": ("max_warm", int),
    "AK_EFFECTS_PER_TURN": ("effects_per_turn", int),
    "AK_CRASH_AT": ("crash_at", str),
    "AK_DB": ("db", str),
}


def from_environment(environ: "os._Environ[str] | dict[str, str]") -> dict[str, object]:
    """Settings given as environment variables. Raises ValueError, naming the variable."""
    found: dict[str, object] = {}
    for variable, (name, kind) in _FROM_ENVIRONMENT.items():
        if environ.get(variable):
            try:
                found[name] = kind(environ[variable])
            except ValueError as err:
                raise ValueError(f"{variable}={environ[variable]!r}: {err}") from err
    return found
